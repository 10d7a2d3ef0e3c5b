//! Appending: the only way into the log.

use rovuma_schemas::Timestamp;
use sqlx::{AnyConnection, Row};

use super::{Head, Lineage, LogEvent, to_db};
use crate::error::DbError;

/// Gives out entry indices within one write. The store has one writer, so nobody else does meanwhile.
#[derive(Debug)]
pub(crate) struct Appender {
    next_index: i64,
    now: Timestamp,
}

impl Appender {
    /// Begins at the end of the log.
    pub(crate) async fn begin(tx: &mut AnyConnection, now: Timestamp) -> Result<Self, DbError> {
        let row = sqlx::query("SELECT COALESCE(MAX(entry_index) + 1, 0) FROM entry").fetch_one(tx).await?;
        Ok(Self { next_index: row.try_get(0)?, now })
    }

    /// When this write happens.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Appends the event that continues `lineage`, which the caller has checked, and saves afterwards.
    pub(crate) async fn append(
        &mut self,
        tx: &mut AnyConnection,
        lineage: &mut Lineage,
        event: &LogEvent,
    ) -> Result<(), DbError> {
        sqlx::query(
            "INSERT INTO entry (entry_index, lineage_id, sequence, digest, event, stored_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.next_index)
        .bind(lineage.id)
        .bind(to_db(event.sequence()))
        .bind(event.digest().as_bytes().as_slice())
        .bind(event.bytes().as_bytes())
        .bind(self.now.as_micros())
        .execute(&mut *tx)
        .await?;
        index(tx, self.next_index, event).await?;
        self.next_index += 1;
        lineage.head = Head { sequence: event.sequence(), digest: event.digest() };
        Ok(())
    }
}

/// Adds what auditors search by.
async fn index(tx: &mut AnyConnection, entry_index: i64, event: &LogEvent) -> Result<(), DbError> {
    let said = event.event();
    let object = said.object.as_ref();
    sqlx::query(
        "INSERT INTO entry_search \
         (entry_index, at, actor, agency, action, object_kind, object_id, message_id, outcome) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(entry_index)
    .bind(said.time.as_micros())
    .bind(said.actor.as_str())
    .bind(said.agency.as_ref().map(|agency| agency.as_str().to_owned()))
    .bind(said.action.as_str())
    .bind(object.map(|object| object.kind.clone()))
    .bind(object.map(|object| object.id.clone()))
    .bind(event.message_id().map(str::to_owned))
    .bind(said.outcome.as_str())
    .execute(tx)
    .await?;
    Ok(())
}
