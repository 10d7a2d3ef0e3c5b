//! Moves the states of cases on that have changed by time alone. Every view computes them right without this; it keeps those few that
//! lists must compute, and tells those who follow events.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, FutureExt, RowExt, WriteError};

use crate::{base::Base, cases::project::NEVER, error::DbError, events::EventKind};

/// Maximum cases moved on in one transaction, so that other writers get their turn.
const PAGE: i64 = 64;

/// Moves each case of a page to its next state: what it will be afterwards moves up.
pub(crate) const MOVE_ON: &str = "
    UPDATE case_file SET state = state_2, ball = ball_2, until_at = until_2, state_2 = state_3, ball_2 = ball_3, until_2 = $4
    WHERE agency = $1 AND until_at <= $2 AND (owner, case_id, kind) IN (
        SELECT f.owner, f.case_id, f.kind FROM case_file AS f WHERE f.agency = $1 AND f.until_at <= $2 LIMIT $3)
    RETURNING case_id, messages";

/// Moves on the cases of `agency`, and returns how many steps that were.
///
/// # Errors
/// [`WriteError`] when the store does not write; what was moved on before stays.
pub(super) async fn move_on(
    base: &Base,
    agency: &AgencyCode,
    now: Timestamp,
) -> Result<u64, WriteError<DbError>> {
    let mut moved = 0;
    loop {
        let (shared, of) = (base.clone(), agency.clone());
        let page = base.store.write(move |tx| async move { page(tx, &shared, &of, now).await }.boxed());
        let page = page.await?;
        moved += page;
        if page < PAGE.unsigned_abs() {
            return Ok(moved);
        }
    }
}

async fn page(tx: &mut Conn, base: &Base, agency: &AgencyCode, now: Timestamp) -> Result<u64, DbError> {
    let rows = sqlx::query(MOVE_ON)
        .bind(agency.as_str())
        .bind(now.as_micros())
        .bind(PAGE)
        .bind(NEVER)
        .fetch_all(&mut *tx)
        .await?;
    for row in &rows {
        let version = i64::try_from(row.count("messages")?).unwrap_or(i64::MAX);
        let id = row.message_id("case_id")?;
        base.events.record(tx, agency, EventKind::CaseChanged, Some(&id), version, now);
    }
    Ok(rows.len() as u64)
}
