//! A source's chain within one epoch.

use rovuma_schemas::{Digest, Epoch, Timestamp, audit::FIRST_PREVIOUS};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use super::to_db;
use crate::error::DbError;

/// How far a chain has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The last event's number; 0 before the first.
    pub(crate) sequence: u64,
    /// The last event's digest; [`FIRST_PREVIOUS`] before the first.
    pub(crate) digest: Digest,
}

impl Head {
    /// Before the first event.
    pub(crate) const NONE: Self = Self { sequence: 0, digest: FIRST_PREVIOUS };
}

/// A (source, epoch) and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct Lineage {
    pub(crate) id: i64,
    pub(crate) source: String,
    pub(crate) epoch: Epoch,
    pub(crate) head: Head,
    /// The last event whose entry was pruned; 0 when none was.
    pub(crate) pruned_through: u64,
}

/// How a lineage was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It was known.
    Known,
    /// It is the first of its source.
    First,
    /// Its source had written in other epochs before: it was restored, or made anew.
    NewEpoch,
}

impl Lineage {
    /// The lineage of (source, epoch), opened now when it is new.
    pub(crate) async fn find_or_open(
        tx: &mut Conn,
        source: &str,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<(Self, Found), DbError> {
        let known = sqlx::query(
            "SELECT lineage_id, source, epoch, last_sequence, last_digest, pruned_through FROM lineage \
             WHERE source = $1 AND epoch = $2",
        )
        .bind(source)
        .bind(epoch.as_bytes().as_slice())
        .fetch_optional(&mut *tx)
        .await?;
        match known {
            Some(row) => Ok((Self::of_row(&row)?, Found::Known)),
            None => Self::open(tx, source, epoch, now).await,
        }
    }

    async fn open(
        tx: &mut Conn,
        source: &str,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<(Self, Found), DbError> {
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
        .bind(Head::NONE.digest.as_bytes().as_slice())
        .execute(tx)
        .await?;
        let found = if others == 0 { Found::First } else { Found::NewEpoch };
        Ok((Self { id, source: source.to_owned(), epoch, head: Head::NONE, pruned_through: 0 }, found))
    }

    /// Writes down how far the chain has come.
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
            head: Head { sequence: row.count("last_sequence")?, digest: row.digest("last_digest")? },
            pruned_through: row.count("pruned_through")?,
        })
    }
}
