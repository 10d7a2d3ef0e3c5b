//! Whether a batch continues a chain: pure.

use std::{collections::BTreeMap, ops::Range};

use rovuma_schemas::Digest;

use crate::log::{Head, LogEvent};

/// What does not hold of a batch, at the first event where it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The events between the chain's head and this batch have not come.
    Missing {
        /// The first that is missing.
        first: u64,
        /// The last that is known to be missing.
        last: u64,
    },
    /// An event is stored with other bytes.
    Conflict {
        /// Its number.
        sequence: u64,
        /// The digest of what came now.
        got: Digest,
    },
    /// An event does not carry the digest of the one before it.
    Altered {
        /// Its number.
        sequence: u64,
        /// The digest of what came now.
        got: Digest,
    },
}

/// What becomes of a batch's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    /// How many are stored already, byte for byte.
    pub(super) duplicates: usize,
    /// Those that continue the chain.
    pub(super) append: Range<usize>,
    /// Why the rest is not taken.
    pub(super) finding: Option<Finding>,
}

/// Judges consecutive `events` against the chain that ends at `head`. `stored` has the digests of those
/// numbers of the batch that are stored.
pub(super) fn judge(head: Head, events: &[LogEvent], stored: &BTreeMap<u64, Digest>) -> Judgement {
    let known = events.iter().take_while(|event| event.sequence() <= head.sequence).count();
    for (index, event) in events[..known].iter().enumerate() {
        if stored.get(&event.sequence()) != Some(&event.digest()) {
            let finding = Finding::Conflict { sequence: event.sequence(), got: event.digest() };
            return Judgement { duplicates: index, append: index..index, finding: Some(finding) };
        }
    }
    let (end, finding) = follow(head, &events[known..]);
    Judgement { duplicates: known, append: known..known + end, finding }
}

/// How many of `events` continue the chain, and what stops it.
fn follow(mut head: Head, events: &[LogEvent]) -> (usize, Option<Finding>) {
    for (index, event) in events.iter().enumerate() {
        let sequence = event.sequence();
        if sequence != head.sequence + 1 {
            let finding = Finding::Missing { first: head.sequence + 1, last: sequence - 1 };
            return (index, Some(finding));
        }
        if event.event().previous != head.digest {
            return (index, Some(Finding::Altered { sequence, got: event.digest() }));
        }
        head = Head { sequence, digest: event.digest() };
    }
    (events.len(), None)
}
