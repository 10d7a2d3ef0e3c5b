//! Erasing what events say beyond their leaves.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use crate::error::DbError;

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Erased {
    /// Entries whose payload is gone now.
    pub(crate) entries: u64,
    /// Entries of the same scope that are others' and stay.
    pub(crate) remaining: u64,
}

/// Erases the payloads of a scope (`message/0199c5a1-…`, `user/u-5f2c`): those of one agency's events, or with none those of
/// all. With the last of them goes what their key was made with. None: there is nothing under that name.
pub(crate) async fn erase(
    tx: &mut Conn,
    scope: &str,
    agency: Option<&AgencyCode>,
    legal_basis: &str,
    now: Timestamp,
) -> Result<Option<Erased>, DbError> {
    let known = sqlx::query("SELECT scope_id FROM payload_scope WHERE scope = $1")
        .bind(scope)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = known else { return Ok(None) };
    let scope_id: i64 = row.try_get("scope_id")?;
    let entries = sqlx::query(
        "DELETE FROM payload WHERE scope_id = $1 AND ($2 IS NULL OR entry_index IN
           (SELECT s.entry_index FROM entry_search s WHERE s.entry_index = payload.entry_index AND s.agency = $2))",
    )
    .bind(scope_id)
    .bind(agency.map(AgencyCode::as_str))
    .execute(&mut *tx)
    .await?
    .rows_affected();
    let row = sqlx::query("SELECT COUNT(*) AS remaining FROM payload WHERE scope_id = $1")
        .bind(scope_id)
        .fetch_one(&mut *tx)
        .await?;
    let remaining = row.count("remaining")?;
    if entries == 0 {
        return Ok(Some(Erased { entries, remaining }));
    }
    sqlx::query(
        "UPDATE payload_scope SET erased_at = $1, legal_basis = $2,
           key_salt = CASE WHEN $3 = 0 THEN NULL ELSE key_salt END WHERE scope_id = $4",
    )
    .bind(now.as_micros())
    .bind(legal_basis)
    .bind(i64::try_from(remaining).unwrap_or(i64::MAX))
    .bind(scope_id)
    .execute(tx)
    .await?;
    Ok(Some(Erased { entries, remaining }))
}
