//! Lists the messages that an agency has sent, the latest release first.

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::Conn;
use serde::{Deserialize, Serialize};
use sqlx::SqlStr;

use super::sent::{self, Sent};
use crate::{
    cases::{self, Narrowed, NarrowedIds},
    error::DbError,
    row_key::{self, KEY},
};

/// A state of a copy, as a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CopyFilter {
    /// Not yet confirmed by the country's broker.
    Waiting,
    /// Confirmed by the broker, without a receipt.
    Queued,
    /// Stored by the recipient's gateway, not yet read.
    Delivered,
    /// Opened by an officer.
    Read,
    /// Refused by the recipient's gateway.
    Rejected,
    /// Expired before it left.
    Void,
}

impl CopyFilter {
    /// Every state.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] =
        [Self::Waiting, Self::Queued, Self::Delivered, Self::Read, Self::Rejected, Self::Void];

    /// The word in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Rejected => "rejected",
            Self::Void => "void",
        }
    }
}

/// The messages to list; an absent field asks for all.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct SentFilter {
    pub(crate) message_type: Option<String>,
    pub(crate) facet: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) recipient: Option<AgencyCode>,
    pub(crate) state: Option<CopyFilter>,
    pub(crate) created_from: Option<Timestamp>,
    pub(crate) created_until: Option<Timestamp>,
    #[serde(serialize_with = "cases::narrowed_in_words")]
    pub(crate) narrowed: Option<Narrowed>,
}

/// A page of the messages sent by the permit's agency, one row each however many countries it went to,
/// with one row more than the window asks for.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::MessageListSent>,
    filter: &SentFilter,
    window: &Window<[u8; KEY]>,
) -> Result<Vec<([u8; KEY], Sent)>, DbError> {
    let (before, before_id) = row_key::before(window.after);
    let agency = permit.resource().owner();
    let narrowed = match &filter.narrowed {
        Some(narrowed) => Some(narrowed.with_ids(conn, agency).await?),
        None => None,
    };
    let is_by_copy = filter.recipient.is_some() || filter.state.is_some();
    let query = sqlx::query(statement(narrowed.as_ref(), is_by_copy))
        .bind(agency.as_str())
        .bind(before)
        .bind(before_id)
        .bind(filter.message_type.as_deref().unwrap_or(""))
        .bind(filter.facet.as_deref().unwrap_or(""))
        .bind(filter.status.as_deref().unwrap_or(""))
        .bind(filter.created_from.map_or(i64::MIN, Timestamp::as_micros))
        .bind(filter.created_until.map_or(i64::MAX, Timestamp::as_micros))
        .bind(window.fetch())
        .bind(filter.recipient.as_ref().map_or("", AgencyCode::as_str))
        .bind(filter.state.map_or("", CopyFilter::as_str));
    let rows = NarrowedIds::bind(narrowed.as_ref(), query).fetch_all(conn).await?;
    rows.iter()
        .map(|row| sent::read(row).map(|found| (row_key::key(found.created_at, &found.id), found)))
        .collect()
}

/// The statement of a page: of all messages, or of those that have a copy with a recipient or in a state.
pub(crate) fn statement(narrowed: Option<&NarrowedIds<'_>>, is_by_copy: bool) -> SqlStr {
    // Of a message's rows, one a country, the first counts. Found by a look-up for each row rather than by DISTINCT, for
    // which PostgreSQL would sort everything that the agency ever sent.
    macro_rules! page {
        ($copy:literal) => {
            cases::narrowed_statement!(
                narrowed,
                (12, 13, 14),
                "sent",
                "agency",
                "id, country",
                "narrowed_id, narrowed_country",
                sent::columns!(),
                concat!(
                    "agency = $1 AND (created_at, id) < ($2, $3)
           AND country = (SELECT MIN(f.country) FROM sent AS f WHERE f.id = sent.id AND f.agency = sent.agency)
           AND ($4 = '' OR message_type = $4) AND ($5 = '' OR facet = $5) AND ($6 = '' OR status = $6)
           AND created_at >= $7 AND created_at < $8",
                    $copy,
                    " ORDER BY created_at DESC, id DESC LIMIT $9"
                )
            )
        };
    }
    if !is_by_copy {
        return page!("");
    }
    // The copies are the outbox's: a filter over a page cannot be answered without them. Their state counts and not
    // their times, as in the rows: a copy may be void though it was delivered, when its recipient has lost it since. A look-up
    // for each message, which EXISTS would not be: PostgreSQL may then first read all copies of all messages.
    page!(
        " AND 1 = (SELECT 1 FROM outbox_copy AS copy
             WHERE copy.message = sent.id AND copy.sender = sent.agency
               AND ($10 = '' OR copy.recipient = $10)
               AND ($11 = '' OR $11 = CASE copy.state
                   WHEN 0 THEN 'waiting' WHEN 1 THEN 'queued' WHEN 3 THEN 'rejected' WHEN 4 THEN 'void'
                   ELSE CASE WHEN copy.read_at IS NULL THEN 'delivered' ELSE 'read' END END) LIMIT 1)"
    )
}
