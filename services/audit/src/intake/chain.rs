//! Checks whether a batch continues a chain. Pure.

use std::{collections::BTreeMap, ops::Range};

use rovuma_schemas::Digest;

use crate::log::{ChainHead, LogEvent};

/// Why the rest of a batch does not continue the chain, at the first event that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChainFault {
    /// The events between the chain's head and this batch have not come.
    Missing {
        /// The first missing sequence.
        first: u64,
        /// The last sequence that is known to be missing.
        last: u64,
    },
    /// A stored event came again with other bytes.
    Conflict {
        /// The event's sequence.
        sequence: u64,
        /// The digest of the event that came now.
        got: Digest,
    },
    /// An event does not carry the digest of the one before it.
    Altered {
        /// The event's sequence.
        sequence: u64,
        /// The digest of the event that came now.
        got: Digest,
    },
}

/// The result of checking a batch against a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChainCheck {
    /// How many events are stored already, byte for byte.
    pub(super) duplicates: usize,
    /// The events that continue the chain.
    pub(super) append: Range<usize>,
    /// Why the remaining events are not stored.
    pub(super) fault: Option<ChainFault>,
}

/// Checks consecutive `events` against the chain that ends at `head`. `stored` has the digests of the stored
/// events with sequences of the batch.
pub(super) fn check(head: ChainHead, events: &[LogEvent], stored: &BTreeMap<u64, Digest>) -> ChainCheck {
    let known = events.iter().take_while(|event| event.sequence() <= head.sequence).count();
    for (index, event) in events[..known].iter().enumerate() {
        if stored.get(&event.sequence()) != Some(&event.digest()) {
            let fault = ChainFault::Conflict { sequence: event.sequence(), got: event.digest() };
            return ChainCheck { duplicates: index, append: index..index, fault: Some(fault) };
        }
    }
    let (end, fault) = follow(head, &events[known..]);
    ChainCheck { duplicates: known, append: known..known + end, fault }
}

/// How many of `events` continue the chain, and why the next one does not.
fn follow(mut head: ChainHead, events: &[LogEvent]) -> (usize, Option<ChainFault>) {
    for (index, event) in events.iter().enumerate() {
        let sequence = event.sequence();
        if sequence != head.sequence + 1 {
            let fault = ChainFault::Missing { first: head.sequence + 1, last: sequence - 1 };
            return (index, Some(fault));
        }
        if event.event().previous != head.digest {
            return (index, Some(ChainFault::Altered { sequence, got: event.digest() }));
        }
        head = ChainHead { sequence, digest: event.digest() };
    }
    (events.len(), None)
}
