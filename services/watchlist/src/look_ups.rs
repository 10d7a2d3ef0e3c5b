//! How many texts each person has looked up in the present hour: whoever has somebody's token, or goes through a list, is stopped.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use rovuma_schemas::Timestamp;

/// Texts that one person may look up in an hour: several times what anybody types. A crossing has no such bound: a ferry comes when it comes.
pub(crate) const PER_HOUR_MAX: usize = 300;

const HOUR_US: i64 = 3_600_000_000;

/// The counts of the present hour. After a restart everybody begins anew.
#[derive(Debug, Default)]
pub(crate) struct LookUps(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    hour: i64,
    of: HashMap<String, Count>,
}

#[derive(Debug, Default)]
struct Count {
    texts: usize,
    is_refused: bool,
}

/// Whether somebody may look up so much more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// It is counted.
    Within,
    /// It is more than an hour allows, for the first time in this hour: that is logged.
    OverNow,
    /// It was so before.
    OverStill,
}

impl LookUps {
    /// Counts texts that somebody looks up, or none of them where they are more than an hour allows.
    pub(crate) fn count(&self, subject: &str, texts: usize, now: Timestamp) -> Allowance {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hour = now.as_micros().div_euclid(HOUR_US);
        if counts.hour != hour {
            *counts = Counts { hour, of: HashMap::new() };
        }
        let count = counts.of.entry(subject.to_owned()).or_default();
        if count.texts + texts <= PER_HOUR_MAX {
            count.texts += texts;
            return Allowance::Within;
        }
        if std::mem::replace(&mut count.is_refused, true) { Allowance::OverStill } else { Allowance::OverNow }
    }
}
