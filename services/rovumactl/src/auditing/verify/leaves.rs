//! Checks that entries are audit leaves, and that those of each source have no gap.

use std::collections::BTreeMap;

use rovuma_schemas::{Epoch, audit::AuditLeaf};

/// Why an entry of a log does not hold.
#[derive(Debug, thiserror::Error)]
pub(super) enum EntryFault {
    /// It is not an audit leaf.
    #[error(transparent)]
    Leaf(#[from] rovuma_schemas::audit::LeafFault),
    /// It is not the next event of its source.
    #[error("event {got} of {source_name} (epoch {epoch}), where {expected} should be")]
    Sequence {
        /// The source.
        source_name: String,
        /// Its epoch.
        epoch: Epoch,
        /// The sequence number of the event.
        got: u64,
        /// The sequence number that should follow.
        expected: u64,
    },
}

/// The last sequence number of each source.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    last: BTreeMap<(String, Epoch), u64>,
    /// The source and number of the previous leaf, kept apart because most leaves have the same source.
    present: Option<((String, Epoch), u64)>,
}

impl Leaves {
    /// Checks one entry. A source's first leaf in a log may have any number: a log begins every year.
    pub(super) fn inspect(&mut self, _index: u64, entry: &[u8]) -> Result<(), EntryFault> {
        let leaf = AuditLeaf::from_bytes(entry)?;
        let same =
            |((source, epoch), _): &((String, Epoch), u64)| *source == leaf.source && *epoch == leaf.epoch;
        let before = match self.present.take_if(|present| !same(present)) {
            Some((key, last)) => {
                self.last.insert(key, last);
                None
            }
            None => self.present.as_ref().map(|(_, last)| *last),
        };
        let before = before.or_else(|| self.last.get(&(leaf.source.clone(), leaf.epoch)).copied());
        if let Some(expected) =
            before.map(|last| last.saturating_add(1)).filter(|expected| *expected != leaf.sequence)
        {
            let AuditLeaf { source: source_name, epoch, sequence: got, .. } = leaf;
            return Err(EntryFault::Sequence { source_name, epoch, got, expected });
        }
        self.present = Some(((leaf.source, leaf.epoch), leaf.sequence));
        Ok(())
    }

    /// Number of (source, epoch) pairs.
    pub(super) fn sources(&self) -> usize {
        let present = self.present.as_ref().is_some_and(|(key, _)| !self.last.contains_key(key));
        self.last.len() + usize::from(present)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(source: &str, sequence: u64) -> Vec<u8> {
        let epoch = "07".repeat(16);
        let commit = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM";
        format!(
            r#"{{"version":1,"id":"01968f3e-7b5a-7c3d-8e4f-0123456789ab","source":"{source}","epoch":"{epoch}","sequence":{sequence},"time":"2026-03-01T08:30:00Z","actor":"a","action":"message.read","outcome":"success","commit":"{commit}"}}"#
        )
        .into_bytes()
    }

    #[test]
    fn the_leaves_of_each_source_follow_each_other() {
        let mut leaves = Leaves::default();
        for (source, sequence) in [("one", 7), ("one", 8), ("two", 1), ("one", 9), ("two", 2), ("two", 3)] {
            leaves
                .inspect(0, &leaf(source, sequence))
                .unwrap_or_else(|fault| panic!("{source} {sequence}: {fault}"));
        }
        assert_eq!(leaves.sources(), 2);
        for (source, sequence) in [("one", 9), ("one", 11), ("two", 3), ("two", 5)] {
            let fault = leaves.inspect(0, &leaf(source, sequence)).expect_err("a gap");
            assert!(matches!(fault, EntryFault::Sequence { .. }), "{source} {sequence}: {fault}");
        }
        leaves.inspect(0, &leaf("one", 10)).expect("the next");
        assert!(matches!(leaves.inspect(0, b"{}"), Err(EntryFault::Leaf(_))));
    }
}
