//! Lists an agency's cases, the newest first, without folding them.

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, CaseId, MessageId, Timestamp};
use rovuma_store::{Conn, RowExt};
use serde::Serialize;
use sqlx::{Row, any::AnyRow};

use super::{kept::CaseKey, project::NEVER, short_reference};
use crate::{
    error::DbError,
    row_key::{self, KEY},
};

/// The cases to list; an absent field asks for all.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct CaseFilter {
    pub(crate) kind: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) ball: Option<String>,
    pub(crate) facet: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) due_until: Option<Timestamp>,
    pub(crate) partner: Option<AgencyCode>,
    /// The beginning of the owner's file number, or a whole short reference.
    pub(crate) reference: Option<String>,
    /// The common mark of cases that belong together.
    pub(crate) group: Option<MessageId>,
}

/// A case as its row in the store has it.
#[derive(Clone, Debug)]
pub(crate) struct CaseRow {
    pub(crate) case: CaseId,
    pub(crate) status: Option<String>,
    pub(crate) facet: Option<String>,
    pub(crate) short_reference: Option<String>,
    pub(crate) state: String,
    pub(crate) ball: String,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) handling: Option<String>,
    pub(crate) version: u64,
    pub(crate) messages: u64,
    pub(crate) missing: u64,
    pub(crate) warnings: u64,
    pub(crate) erased_at: Option<Timestamp>,
    pub(crate) opened_at: Timestamp,
    pub(crate) changed_at: Timestamp,
}

/// The state of the case `f` at the instant `$4`.
macro_rules! state_now {
    () => {
        "CASE WHEN f.until_at > $4 THEN f.state WHEN f.until_2 > $4 THEN f.state_2 ELSE f.state_3 END"
    };
}

pub(crate) use state_now;

macro_rules! ball_now {
    () => {
        "CASE WHEN f.until_at > $4 THEN f.ball WHEN f.until_2 > $4 THEN f.ball_2 ELSE f.ball_3 END"
    };
}

macro_rules! case_columns {
    () => {
        concat!(
            "f.kind, f.owner, f.case_id, f.status, f.facet, f.short_reference, f.due_at, f.handling, f.version, f.messages,
             f.missing, f.warnings, f.erased_at, f.opened_at, f.changed_at, ",
            state_now!(),
            " AS state_now, ",
            ball_now!(),
            " AS ball_now"
        )
    };
}

/// The conditions of every page. Only the one that leads names a column that an index has; the others are written so that no index
/// of theirs tempts the database away from it.
macro_rules! page {
    ($from:literal, $leads:literal, $order:literal) => {
        concat!(
            "SELECT ",
            case_columns!(),
            " FROM ",
            $from,
            " WHERE ",
            $leads,
            " AND ($5 = '' OR f.kind = $5) AND ($6 = '' OR $6 = ",
            state_now!(),
            ") AND ($7 = '' OR $7 = ",
            ball_now!(),
            ") AND ($8 = '' OR (f.facet || '') = $8) AND ($9 = '' OR f.status = $9) AND (f.due_at + 0) <= $10
              AND ($11 = '' OR $11 = (SELECT p.partner FROM case_party AS p WHERE p.agency = f.agency AND p.owner = f.owner
                   AND p.case_id = f.case_id AND p.kind = f.kind AND p.partner = $11))
              AND (f.reference || '') >= $12 AND (f.reference || '') < $13
              AND ($14 = '' OR (f.short_reference || '') = $14) AND ($16 = 0 OR f.group_id = $17) ",
            $order,
            " LIMIT $15"
        )
    };
}

macro_rules! newest {
    ($leads:literal) => {
        page!("case_file AS f", $leads, "ORDER BY f.opened_at DESC, f.case_id DESC")
    };
}

/// A page that a condition on few rows leads: they are sorted, and the index of the order must not tempt the database.
macro_rules! sorted {
    ($leads:literal) => {
        page!("case_file AS f", $leads, "ORDER BY f.opened_at + 0 DESC, f.case_id DESC")
    };
}

/// A page of what has been so since it was stored, and of what has become so by time since.
macro_rules! now_and_since {
    ($leads:literal) => {
        concat!(
            "SELECT * FROM (SELECT * FROM (",
            newest!($leads),
            ") AS stored UNION ALL SELECT * FROM (",
            sorted!("f.agency = $1 AND (f.opened_at + 0, f.case_id) < ($2, $3) AND f.until_at <= $4"),
            ") AS since) AS both_parts ORDER BY opened_at DESC, case_id DESC LIMIT $15"
        )
    };
}

/// Every statement of a page, by the filter that leads.
pub(crate) const ALL: &str = newest!("f.agency = $1 AND (f.opened_at, f.case_id) < ($2, $3)");
pub(crate) const BY_STATE: &str = now_and_since!(
    "f.agency = $1 AND (f.opened_at, f.case_id) < ($2, $3) AND f.state = $6 AND f.until_at + 0 > $4"
);
pub(crate) const BY_BALL: &str = now_and_since!(
    "f.agency = $1 AND (f.opened_at, f.case_id) < ($2, $3) AND f.ball = $7 AND f.ball <> 'nobody' AND f.until_at + 0 > $4"
);
pub(crate) const BY_FACET: &str =
    newest!("f.agency = $1 AND (f.opened_at, f.case_id) < ($2, $3) AND f.facet = $8");
pub(crate) const BY_DUE: &str =
    sorted!("f.agency = $1 AND (f.opened_at + 0, f.case_id) < ($2, $3) AND f.due_at <= $10");
