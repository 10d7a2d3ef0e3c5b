//! Proving that entries are in their logs, against the heads that both countries signed.

use std::collections::BTreeSet;

use rovuma_envelope::Signer;
use rovuma_store::Readers;
use rovuma_tlog::{Head, ProofFile, Tiles, UnverifiedCheckpoint, leaf_hash, needed_for_inclusion};

use super::{Heads, MadeHead, pruned_note};
use crate::{
    auditor::Auditor,
    error::DbError,
    log::{Tree, search::Entry},
};

/// The logs with their last good heads, as they were at one moment: everything proved with it is proved against these.
pub(crate) struct Prover {
    trees: Vec<(Tree, Option<MadeHead>)>,
}

/// An entry's log and its proof there; no proof while no good head reaches it.
pub(crate) struct Proof {
    /// The log's name in its checkpoints.
    pub(crate) origin: String,
    /// The proof.
    pub(crate) file: Option<ProofFile>,
}

impl Prover {
    /// The logs as they are now.
    pub(crate) async fn load(auditor: &Auditor) -> Result<Self, DbError> {
        let (heads, mut trees) = (Heads::of(&auditor.store), Vec::new());
        for tree in Tree::all(auditor.store.read()).await? {
            let good = heads.settled(&tree.origin).await?;
            trees.push((tree, good));
        }
        Ok(Self { trees })
    }

    /// What logs say of the entries that were taken out of them: signed notes.
    pub(crate) fn pruned(&self, log_key: &dyn Signer) -> Result<Vec<String>, DbError> {
        let notes = self.trees.iter().filter_map(|(tree, _)| pruned_note(tree, log_key).transpose());
        notes
            .map(|note| String::from_utf8(note?).map_err(|fault| DbError::damaged("pruning", fault)))
            .collect()
    }

    /// How many entries the last good head vouches for, with all that came before its log.
    pub(crate) fn end(&self) -> u64 {
        let ends = self.trees.iter().filter_map(|(tree, good)| Some(tree.first_index + good.as_ref()?.size));
        ends.max().unwrap_or(0)
    }

    /// The proofs of these entries, in their order. Each hash is read once for all of them.
    pub(crate) async fn prove(&self, pool: &Readers, entries: &[&Entry]) -> Result<Vec<Proof>, DbError> {
        let mut proofs = Vec::with_capacity(entries.len());
        // Entries of one log mostly come together.
        for run in entries.chunk_by(|one, next| self.place(one.index) == self.place(next.index)) {
            let Some((tree, good)) = self.place(run[0].index).and_then(|place| self.trees.get(place)) else {
                return Err(DbError::damaged("tree", format!("none has entry {}", run[0].index)));
            };
            let reached =
                |entry: &Entry| good.as_ref().is_some_and(|head| entry.index - tree.first_index < head.size);
            let inside: Vec<u64> = run
                .iter()
                .filter(|entry| reached(entry))
                .map(|entry| entry.index - tree.first_index)
                .collect();
            let known = match good {
                Some(head) if !inside.is_empty() => Some(Known::load(pool, tree, head, &inside).await?),
                _ => None,
            };
            for entry in run {
                let known = known.as_ref().filter(|_| reached(entry));
                let file = known.map(|known| known.prove(entry.index - tree.first_index, entry.leaf_bytes()));
                proofs.push(Proof { origin: tree.origin.clone(), file: file.transpose()? });
            }
        }
        Ok(proofs)
    }

    /// Which log an entry belongs to.
    fn place(&self, index: u64) -> Option<usize> {
        self.trees.iter().rposition(|(tree, _)| tree.first_index <= index)
    }
}

/// A good head, and the hashes to prove some leaves with.
struct Known {
    checkpoint: UnverifiedCheckpoint,
    tiles: Tiles,
}

impl Known {
    async fn load(pool: &Readers, tree: &Tree, head: &MadeHead, leaves: &[u64]) -> Result<Self, DbError> {
        let mut wanted = BTreeSet::new();
        for leaf in leaves {
            wanted.extend(needed_for_inclusion(head.size, *leaf).map_err(|unproved| damaged(&unproved))?);
        }
        let tiles = tree.tiles(pool, head.size, wanted.into_iter().collect()).await?;
        let checkpoint = UnverifiedCheckpoint::read(&head.note).map_err(|unread| damaged(&unread))?;
        Ok(Self { checkpoint, tiles })
    }

    fn prove(&self, index: u64, leaf: &[u8]) -> Result<ProofFile, DbError> {
        let hashes = self.tiles.inclusion(index).map_err(|unproved| damaged(&unproved))?;
        // What is handed out has been checked.
        let head: &Head = self.checkpoint.unverified_head();
        head.includes(index, leaf_hash(leaf), &hashes).map_err(|unproved| damaged(&unproved))?;
        Ok(ProofFile { unverified_extra: leaf.to_vec(), index, hashes, checkpoint: self.checkpoint.clone() })
    }
}

fn damaged(fault: &dyn std::fmt::Display) -> DbError {
    DbError::damaged("tree", fault)
}
