//! The cases whose content is to be erased.

use std::time::Duration;

use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{
    cases::{kept::CaseKey, project::NEVER},
    error::DbError,
};

/// A case that changed so short a time ago is left for the next run: the rows of a message that is being sent are inserted at the
/// end of its transaction, and none of them may be missed.
pub(crate) const QUIET_FOR: Duration = Duration::from_secs(60);

/// A case whose content is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueCase {
    /// The case in the view of one of our agencies.
    pub(crate) key: CaseKey,
    /// `actual`, `exercise` or `test`; empty where no message has said so.
    pub(crate) status: String,
    /// The state in which its content is erased: `withdrawn`, `expired`.
    pub(crate) ground: String,
    /// The end of the last day on which its data may be kept.
    pub(crate) retain_until: Option<Timestamp>,
}

/// The columns of a [`DueCase`]. `$1` is the present time.
macro_rules! columns {
    () => {
        "f.agency, f.owner, f.case_id, f.kind, f.status, f.retain_until,
         CASE WHEN f.until_at > $1 THEN f.state WHEN f.until_2 > $1 THEN f.state_2 ELSE f.state_3 END AS ground"
    };
}

/// A live hold of the case; none where there is no row. `$1` is the present time.
macro_rules! live_hold {
    () => {
        "(SELECT 1 FROM case_hold AS h WHERE h.agency = f.agency AND h.owner = f.owner AND h.case_id = f.case_id
            AND h.kind = f.kind AND h.until_at > $1 LIMIT 1)"
    };
}

/// A copy of ours in the case that may still have to leave, so that its bytes are needed. A look-up for each message, which EXISTS
/// would not be: PostgreSQL may then first read all copies of all messages.
macro_rules! unsettled_copy {
    () => {
        "(SELECT 1 FROM sent AS s CROSS JOIN outbox_copy AS c
          WHERE s.agency = f.agency AND s.case_id = f.case_id AND s.case_owner = f.owner AND s.case_kind = f.kind
            AND c.message = s.id AND c.sender = s.agency AND (c.state IN (0, 1) OR c.again_at IS NOT NULL) LIMIT 1)"
    };
}
pub(super) use {live_hold, unsettled_copy};

/// `$2` is the time before which it must have changed last.
macro_rules! is_due {
    () => {
        concat!(
            "f.erased_at IS NULL AND f.erase_at <= $1 AND f.changed_at <= $2 AND ",
            live_hold!(),
            " IS NULL AND ",
            unsettled_copy!(),
            " IS NULL"
        )
    };
}

/// The statement of [`due`].
pub(crate) const DUE: &str =
    concat!("SELECT ", columns!(), " FROM case_file AS f WHERE ", is_due!(), " ORDER BY f.erase_at LIMIT $3");

/// The statement of [`still_due`].
pub(crate) const STILL_DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM case_file AS f WHERE f.agency = $3 AND f.owner = $4 AND f.case_id = $5 AND f.kind = $6 AND ",
    is_due!()
);

/// The cases of all our agencies that are to be erased at `now`, those that have been due for longest first, at most `limit`.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn due(conn: &mut Conn, now: Timestamp, limit: u32) -> Result<Vec<DueCase>, DbError> {
    let query =
        sqlx::query(DUE).bind(now.as_micros()).bind(now.minus(QUIET_FOR).as_micros()).bind(i64::from(limit));
    query.fetch_all(conn).await?.iter().map(read).collect()
}

/// The case, if it is to be erased at `now`.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(super) async fn still_due(
    conn: &mut Conn,
    key: &CaseKey,
    now: Timestamp,
) -> Result<Option<DueCase>, DbError> {
    let query = sqlx::query(STILL_DUE).bind(now.as_micros()).bind(now.minus(QUIET_FOR).as_micros());
    key.bind(query).fetch_optional(conn).await?.as_ref().map(read).transpose()
}

fn read(row: &AnyRow) -> Result<DueCase, DbError> {
    let retain_until: i64 = row.try_get("retain_until")?;
    let retain_until = (retain_until != NEVER).then(|| row.instant("retain_until")).transpose()?;
    Ok(DueCase {
        key: CaseKey::read(row.parsed("agency")?, row)?,
        status: row.try_get("status")?,
        ground: row.try_get("ground")?,
        retain_until,
    })
}
