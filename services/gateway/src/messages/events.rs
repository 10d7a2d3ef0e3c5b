//! Domain events, read in order.

use rovuma_policy::{Permit, act};

use crate::{
    base::Base,
    error::DbError,
    events::feed::{self, RecordedEvent},
};

/// The events of the permit's agency after number `after`, at most `limit` of them.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn after(
    base: &Base,
    permit: &Permit<act::EventsRead>,
    after: i64,
    limit: u32,
) -> Result<Vec<RecordedEvent>, DbError> {
    base.feed.count_read();
    let rows = sqlx::query(concat!(
        "SELECT ",
        feed::columns!(),
        " FROM domain_event WHERE agency = $1 AND seq > $2 ORDER BY seq LIMIT $3"
    ))
    .bind(permit.resource().owner().as_str())
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(base.store.read())
    .await?;
    rows.iter().map(RecordedEvent::read).collect()
}
