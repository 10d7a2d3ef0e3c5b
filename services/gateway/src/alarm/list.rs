//! A page of an agency's alarms.

use rovuma_api::page::Window;
use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use super::{Severity, acknowledge::ACKNOWLEDGED};
use crate::error::DbError;

/// The key of a list's row: place, last time and number, 8 bytes each.
pub(crate) type CursorKey = [u8; 24];

/// An alarm as the store holds it.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    /// The number by which it is acknowledged.
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) severity: Severity,
    pub(crate) subject: String,
    /// The agency that caused it, where it is a partner's doing.
    pub(crate) partner: Option<AgencyCode>,
    pub(crate) detail: String,
    pub(crate) times: u64,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
    /// When, by whom and why it was acknowledged, unless it is open.
    pub(crate) acknowledged: Option<(Timestamp, String, String)>,
}

/// The alarms that a page shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AlarmFilter {
    /// Only the open ones, or only the acknowledged ones.
    pub(crate) open: Option<bool>,
    /// Only those of this severity.
    pub(crate) severity: Option<Severity>,
}

/// The columns of an [`Alarm`].
macro_rules! columns {
    () => {
        "seq, kind, subject, partner, place, detail, times, first_at, last_at,
         acknowledged_at, acknowledged_by, acknowledged_reason"
    };
}
pub(super) use columns;

/// The statement of a page: open alarms first, then by severity, the last to sound first.
pub(crate) const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM alarm
      WHERE agency = $1 AND place >= $2 AND (place > $2 OR last_at < $3 OR (last_at = $3 AND seq < $4))
        AND place <= $5 AND ($6 = 0 OR place = $6 OR place = $7)
      ORDER BY place, last_at DESC, seq DESC LIMIT $8"
);

/// A page of the alarms of the permit's agency, with one row more than the window asks for.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn page(
    conn: &mut Conn,
    permit: &Permit<act::StreamsRead>,
    filter: AlarmFilter,
    window: &Window<CursorKey>,
) -> Result<Vec<(CursorKey, Alarm)>, DbError> {
    let first = if filter.open == Some(false) { ACKNOWLEDGED } else { 0 };
    let (place, last_at, seq) = window.after.map_or((first, i64::MAX, i64::MAX), split);
    let rank = filter.severity.map_or(0, Severity::rank);
    let rows = sqlx::query(PAGE)
        .bind(permit.resource().owner().as_str())
        .bind(place)
        .bind(last_at)
        .bind(seq)
        .bind(if filter.open == Some(true) { ACKNOWLEDGED } else { i64::MAX })
        .bind(rank)
        .bind(rank + ACKNOWLEDGED)
        .bind(window.fetch())
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| Ok((key(row)?, read(row)?))).collect()
}

fn key(row: &AnyRow) -> Result<CursorKey, DbError> {
    let mut key = [0; 24];
    for (part, column) in key.chunks_exact_mut(8).zip(["place", "last_at", "seq"]) {
        part.copy_from_slice(&row.try_get::<i64, _>(column)?.to_be_bytes());
    }
    Ok(key)
}

fn split(key: CursorKey) -> (i64, i64, i64) {
    let part = |from: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&key[from..from + 8]);
        i64::from_be_bytes(bytes)
    };
    (part(0), part(8), part(16))
}

pub(super) fn read(row: &AnyRow) -> Result<Alarm, DbError> {
    let place: i64 = row.try_get("place")?;
    let partner: Option<String> = row.try_get("partner")?;
    let acknowledged_at = row.opt_instant("acknowledged_at")?;
    let acknowledged = match acknowledged_at {
        Some(at) => Some((at, row.try_get("acknowledged_by")?, row.try_get("acknowledged_reason")?)),
        None => None,
    };
    Ok(Alarm {
        seq: row.count("seq")?,
        kind: row.try_get("kind")?,
        severity: Severity::from_rank(place % ACKNOWLEDGED)?,
        subject: row.try_get("subject")?,
        partner: partner
            .map(|code| code.parse().map_err(|fault| DbError::damaged("alarm", fault)))
            .transpose()?,
        detail: row.try_get("detail")?,
        times: row.count("times")?,
        first_at: row.instant("first_at")?,
        last_at: row.instant("last_at")?,
        acknowledged,
    })
}
