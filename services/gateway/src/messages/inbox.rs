//! The inbox: what an agency has received, the latest first.

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::Conn;
use serde::Serialize;
use sqlx::SqlStr;

use super::received::{self, Disposition, Received};
use crate::{
    cases::{self, Narrowed, NarrowedIds},
    error::DbError,
};

/// The messages to list; an absent field asks for all.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct InboxFilter {
    pub(crate) message_type: Option<String>,
    pub(crate) facet: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) sender: Option<AgencyCode>,
    pub(crate) disposition: Option<Disposition>,
    pub(crate) unread: bool,
    pub(crate) created_from: Option<Timestamp>,
    pub(crate) created_until: Option<Timestamp>,
    #[serde(serialize_with = "cases::narrowed_in_words")]
    pub(crate) narrowed: Option<Narrowed>,
}

/// A page of the messages received by the permit's agency, with one row more than the window
/// asks for.
///
/// The order is that of arrival: an old message that arrives late after a cut stands at the top, where it
/// is seen.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::MessageListInbox>,
    filter: &InboxFilter,
    window: &Window<[u8; 8]>,
) -> Result<Vec<([u8; 8], Received)>, DbError> {
    let agency = permit.resource().owner();
    let narrowed = match &filter.narrowed {
        Some(narrowed) => Some(narrowed.with_ids(conn, agency).await?),
        None => None,
    };
    let query = sqlx::query(statement(narrowed.as_ref(), filter.unread))
        .bind(agency.as_str())
        .bind(window.after.map_or(i64::MAX, i64::from_be_bytes))
        .bind(filter.message_type.as_deref().unwrap_or(""))
        .bind(filter.facet.as_deref().unwrap_or(""))
        .bind(filter.status.as_deref().unwrap_or(""))
        .bind(filter.sender.as_ref().map_or("", AgencyCode::as_str))
        .bind(filter.disposition.map_or("", Disposition::as_str))
        .bind(filter.created_from.map_or(i64::MIN, Timestamp::as_micros))
        .bind(filter.created_until.map_or(i64::MAX, Timestamp::as_micros))
        .bind(window.fetch());
    let rows = NarrowedIds::bind(narrowed.as_ref(), query).fetch_all(conn).await?;
    rows.iter().map(|row| received::read(row).map(|found| (found.seq.to_be_bytes(), found))).collect()
}

/// The statement of a page: of all messages, or of the unread ones, which have an index of their own.
pub(crate) fn statement(narrowed: Option<&NarrowedIds<'_>>, is_unread: bool) -> SqlStr {
    macro_rules! page {
        ($unread:literal) => {
            cases::narrowed_statement!(
                narrowed,
                (11, 12, 13),
                "received",
                "recipient",
                "seq",
                "narrowed_seq",
                received::columns!(),
                concat!(
                    "recipient = $1 AND seq < $2
           AND ($3 = '' OR message_type = $3) AND ($4 = '' OR facet = $4)
           AND ($5 = '' OR status = $5) AND ($6 = '' OR sender = $6)
           AND ($7 = '' OR disposition = $7) AND created_at >= $8 AND created_at < $9",
                    $unread,
                    " ORDER BY seq DESC LIMIT $10"
                )
            )
        };
    }
    if is_unread { page!(" AND read_at IS NULL") } else { page!("") }
}
