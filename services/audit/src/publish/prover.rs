//! Proves that entries are in their logs, against heads that both countries signed.

use std::collections::BTreeSet;

use rovuma_api::answers::audit::LogEntry;
use rovuma_envelope::Signer;
use rovuma_store::Readers;
use rovuma_tlog::{Head, LoadedTiles, ProofFile, UnverifiedCheckpoint, leaf_hash, needed_for_inclusion};

use super::{Checkpoints, StoredCheckpoint, pruned_note};
use crate::{auditor::Auditor, error::DbError, log::Tree};

/// A snapshot of the logs and their last settled checkpoints, against which entries are proved.
pub(crate) struct Prover {
    trees: Vec<(Tree, Option<StoredCheckpoint>)>,
}

/// An entry's log and its inclusion proof.
pub(crate) struct EntryProof {
    /// The log's name in its checkpoints.
    pub(crate) origin: String,
    /// The proof; `None` while no settled checkpoint includes the entry.
    pub(crate) file: Option<ProofFile>,
}

impl Prover {
    /// Loads the logs as they are now.
    pub(crate) async fn load(auditor: &Auditor) -> Result<Self, DbError> {
        let (heads, mut trees) = (Checkpoints::of(&auditor.store), Vec::new());
        for tree in Tree::all(auditor.store.read()).await? {
            let settled = heads.last_settled(&tree.origin).await?;
            trees.push((tree, settled));
        }
        Ok(Self { trees })
    }

    /// The signed notes of pruned logs.
    pub(crate) fn pruned(&self, log_key: &dyn Signer) -> Result<Vec<String>, DbError> {
        let notes = self.trees.iter().filter_map(|(tree, _)| pruned_note(tree, log_key).transpose());
        notes
            .map(|note| String::from_utf8(note?).map_err(|fault| DbError::damaged("pruning", fault)))
            .collect()
    }

    /// The end of the entries that settled checkpoints include: all entries below it are in a log with such a checkpoint.
    pub(crate) fn end(&self) -> u64 {
        let ends = self.trees.iter().filter_map(|(tree, good)| Some(tree.first_index + good.as_ref()?.size));
        ends.max().unwrap_or(0)
    }

    /// Proves entries, in their order. Each hash is read once for all of them.
    pub(crate) async fn prove(
        &self,
        pool: &Readers,
        entries: &[&LogEntry],
    ) -> Result<Vec<EntryProof>, DbError> {
        let mut proofs = Vec::with_capacity(entries.len());
        // Entries of one log usually follow each other.
        for run in entries.chunk_by(|one, next| self.tree_index(one.index) == self.tree_index(next.index)) {
            let Some((tree, good)) = self.tree_index(run[0].index).and_then(|index| self.trees.get(index))
            else {
                return Err(DbError::damaged("tree", format!("none has entry {}", run[0].index)));
            };
            let reached = |entry: &LogEntry| {
                good.as_ref().is_some_and(|head| entry.index - tree.first_index < head.size)
            };
            let inside: Vec<u64> = run
                .iter()
                .filter(|entry| reached(entry))
                .map(|entry| entry.index - tree.first_index)
                .collect();
            let known = match good {
                Some(head) if !inside.is_empty() => Some(ProofTiles::load(pool, tree, head, &inside).await?),
                _ => None,
            };
            for entry in run {
                let known = known.as_ref().filter(|_| reached(entry));
                let file = known
                    .map(|known| known.prove(entry.index - tree.first_index, entry.leaf.get().as_bytes()));
                proofs.push(EntryProof { origin: tree.origin.clone(), file: file.transpose()? });
            }
        }
        Ok(proofs)
    }

    /// The position in `trees` of the log that has an entry.
    fn tree_index(&self, index: u64) -> Option<usize> {
        self.trees.iter().rposition(|(tree, _)| tree.first_index <= index)
    }
}

/// A settled checkpoint, and the tiles with which some leaves are proved.
struct ProofTiles {
    checkpoint: UnverifiedCheckpoint,
    tiles: LoadedTiles,
}

impl ProofTiles {
    async fn load(
        pool: &Readers,
        tree: &Tree,
        head: &StoredCheckpoint,
        leaves: &[u64],
    ) -> Result<Self, DbError> {
        let mut needed = BTreeSet::new();
        for leaf in leaves {
            needed.extend(needed_for_inclusion(head.size, *leaf).map_err(|unproved| damaged(&unproved))?);
        }
        let tiles = tree.load_tiles(pool, head.size, needed.into_iter().collect()).await?;
        let checkpoint = UnverifiedCheckpoint::read(&head.note).map_err(|unread| damaged(&unread))?;
        Ok(Self { checkpoint, tiles })
    }

    fn prove(&self, index: u64, leaf: &[u8]) -> Result<ProofFile, DbError> {
        let hashes = self.tiles.inclusion(index).map_err(|unproved| damaged(&unproved))?;
        // A proof is verified before it is given out.
        let head: &Head = self.checkpoint.unverified_head();
        head.includes(index, leaf_hash(leaf), &hashes).map_err(|unproved| damaged(&unproved))?;
        Ok(ProofFile { unverified_extra: leaf.to_vec(), index, hashes, checkpoint: self.checkpoint.clone() })
    }
}

fn damaged(fault: &dyn std::fmt::Display) -> DbError {
    DbError::damaged("tree", fault)
}
