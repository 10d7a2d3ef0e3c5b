//! Heads that were made known: written down before anybody hears of them.

use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, FutureExt, RowExt, Store, WriteError};
use rovuma_tlog::UnverifiedCheckpoint;
use sqlx::{Row, any::AnyRow};

use crate::{
    error::DbError,
    failure::{Step, point},
    log::{Tree, to_db},
};

/// Heads of a log that wait for cosignatures at most: an answer that comes late still makes one of them good.
const WAITING_MAX: i64 = 16;

/// A head that was made known.
#[derive(Clone, Debug)]
pub(crate) struct MadeHead {
    /// How many leaves it has.
    pub(crate) size: u64,
    /// The note, with the cosignatures that have come.
    pub(crate) note: Vec<u8>,
    /// When it was made.
    pub(crate) made_at: Timestamp,
    /// When it became good by the policy.
    pub(crate) settled_at: Option<Timestamp>,
}

/// The heads of our logs.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    store: Store,
}

impl Heads {
    pub(crate) fn of(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// The heads of a log, the newest first.
    pub(crate) async fn list(&self, origin: &str) -> Result<Vec<MadeHead>, DbError> {
        let rows = sqlx::query(
            "SELECT size, note, made_at, settled_at FROM checkpoint WHERE origin = $1 ORDER BY size DESC",
        )
        .bind(origin)
        .fetch_all(self.store.read())
        .await?;
        rows.iter().map(MadeHead::of_row).collect()
    }

    /// The last head of a log that is good by the policy.
    pub(crate) async fn settled(&self, origin: &str) -> Result<Option<MadeHead>, DbError> {
        Ok(self.list(origin).await?.into_iter().find(|head| head.settled_at.is_some()))
    }

    /// Writes down the head that the log has signed last, with what `finish` adds to it: the service's own cosignature.
    pub(crate) async fn make(
        &self,
        origin: &str,
        finish: impl FnOnce(&[u8]) -> Result<Vec<u8>, DbError> + Send + 'static,
        now: Timestamp,
    ) -> Result<Option<MadeHead>, WriteError<DbError>> {
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
                forget_old(tx, &origin).await?;
                point(Step::HeadMade);
                Ok(Some(MadeHead { size, note, made_at: now, settled_at: None }))
            }
            .boxed()
        });
        write.await
    }

    /// Changes the note of a head, in one transaction with reading it: `add` gives the new note, and whether it is good by the
    /// policy then.
    pub(crate) async fn cosign(
        &self,
        origin: &str,
        size: u64,
        add: impl FnOnce(&UnverifiedCheckpoint) -> Option<(Vec<u8>, bool)> + Send + 'static,
        now: Timestamp,
    ) -> Result<Option<MadeHead>, WriteError<DbError>> {
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
                let Some(mut head) = row.as_ref().map(MadeHead::of_row).transpose()? else { return Ok(None) };
                let read = UnverifiedCheckpoint::read(&head.note);
                let read = read.map_err(|fault| DbError::damaged("checkpoint", fault))?;
                let Some((note, settles)) = add(&read) else { return Ok(None) };
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
                forget_old(tx, &origin).await?;
                Ok(Some(head))
            }
            .boxed()
        });
        write.await
    }
}

/// What is older than the last good head is of no more use, and neither are most of many that wait; the one that has waited
/// longest says since when.
async fn forget_old(tx: &mut Conn, origin: &str) -> Result<(), DbError> {
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

impl MadeHead {
    fn of_row(row: &AnyRow) -> Result<Self, DbError> {
        Ok(Self {
            size: row.count("size")?,
            note: row.try_get("note")?,
            made_at: row.instant("made_at")?,
            settled_at: row.opt_instant("settled_at")?,
        })
    }
}
