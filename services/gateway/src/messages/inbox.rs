//! The inbox: what an agency has received, the latest first.

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::Conn;
use serde::Serialize;

use super::received::{self, Disposition, Received};
use crate::error::DbError;

/// Which messages are wanted; what is absent is not asked about.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Wanted {
    pub(crate) message_type: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) sender: Option<AgencyCode>,
    pub(crate) disposition: Option<Disposition>,
    pub(crate) unread: bool,
    pub(crate) created_from: Option<Timestamp>,
    pub(crate) created_until: Option<Timestamp>,
}

/// A page of the messages received by the permit's agency, with one row more than wanted.
///
/// The order is that of arrival: an old message that arrives late after a cut stands at the top, where it
/// is seen.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::MessageListInbox>,
    wanted: &Wanted,
    window: &Window<[u8; 8]>,
) -> Result<Vec<([u8; 8], Received)>, DbError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        received::columns!(),
        " FROM received
         WHERE recipient = $1 AND seq < $2
           AND ($3 = '' OR message_type = $3) AND ($4 = '' OR category = $4)
           AND ($5 = '' OR status = $5) AND ($6 = '' OR sender = $6)
           AND ($7 = '' OR disposition = $7) AND ($8 = 0 OR read_at IS NULL)
           AND created_at >= $9 AND created_at < $10
         ORDER BY seq DESC LIMIT $11"
    ))
    .bind(permit.resource().owner().as_str())
    .bind(window.after.map_or(i64::MAX, i64::from_be_bytes))
    .bind(wanted.message_type.as_deref().unwrap_or(""))
    .bind(wanted.category.as_deref().unwrap_or(""))
    .bind(wanted.status.as_deref().unwrap_or(""))
    .bind(wanted.sender.as_ref().map_or("", AgencyCode::as_str))
    .bind(wanted.disposition.map_or("", Disposition::as_str))
    .bind(i64::from(wanted.unread))
    .bind(wanted.created_from.map_or(i64::MIN, Timestamp::as_micros))
    .bind(wanted.created_until.map_or(i64::MAX, Timestamp::as_micros))
    .bind(window.fetch())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| received::read(row).map(|found| (found.seq.to_be_bytes(), found))).collect()
}
