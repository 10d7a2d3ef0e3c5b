//! The partners that witness this log.

use std::sync::Arc;

use rovuma_schemas::CountryCode;
use rovuma_tlog::{LogPolicy, NoteKey, PolicyVerdict, UnverifiedCheckpoint};

use crate::audit::audit_source_name;

/// The countries whose audit services the policy names as witnesses.
#[derive(Clone, Debug)]
pub(crate) struct Partners {
    own: CountryCode,
    policy: Arc<LogPolicy>,
}

impl Partners {
    pub(crate) fn of(own: CountryCode, policy: &Arc<LogPolicy>) -> Self {
        Self { own, policy: Arc::clone(policy) }
    }

    /// Every partner, with its name in the policy and the key with which it cosigns.
    pub(crate) fn all(&self) -> impl Iterator<Item = (CountryCode, &str, &NoteKey)> {
        let country = |key: &NoteKey| {
            let country = key.name().split_once('.')?.0.parse().ok()?;
            (key.name() == audit_source_name(country)).then_some(country)
        };
        let known = self.policy.witnesses().filter_map(move |(name, key)| Some((country(key)?, name, key)));
        known.filter(|(country, ..)| *country != self.own)
    }

    /// The keys with which a partner cosigns: two while one replaces another.
    pub(crate) fn keys(&self, partner: CountryCode) -> Vec<NoteKey> {
        self.all().filter(|(country, ..)| *country == partner).map(|(.., key)| key.clone()).collect()
    }

    /// The partners that have not cosigned a checkpoint.
    pub(super) fn missing(&self, note: &[u8]) -> Vec<CountryCode> {
        let judged = UnverifiedCheckpoint::read(note).map(|read| self.policy.judge(read));
        let Ok(PolicyVerdict::Good(checkpoint) | PolicyVerdict::Unwitnessed { checkpoint, .. }) = judged
        else {
            return Vec::new();
        };
        let has_cosigned = |name: &str| checkpoint.cosigned().iter().any(|line| line.witness == name);
        self.all().filter(|(_, name, _)| !has_cosigned(name)).map(|(country, ..)| country).collect()
    }

    /// Whether the policy names a log.
    pub(super) fn names(&self, origin: &str) -> bool {
        self.policy.logs().iter().any(|log| log.name() == origin)
    }

    /// Whether a log belongs to a country: `tz.audit/2026` belongs to `tz`.
    pub(crate) fn owns(country: CountryCode, origin: &str) -> bool {
        let year = origin.strip_prefix(&audit_source_name(country)).and_then(|rest| rest.strip_prefix('/'));
        year.is_some_and(|year| !year.is_empty())
    }
}
