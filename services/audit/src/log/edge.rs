//! The check at start: each chain must end where its lineage says, and the log where it counts to.

use rovuma_envelope::digest;
use rovuma_schemas::Digest;
use rovuma_store::{Readers, RowExt};
use sqlx::Row;

use super::Lineage;
use crate::error::DbError;

/// What the store says of itself and does not hold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EdgeFault {
    /// The store could not be read.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A chain's last event is not there.
    #[error("{source_name}, epoch {epoch}: event {sequence} should be the last stored, and is not there")]
    Missing {
        /// The source.
        source_name: String,
        /// Its epoch.
        epoch: String,
        /// The event's number.
        sequence: u64,
    },
    /// A chain's events end elsewhere.
    #[error("{source_name}, epoch {epoch}: event {sequence} should be the last stored, but {stored} is")]
    Elsewhere {
        /// The source.
        source_name: String,
        /// Its epoch.
        epoch: String,
        /// The event's number.
        sequence: u64,
        /// The last one's number.
        stored: u64,
    },
    /// A chain's last event has other bytes than were stored.
    #[error("{source_name}, epoch {epoch}: event {sequence} was changed: digest {got}, stored as {expected}")]
    Changed {
        /// The source.
        source_name: String,
        /// Its epoch.
        epoch: String,
        /// The event's number.
        sequence: u64,
        /// The digest that was written down.
        expected: Digest,
        /// The digest of the bytes that are there.
        got: Digest,
    },
}

/// Checks the last event of each chain against its bytes.
///
/// # Errors
/// [`EdgeFault`], which says exactly what does not hold: the service must not go on from there.
pub(crate) async fn check(pool: &Readers) -> Result<(), EdgeFault> {
    let rows = sqlx::query("SELECT lineage_id, source, epoch, last_sequence, last_digest FROM lineage")
        .fetch_all(pool)
        .await
        .map_err(DbError::from)?;
    for row in &rows {
        check_lineage(pool, Lineage::of_row(row)?).await?;
    }
    Ok(())
}

async fn check_lineage(pool: &Readers, lineage: Lineage) -> Result<(), EdgeFault> {
    let row =
        sqlx::query("SELECT sequence, event FROM entry WHERE lineage_id = $1 ORDER BY sequence DESC LIMIT 1")
            .bind(lineage.id)
            .fetch_optional(pool)
            .await
            .map_err(DbError::from)?;
    let (source_name, epoch, sequence) = (lineage.source, lineage.epoch.to_string(), lineage.head.sequence);
    let Some(row) = row else {
        return if sequence == 0 { Ok(()) } else { Err(EdgeFault::Missing { source_name, epoch, sequence }) };
    };
    let stored = row.count("sequence").map_err(DbError::from)?;
    if stored != sequence {
        return Err(EdgeFault::Elsewhere { source_name, epoch, sequence, stored });
    }
    let event: Vec<u8> = row.try_get("event").map_err(DbError::from)?;
    let (expected, got) = (lineage.head.digest, digest(&event));
    if expected == got {
        Ok(())
    } else {
        Err(EdgeFault::Changed { source_name, epoch, sequence, expected, got })
    }
}
