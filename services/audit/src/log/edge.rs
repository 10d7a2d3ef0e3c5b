//! The check at start: each chain must end where its lineage records, and each tree in the head that the log signed.

use rovuma_envelope::{PublicKey, digest};
use rovuma_schemas::Digest;
use rovuma_store::{Readers, RowExt};
use rovuma_tlog::LoadedTiles;

use super::{Lineage, Sequencer, Tree, search, signed_head};
use crate::error::DbError;

/// A contradiction within the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EdgeFault {
    /// The store could not be read.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A chain's last event is missing.
    #[error("{source_name}, epoch {epoch}: event {sequence} should be the last stored, but is missing")]
    Missing {
        /// The source.
        source_name: String,
        /// Its epoch.
        epoch: String,
        /// The event's sequence.
        sequence: u64,
    },
    /// A chain ends with another event than its lineage records.
    #[error("{source_name}, epoch {epoch}: event {sequence} should be the last stored, but {stored} is")]
    Elsewhere {
        /// The source.
        source_name: String,
        /// Its epoch.
        epoch: String,
        /// The event's sequence.
        sequence: u64,
        /// The last stored event's sequence.
        stored: u64,
    },
    /// A chain's last event has other bytes than were stored.
    #[error(
        "{source_name}, epoch {epoch}: event {sequence} was changed: expected digest {expected}, got {got}"
    )]
    Changed {
        /// The source.
        source_name: String,
        /// Its epoch.
        epoch: String,
        /// The event's sequence.
        sequence: u64,
        /// The digest that the lineage records.
        expected: Digest,
        /// The digest of the stored bytes.
        got: Digest,
    },
    /// There are more or fewer entries than the trees have leaves.
    #[error("{origin} has leaves up to entry {expected}, but the log has {got} entries")]
    Length {
        /// The last tree.
        origin: String,
        /// How many entries there should be.
        expected: u64,
        /// How many entries there are.
        got: u64,
    },
    /// The log's key did not sign a tree's head.
    #[error("{origin}: the log's key did not sign its head of {size} leaves")]
    NotSigned {
        /// The tree.
        origin: String,
        /// Its number of leaves.
        size: u64,
    },
    /// A tree's right edge does not follow from its hashes.
    #[error(
        "{origin}: its leaves and hashes do not give the right edge of the {size} leaves that were signed"
    )]
    Edge {
        /// The tree.
        origin: String,
        /// Its number of leaves.
        size: u64,
    },
}

/// Checks the last event of each chain against its bytes, and the right edge of each tree against its leaves and against
/// the signature of its head.
///
/// # Errors
/// [`EdgeFault`] names the first contradiction: the service must not start from this store.
pub(crate) async fn check(pool: &Readers, sequencer: &Sequencer) -> Result<(), EdgeFault> {
    let rows = sqlx::query(
        "SELECT lineage_id, source, epoch, last_sequence, last_digest, pruned_through FROM lineage",
    )
    .fetch_all(pool)
    .await
    .map_err(DbError::from)?;
    for row in &rows {
        check_lineage(pool, sequencer, Lineage::of_row(row)?).await?;
    }
    check_trees(pool, sequencer.log_key.public_key()).await
}

async fn check_lineage(pool: &Readers, sequencer: &Sequencer, lineage: Lineage) -> Result<(), EdgeFault> {
    let row = sqlx::query(
        "SELECT e.sequence, e.digest, e.entry_index, p.sealed, s.key_salt FROM entry e
         LEFT JOIN payload p ON p.entry_index = e.entry_index
         LEFT JOIN payload_scope s ON s.scope_id = p.scope_id
         WHERE e.lineage_id = $1 ORDER BY e.sequence DESC LIMIT 1",
    )
    .bind(lineage.id)
    .fetch_optional(pool)
    .await
    .map_err(DbError::from)?;
    let (source_name, epoch, sequence) = (lineage.source, lineage.epoch.to_string(), lineage.head.sequence);
    // No event was ever stored, or the last one was pruned.
    if sequence == lineage.pruned_through {
        return Ok(());
    }
    let Some(row) = row else { return Err(EdgeFault::Missing { source_name, epoch, sequence }) };
    let stored = row.count("sequence").map_err(DbError::from)?;
    if stored != sequence {
        return Err(EdgeFault::Elsewhere { source_name, epoch, sequence, stored });
    }
    // Of an erased event only the digest is left.
    let opened = search::open_payload(&row, sequencer)?.map(|opened| digest(opened.event.as_bytes()));
    let (expected, kept) = (lineage.head.digest, row.digest("digest").map_err(DbError::from)?);
    match [Some(kept), opened].into_iter().flatten().find(|got| *got != expected) {
        Some(got) => Err(EdgeFault::Changed { source_name, epoch, sequence, expected, got }),
        None => Ok(()),
    }
}

async fn check_trees(pool: &Readers, log_key: &PublicKey) -> Result<(), EdgeFault> {
    let trees = Tree::all(pool).await?;
    for tree in &trees {
        let (origin, size) = (tree.origin.clone(), tree.edge.size());
        if signed_head(&tree.checkpoint, &origin, log_key) != Some(tree.head()) {
            return Err(EdgeFault::NotSigned { origin, size });
        }
        let tiles = tree.load_tiles(pool, size, LoadedTiles::needed_for_edge(size)).await?;
        if tiles.edge().ok().as_ref() != Some(&tree.edge) {
            return Err(EdgeFault::Edge { origin, size });
        }
    }
    let got = search::length(pool).await?;
    match trees.last() {
        Some(last) if last.next_index() == got => Ok(()),
        None if got == 0 => Ok(()),
        last => {
            let origin = last.map_or_else(|| "no tree".to_owned(), |last| last.origin.clone());
            Err(EdgeFault::Length { origin, expected: last.map_or(0, Tree::next_index), got })
        }
    }
}
