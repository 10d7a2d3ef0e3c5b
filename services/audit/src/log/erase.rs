//! Erasing what events say beyond their leaves.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use super::{PayloadKey, payload::CASE, to_db};
use crate::error::DbError;

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Erased {
    /// Entries whose payload is gone now.
    pub(crate) entries: u64,
    /// Entries of the same scope that are others' and stay.
    pub(crate) remaining: u64,
}

impl std::ops::Add for Erased {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { entries: self.entries + other.entries, remaining: self.remaining + other.remaining }
    }
}

/// An order to erase.
#[derive(Clone, Debug)]
pub(crate) struct Order<'a> {
    /// Whose events; with none, everybody's.
    pub(crate) agency: Option<&'a AgencyCode>,
    /// On which legal basis.
    pub(crate) legal_basis: &'a str,
    /// The entry that will say that it was done.
    pub(crate) entry_index: u64,
    /// When.
    pub(crate) at: Timestamp,
}

/// Erases the payloads of a scope (`message/0199c5a1-…`, `user/u-5f2c`); of a case, those of its messages too. With the last of
/// a scope's goes what its key was made with. None: there is nothing under that name.
pub(crate) async fn erase(
    tx: &mut Conn,
    scope: &str,
    payload_key: &PayloadKey,
    order: &Order<'_>,
) -> Result<Option<Erased>, DbError> {
    let Some(reference) = scope.strip_prefix(CASE).and_then(|rest| rest.strip_prefix('/')) else {
        return one(tx, scope, order).await;
    };
    let mut erased = one(tx, &payload_key.case_scope(reference), order).await?;
    for message in messages_of(tx, &payload_key.case(reference), order.agency).await? {
        let also = one(tx, &format!("message/{message}"), order).await?;
        erased = match (erased, also) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
    }
    Ok(erased)
}

/// The messages of a case; for one agency, of a case that it named itself: what others send has references of theirs, which may
/// read the same.
async fn messages_of(
    tx: &mut Conn,
    case_key: &[u8],
    agency: Option<&AgencyCode>,
) -> Result<Vec<String>, DbError> {
    let text = "SELECT DISTINCT message_id FROM entry_search
        WHERE case_key = $1 AND message_id IS NOT NULL
          AND ($2 IS NULL OR (agency = $2 AND action NOT IN ('message.receive', 'message.reject')))";
    let query = sqlx::query(text).bind(case_key).bind(agency.map(AgencyCode::as_str));
    let rows = query.fetch_all(tx).await?;
    Ok(rows.iter().map(|row| row.try_get("message_id")).collect::<Result<_, _>>()?)
}

/// Erases the payloads of one scope.
async fn one(tx: &mut Conn, scope: &str, order: &Order<'_>) -> Result<Option<Erased>, DbError> {
    let known = sqlx::query("SELECT scope_id FROM payload_scope WHERE scope = $1")
        .bind(scope)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = known else { return Ok(None) };
    let scope_id: i64 = row.try_get("scope_id")?;
    let entries = sqlx::query(
        "UPDATE payload SET sealed = NULL, erased_by = $3
         WHERE scope_id = $1 AND sealed IS NOT NULL AND ($2 IS NULL OR entry_index IN
           (SELECT s.entry_index FROM entry_search s WHERE s.entry_index = payload.entry_index AND s.agency = $2))",
    )
    .bind(scope_id)
    .bind(order.agency.map(AgencyCode::as_str))
    .bind(to_db(order.entry_index))
    .execute(&mut *tx)
    .await?
    .rows_affected();
    let row =
        sqlx::query("SELECT COUNT(*) AS remaining FROM payload WHERE scope_id = $1 AND sealed IS NOT NULL")
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
    .bind(order.at.as_micros())
    .bind(order.legal_basis)
    .bind(i64::try_from(remaining).unwrap_or(i64::MAX))
    .bind(scope_id)
    .execute(tx)
    .await?;
    Ok(Some(Erased { entries, remaining }))
}
