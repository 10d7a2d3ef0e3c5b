//! Domain events, read in order.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{MessageId, Timestamp};
use rovuma_store::{Readers, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::error::DbError;

/// Something that happened to the agency's messages or drafts. It holds no content.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// The event's number at this gateway: it rises, with gaps where other agencies' events lie.
    pub(crate) seq: i64,
    /// The kind of event: `message.received`, `receipt.delivered`, `draft.changed`…
    pub(crate) event: String,
    /// The message or draft that the event is about.
    pub(crate) object: Option<MessageId>,
    /// The object's version.
    pub(crate) version: i64,
    /// The instant of the event.
    pub(crate) at: Timestamp,
}

/// The events of the permit's agency after number `after`, at most `limit` of them.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn after(
    pool: &Readers,
    permit: &Permit<act::EventsRead>,
    after: i64,
    limit: u32,
) -> Result<Vec<Event>, DbError> {
    let rows = sqlx::query(
        "SELECT seq, event, object_id, version, at FROM domain_event
         WHERE agency = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(permit.resource().owner().as_str())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    rows.iter().map(read).collect()
}

/// The number of the last event at this gateway.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn last(pool: &Readers) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(seq), 0) AS last FROM domain_event").fetch_one(pool).await?;
    Ok(row.try_get("last")?)
}

fn read(row: &AnyRow) -> Result<Event, DbError> {
    let object: Option<Vec<u8>> = row.try_get("object_id")?;
    Ok(Event {
        seq: row.try_get("seq")?,
        event: row.try_get("event")?,
        object: object.map(|bytes| MessageId::from_slice(&bytes)).transpose()?,
        version: row.try_get("version")?,
        at: row.instant("at")?,
    })
}
