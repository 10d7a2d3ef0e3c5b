//! A source's chain within one epoch.

use rovuma_schemas::{Digest, Epoch, Timestamp, audit::FIRST_PREVIOUS};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use super::to_db;
use crate::error::DbError;

/// The last event of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChainHead {
    /// The last event's sequence; 0 before the first.
    pub(crate) sequence: u64,
    /// The last event's digest; [`FIRST_PREVIOUS`] before the first.
    pub(crate) digest: Digest,
}

impl ChainHead {
    /// The head of a chain without events.
    pub(crate) const NONE: Self = Self { sequence: 0, digest: FIRST_PREVIOUS };
}

/// The chain of one (source, epoch) and its last event.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    pub(crate) id: i64,
    pub(crate) source: String,
    pub(crate) epoch: Epoch,
    pub(crate) head: ChainHead,
    /// The last event whose entry was pruned; 0 when none was.
    pub(crate) pruned_through: u64,
}

/// Whether a lineage is new, and whether its source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineageStatus {
    /// The lineage was known.
    Known,
    /// The lineage is new, and the first of its source.
    FirstOfSource,
    /// The lineage is new, and its source had other epochs before: its store was restored, or made anew.
    NewEpoch,
}

impl Lineage {
    /// Finds the lineage of (source, epoch), or opens it.
    pub(crate) async fn find_or_open(
        tx: &mut Conn,
        source: &str,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<(Self, LineageStatus), DbError> {
        let known = sqlx::query(
            "SELECT lineage_id, source, epoch, last_sequence, last_digest, pruned_through FROM lineage \
             WHERE source = $1 AND epoch = $2",
        )
        .bind(source)
        .bind(epoch.as_bytes().as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        match known {
            Some(row) => Ok((Self::of_row(&row)?, LineageStatus::Known)),
            None => Self::open(tx, source, epoch, now).await,
        }
    }

    async fn open(
        tx: &mut Conn,
        source: &str,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<(Self, LineageStatus), DbError> {
        let others: i64 = sqlx::query("SELECT COUNT(*) FROM lineage WHERE source = $1")
            .bind(source)
            .fetch_one(&mut *tx)
            .await?
            .try_get(0)?;
        let id: i64 = sqlx::query("SELECT COALESCE(MAX(lineage_id), 0) + 1 FROM lineage")
            .fetch_one(&mut *tx)
            .await?
            .try_get(0)?;
        sqlx::query(
            "INSERT INTO lineage (lineage_id, source, epoch, opened_at, last_sequence, last_digest) \
             VALUES ($1, $2, $3, $4, 0, $5)",
        )
        .bind(id)
        .bind(source)
        .bind(epoch.as_bytes().as_slice())
        .bind(now.as_micros())
        .bind(ChainHead::NONE.digest.as_bytes().as_slice())
        .execute(tx)
        .await?;
        let status = if others == 0 { LineageStatus::FirstOfSource } else { LineageStatus::NewEpoch };
        Ok((Self { id, source: source.to_owned(), epoch, head: ChainHead::NONE, pruned_through: 0 }, status))
    }

    /// Saves the chain's last event.
    pub(crate) async fn save(&self, tx: &mut Conn, now: Timestamp) -> Result<(), DbError> {
        sqlx::query(
            "UPDATE lineage SET last_sequence = $1, last_digest = $2, last_stored_at = $3 WHERE lineage_id = $4",
        )
        .bind(to_db(self.head.sequence))
        .bind(self.head.digest.as_bytes().as_slice())
        .bind(now.as_micros())
        .bind(self.id)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Reads the columns `lineage_id, source, epoch, last_sequence, last_digest, pruned_through`.
    pub(super) fn of_row(row: &AnyRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.try_get("lineage_id")?,
            source: row.try_get("source")?,
            epoch: row.store_id("epoch")?,
            head: ChainHead { sequence: row.count("last_sequence")?, digest: row.digest("last_digest")? },
            pruned_through: row.count("pruned_through")?,
        })
    }
}
