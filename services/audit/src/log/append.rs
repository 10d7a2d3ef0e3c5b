//! Appending: the only way into the log.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Binding, Conn, Insert};
use sqlx::Row;

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
    pub(crate) async fn begin(tx: &mut Conn, now: Timestamp) -> Result<Self, DbError> {
        let row = sqlx::query("SELECT COALESCE(MAX(entry_index) + 1, 0) FROM entry").fetch_one(tx).await?;
        Ok(Self { next_index: row.try_get(0)?, now })
    }

    /// When this write happens.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Appends the events that continue `lineage`, which the caller has checked, and saves afterwards.
    pub(crate) async fn append(
        &mut self,
        tx: &mut Conn,
        lineage: &mut Lineage,
        events: &[LogEvent],
    ) -> Result<(), DbError> {
        let Some(last) = events.last() else { return Ok(()) };
        let indexed: Vec<(i64, &LogEvent)> = (self.next_index..).zip(events).collect();
        let (lineage_id, now) = (lineage.id, self.now.as_micros());
        let entries = ENTRIES.rows(tx, &indexed, |query, (index, event)| {
            query
                .bind(*index)
                .bind(lineage_id)
                .bind(to_db(event.sequence()))
                .bind(event.digest().as_bytes().to_vec())
                .bind(event.bytes().as_bytes())
                .bind(now)
        });
        entries.await?;
        SEARCH.rows(tx, &indexed, |query, (index, event)| searched_by(query, *index, event)).await?;
        self.next_index += i64::try_from(events.len()).unwrap_or(i64::MAX);
        lineage.head = Head { sequence: last.sequence(), digest: last.digest() };
        Ok(())
    }
}

const ENTRIES: Insert = Insert {
    into: "INSERT INTO entry (entry_index, lineage_id, sequence, digest, event, stored_at)",
    columns: 6,
    then: "",
};

const SEARCH: Insert = Insert {
    into: "INSERT INTO entry_search
             (entry_index, at, actor, agency, action, object_kind, object_id, message_id, outcome)",
    columns: 9,
    then: "",
};

/// What auditors search by.
fn searched_by<'q>(query: Binding<'q>, entry_index: i64, event: &'q LogEvent) -> Binding<'q> {
    let said = event.event();
    let object = said.object.as_ref();
    query
        .bind(entry_index)
        .bind(said.time.as_micros())
        .bind(said.actor.as_str())
        .bind(said.agency.as_ref().map(AgencyCode::as_str))
        .bind(said.action.as_str())
        .bind(object.map(|object| object.kind.as_str()))
        .bind(object.map(|object| object.id.as_str()))
        .bind(event.message_id())
        .bind(said.outcome.as_str())
}
