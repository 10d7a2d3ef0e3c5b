//! Asks the engine every query and compares its answers with the truth.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use anyhow::Result;
use rovuma_schemas::{Date, Timestamp};
use rovuma_watchlist::{
    Screener,
    screening::{Crossing, Finding},
};

use super::{
    list::{List, entry_of},
    queries::{self, Class, Query},
    random::Random,
    truth::{Allowed, Numbers},
};

/// Wrong answers that are shown.
const SHOWN_MAX: usize = 20;

/// What the engine answered to all queries.
#[derive(Debug, Default)]
pub(super) struct Accuracy {
    pub(super) queries: usize,
    /// Entries that must be hits and were not.
    pub(super) exact_missed: usize,
    /// Entries that would have been told to their owners and must not.
    pub(super) wrong_forwards: usize,
    /// Entries that were called hits and are not the same.
    pub(super) wrong_hits: usize,
    /// Entries that are not even alike.
    pub(super) wrong_finds: usize,
    /// Certain matches that would not have been told to their owners.
    pub(super) forwards_missed: usize,
    /// Documents in other hands that were not marked.
    pub(super) misuse_missed: usize,
    /// Queries with a misread character, and of these those for which the entry was put before a person.
    pub(super) alike: (usize, usize),
    /// How long each query took that must find something.
    pub(super) exact: Vec<Duration>,
    /// Queries of each class, and entries that were forwarded, hits, and for review.
    pub(super) classes: BTreeMap<Class, Answered>,
    /// The first wrong answers.
    pub(super) wrong: Vec<String>,
}

/// What was answered to the queries of a class.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answered {
    pub(super) queries: usize,
    pub(super) forwarded: usize,
    pub(super) hits: usize,
    pub(super) reviews: usize,
}

/// Asks about `sample` numbers from everywhere in the list.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn measure(
    screener: &Screener,
    list: &List,
    sample: usize,
    today: Date,
    random: &mut Random,
) -> Result<Accuracy> {
    let numbers = Numbers::of(list);
    let mut accuracy = Accuracy::default();
    let sample = sample.min(list.numbers.len());
    for place in 0..sample {
        // One number in each part of the list, so that every kind has its share.
        let (from, to) = (place * list.numbers.len() / sample, (place + 1) * list.numbers.len() / sample);
        let at = random.between(from, to.max(from + 1) - 1);
        let entry = list.numbers[at].entry;
        for query in queries::about(list, at, today, random) {
            let allowed = numbers.allowed(list, &query);
            accuracy.ask(screener, &query, entry, &allowed, today.start()).await?;
        }
    }
    Ok(accuracy)
}

impl Accuracy {
    async fn ask(
        &mut self,
        screener: &Screener,
        query: &Query,
        entry: usize,
        allowed: &HashMap<usize, Allowed>,
        now: Timestamp,
    ) -> Result<()> {
        let crossing = Crossing {
            post: "namoto_kilambo".to_owned(),
            direction: "exit".to_owned(),
            asks_protection: query.asks_protection,
        };
        let started = Instant::now();
        let judged = screener.screen(&query.scan, Some(&crossing), now).await?;
        let elapsed = started.elapsed();
        self.queries += 1;
        let findings = judged.as_ref().map(|judged| judged.findings.as_slice()).unwrap_or_default();
        let found: HashMap<usize, &Finding> =
            findings.iter().filter_map(|found| Some((entry_of(&found.listed.reference)?, found))).collect();
        if allowed.values().any(|allowed| allowed.is_hit) {
            self.exact.push(elapsed);
        }
        let mut wrong = Vec::new();
        for (at, allowed) in allowed {
            wrong.extend(self.compare(allowed, found.get(at).copied()).map(|what| (*at, what)));
        }
        for at in found.keys().filter(|at| !allowed.contains_key(at)) {
            self.wrong_finds += 1;
            wrong.push((*at, "was found and is not even alike"));
            let found = found[at];
            self.wrong_hits += usize::from(found.is_hit());
            self.wrong_forwards += usize::from(found.forwards());
        }
        if matches!(query.class, Class::Confusable | Class::ConfusableDigitWrong)
            && allowed.contains_key(&entry)
        {
            self.alike.0 += 1;
            self.alike.1 += usize::from(found.contains_key(&entry));
        }
        let answered = self.classes.entry(query.class).or_default();
        answered.queries += 1;
        answered.forwarded += findings.iter().filter(|found| found.forwards()).count();
        answered.hits += findings.iter().filter(|found| found.is_hit()).count();
        answered.reviews += findings.iter().filter(|found| !found.is_hit()).count();
        let fault = judged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        for (at, what) in wrong {
            if self.wrong.len() < SHOWN_MAX {
                self.wrong.push(line(query, at, what, found.get(&at).copied(), &fault));
            }
        }
        Ok(())
    }

    /// Counts what is wrong with the answer about an entry, and says it.
    fn compare(&mut self, allowed: &Allowed, found: Option<&Finding>) -> Option<&'static str> {
        let is_hit = found.is_some_and(Finding::is_hit);
        let is_forwarded = found.is_some_and(Finding::forwards);
        if is_forwarded && !allowed.is_forwarded {
            self.wrong_forwards += 1;
            self.wrong_hits += usize::from(!allowed.is_hit);
            return Some("would be told to its owner and must not");
        }
        match (allowed.is_hit, is_hit) {
            (true, false) => {
                self.exact_missed += 1;
                return Some("was missed");
            }
            (false, true) => {
                self.wrong_hits += 1;
                return Some("was called a hit and is only alike");
            }
            _ => {}
        }
        if allowed.is_forwarded && !is_forwarded {
            self.forwards_missed += 1;
            return Some("is certain and would not be told to its owner");
        }
        if allowed.is_other_holder && found.is_some_and(|found| !found.is_possible_misuse) {
            self.misuse_missed += 1;
            return Some("is in other hands and was not marked");
        }
        None
    }
}

fn line(query: &Query, at: usize, what: &str, found: Option<&Finding>, fault: &str) -> String {
    let found = found.map_or_else(
        || format!("not found {fault}"),
        |found| {
            let numbers: Vec<_> = found.listed.subjects.iter().flat_map(|subject| &subject.numbers).collect();
            format!("{:?} {:?} {:?} in {numbers:?}", found.likeness, found.doubts, found.kept_back)
        },
    );
    format!("{:?}: entry {at} {what}: {:?}; {found}", query.class, query.scan)
}
