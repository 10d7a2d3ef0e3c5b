//! The log's checkpoints in the store: each is stored before anybody sees it.

use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, FutureExt, RowExt, Store, WriteError};
use rovuma_tlog::UnverifiedCheckpoint;
use sqlx::{Row, any::AnyRow};

use crate::{
    error::DbError,
    failure::{CrashPoint, crash_point},
    log::{Tree, to_db},
};

/// Maximum number of a log's checkpoints that wait for cosignatures: a late cosignature still settles one of them.
const WAITING_MAX: i64 = 16;

/// A checkpoint in the store.
#[derive(Clone, Debug)]
pub(crate) struct StoredCheckpoint {
    /// The number of leaves.
    pub(crate) size: u64,
    /// The note, with the cosignatures that have come so far.
    pub(crate) note: Vec<u8>,
    /// The time when it was stored.
    pub(crate) made_at: Timestamp,
    /// The time when its cosignatures met the policy: from then on it is settled.
    pub(crate) settled_at: Option<Timestamp>,
}

/// The checkpoints of this country's logs.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoints {
    store: Store,
}

impl Checkpoints {
    pub(crate) fn of(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// Lists the checkpoints of a log, the newest first.
    pub(crate) async fn list(&self, origin: &str) -> Result<Vec<StoredCheckpoint>, DbError> {
        let rows = sqlx::query(
            "SELECT size, note, made_at, settled_at FROM checkpoint WHERE origin = $1 ORDER BY size DESC",
        )
        .bind(origin)
        .fetch_all(self.store.read())
        .await?;
        rows.iter().map(StoredCheckpoint::of_row).collect()
    }

    /// The last settled checkpoint of a log.
    pub(crate) async fn last_settled(&self, origin: &str) -> Result<Option<StoredCheckpoint>, DbError> {
        Ok(self.list(origin).await?.into_iter().find(|head| head.settled_at.is_some()))
    }

    /// Stores the checkpoint that the log has signed last. `finish` adds the service's own cosignature.
    pub(crate) async fn store_last(
        &self,
        origin: &str,
        finish: impl FnOnce(&[u8]) -> Result<Vec<u8>, DbError> + Send + 'static,
        now: Timestamp,
    ) -> Result<Option<StoredCheckpoint>, WriteError<DbError>> {
        let origin = origin.to_owned();
        let write = self.store.write(move |tx| {
            async move {
                let Some(tree) = Tree::find(tx, &origin).await? else { return Ok(None) };
                let (size, note) = (tree.edge.size(), finish(&tree.checkpoint)?);
                sqlx::query(
                    "INSERT INTO checkpoint (origin, size, note, made_at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (origin, size) DO NOTHING",
                )
                .bind(origin.as_str())
                .bind(to_db(size))
                .bind(note.as_slice())
                .bind(now.as_micros())
                .execute(&mut *tx)
                .await?;
                delete_old(tx, &origin).await?;
                crash_point(CrashPoint::HeadMade);
                Ok(Some(StoredCheckpoint { size, note, made_at: now, settled_at: None }))
            }
            .boxed()
        });
        write.await
    }

    /// Updates the note of a checkpoint in the transaction that reads it. `update` gives the new note, and whether it meets the
    /// policy; with `None` nothing changes.
    pub(crate) async fn update_note(
        &self,
        origin: &str,
        size: u64,
        update: impl FnOnce(&UnverifiedCheckpoint) -> Option<(Vec<u8>, bool)> + Send + 'static,
        now: Timestamp,
    ) -> Result<Option<StoredCheckpoint>, WriteError<DbError>> {
        let origin = origin.to_owned();
        let write = self.store.write(move |tx| {
            async move {
                let row = sqlx::query(
                    "SELECT size, note, made_at, settled_at FROM checkpoint WHERE origin = $1 AND size = $2",
                )
                .bind(origin.as_str())
                .bind(to_db(size))
                .fetch_optional(&mut *tx)
                .await?;
                let Some(mut head) = row.as_ref().map(StoredCheckpoint::of_row).transpose()? else {
                    return Ok(None);
                };
                let read = UnverifiedCheckpoint::read(&head.note);
                let read = read.map_err(|fault| DbError::damaged("checkpoint", fault))?;
                let Some((note, settles)) = update(&read) else { return Ok(None) };
                head.note = note;
                head.settled_at = head.settled_at.or(settles.then_some(now));
                sqlx::query(
                    "UPDATE checkpoint SET note = $1, settled_at = $2 WHERE origin = $3 AND size = $4",
                )
                .bind(head.note.as_slice())
                .bind(head.settled_at.map(Timestamp::as_micros))
                .bind(origin.as_str())
                .bind(to_db(size))
                .execute(&mut *tx)
                .await?;
                delete_old(tx, &origin).await?;
                Ok(Some(head))
            }
            .boxed()
        });
        write.await
    }
}

/// Deletes checkpoints older than the last settled one, and all but the newest [`WAITING_MAX`] of those that wait. The one that
/// has waited longest stays, because it shows since when no partner cosigns.
async fn delete_old(tx: &mut Conn, origin: &str) -> Result<(), DbError> {
    sqlx::query(
        "DELETE FROM checkpoint WHERE origin = $1 AND size <
         (SELECT COALESCE(MAX(size), 0) FROM checkpoint WHERE origin = $1 AND settled_at IS NOT NULL)",
    )
    .bind(origin)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "DELETE FROM checkpoint WHERE origin = $1 AND settled_at IS NULL AND size <
         (SELECT COALESCE(MIN(size), 0) FROM
            (SELECT size FROM checkpoint WHERE origin = $1 ORDER BY size DESC LIMIT $2) AS kept)
         AND size > (SELECT MIN(size) FROM checkpoint WHERE origin = $1 AND settled_at IS NULL)",
    )
    .bind(origin)
    .bind(WAITING_MAX)
    .execute(tx)
    .await?;
    Ok(())
}

impl StoredCheckpoint {
    fn of_row(row: &AnyRow) -> Result<Self, DbError> {
        Ok(Self {
            size: row.count("size")?,
            note: row.try_get("note")?,
            made_at: row.instant("made_at")?,
            settled_at: row.opt_instant("settled_at")?,
        })
    }
}