pub(crate) const BY_REFERENCE: &str = sorted!(
    "f.agency = $1 AND (f.opened_at + 0, f.case_id) < ($2, $3) AND f.reference >= $12 AND f.reference < $13"
);
pub(crate) const BY_SHORT_REFERENCE: &str =
    sorted!("f.agency = $1 AND (f.opened_at + 0, f.case_id) < ($2, $3) AND f.short_reference = $14");
pub(crate) const BY_GROUP: &str =
    newest!("f.agency = $1 AND (f.opened_at, f.case_id) < ($2, $3) AND f.group_id = $17");
pub(crate) const BY_PARTNER: &str = page!(
    "case_party AS led CROSS JOIN case_file AS f",
    "led.agency = $1 AND led.partner = $11 AND (led.opened_at, led.case_id) < ($2, $3)
     AND f.agency = led.agency AND f.owner = led.owner AND f.case_id = led.case_id AND f.kind = led.kind",
    "ORDER BY led.opened_at DESC, led.case_id DESC"
);

/// A character after all that a file number may have.
const AFTER_ALL: char = '\u{10ffff}';

/// A page of the cases of the permit's agency at `now`, with one row more than the window asks for.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::CaseList>,
    filter: &CaseFilter,
    window: &Window<[u8; KEY]>,
    now: Timestamp,
) -> Result<Vec<([u8; KEY], CaseRow)>, DbError> {
    let (before, before_id) = row_key::before(window.after);
    let wanted = filter.reference.as_deref();
    let short = wanted.and_then(short_reference::read);
    let reference = wanted.filter(|_| short.is_none()).map(str::to_lowercase).unwrap_or_default();
    let statement = match filter {
        _ if short.is_some() => BY_SHORT_REFERENCE,
        _ if !reference.is_empty() => BY_REFERENCE,
        CaseFilter { group: Some(_), .. } => BY_GROUP,
        CaseFilter { ball: Some(ball), .. } if ball != "nobody" => BY_BALL,
        CaseFilter { due_until: Some(_), .. } => BY_DUE,
        CaseFilter { partner: Some(_), .. } => BY_PARTNER,
        CaseFilter { state: Some(_), .. } => BY_STATE,
        CaseFilter { facet: Some(_), .. } => BY_FACET,
        _ => ALL,
    };
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    let rows = sqlx::query(statement)
        .bind(permit.resource().owner().as_str())
        .bind(before)
        .bind(before_id)
        .bind(now.as_micros())
        .bind(word(&filter.kind))
        .bind(word(&filter.state))
        .bind(word(&filter.ball))
        .bind(word(&filter.facet))
        .bind(word(&filter.status))
        .bind(filter.due_until.map_or(NEVER, Timestamp::as_micros))
        .bind(filter.partner.as_ref().map_or("", AgencyCode::as_str))
        .bind(reference.clone())
        .bind(format!("{reference}{AFTER_ALL}"))
        .bind(short.unwrap_or_default())
        .bind(window.fetch())
        .bind(i64::from(filter.group.is_some()))
        .bind(filter.group.map(|id| id.as_bytes().to_vec()).unwrap_or_default())
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| read(row).map(|found| (row_key::key(found.opened_at, &found.case.id), found)))
        .collect()
}

/// The statement of the requests that were opened in a period.
pub(crate) const OPENED: &str = concat!(
    "SELECT ",
    case_columns!(),
    " FROM case_file AS f WHERE f.agency = $1 AND f.opened_at >= $2 AND f.opened_at < $3 AND (f.kind || '') = $5
      AND (f.status || '') = $6 ORDER BY f.opened_at DESC, f.case_id DESC LIMIT $7"
);

/// The cases of a kind and a status that were opened in a period, the newest first.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn opened(
    conn: &mut Conn,
    agency: &AgencyCode,
    (kind, status): (&str, &str),
    (from, until): (Timestamp, Timestamp),
    (most, now): (i64, Timestamp),
) -> Result<Vec<CaseRow>, DbError> {
    let rows = sqlx::query(OPENED)
        .bind(agency.as_str())
        .bind(from.as_micros())
        .bind(until.as_micros())
        .bind(now.as_micros())
        .bind(kind)
        .bind(status)
        .bind(most)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

/// The statement of one case.
pub(crate) const ONE: &str = concat!(
    "SELECT ",
    case_columns!(),
    " FROM case_file AS f WHERE f.agency = $1 AND f.owner = $2 AND f.case_id = $3 AND f.kind = $5"
);

/// The row of one case at `now`.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn one(conn: &mut Conn, key: &CaseKey, now: Timestamp) -> Result<Option<CaseRow>, DbError> {
    let row = sqlx::query(ONE)
        .bind(key.agency.as_str())
        .bind(key.owner.as_str())
        .bind(key.id.as_bytes().to_vec())
        .bind(now.as_micros())
        .bind(key.kind.as_str())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<CaseRow, DbError> {
    let text = |column: &str| {
        let text: String = row.try_get(column)?;
        Ok::<_, DbError>(Some(text).filter(|text| !text.is_empty()))
    };
    let due: i64 = row.try_get("due_at")?;
    Ok(CaseRow {
        case: CaseId {
            kind: row.try_get("kind")?,
            owner: row.parsed("owner")?,
            id: row.message_id("case_id")?,
        },
        status: text("status")?,
        facet: row.try_get("facet")?,
        short_reference: text("short_reference")?,
        state: row.try_get("state_now")?,
        ball: row.try_get("ball_now")?,
        due_at: if due == NEVER { None } else { Some(row.instant("due_at")?) },
        handling: row.try_get("handling")?,
        version: row.count("version")?,
        messages: row.count("messages")?,
        missing: row.count("missing")?,
        warnings: row.count("warnings")?,
        erased_at: row.opt_instant("erased_at")?,
        opened_at: row.instant("opened_at")?,
        changed_at: row.instant("changed_at")?,
    })
}
