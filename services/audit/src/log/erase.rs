//! Erases the payloads of events; their leaves stay.

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use super::{PayloadKey, payload::REFERENCE, to_db};
use crate::error::DbError;

/// How many entries an order erased, and how many it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErasedCounts {
    /// Entries whose payload this order erased.
    pub(crate) entries: u64,
    /// Entries of the same scope whose payload stays, because they belong to other agencies.
    pub(crate) remaining: u64,
}

impl std::ops::Add for ErasedCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { entries: self.entries + other.entries, remaining: self.remaining + other.remaining }
    }
}

/// An order to erase.
#[derive(Clone, Debug)]
pub(crate) struct ErasureOrder<'a> {
    /// The agency whose events are erased; `None`: those of all agencies.
    pub(crate) agency: Option<&'a AgencyCode>,
    /// The legal basis.
    pub(crate) legal_basis: &'a str,
    /// The index of the entry that will record the erasure.
    pub(crate) entry_index: u64,
    /// The time of the erasure.
    pub(crate) at: Timestamp,
}

/// Erases the payloads of a scope (`message/0199c5a1-…`, `user/u-5f2c`); for a reference, also those of its messages. With the last
/// payload of a scope it also erases the salt of the scope's key. `None`: there is no such scope.
pub(crate) async fn erase(
    tx: &mut Conn,
    scope: &str,
    payload_key: &PayloadKey,
    order: &ErasureOrder<'_>,
) -> Result<Option<ErasedCounts>, DbError> {
    let Some(reference) = scope.strip_prefix(REFERENCE).and_then(|rest| rest.strip_prefix('/')) else {
        return erase_scope(tx, scope, order).await;
    };
    let mut erased = erase_scope(tx, &payload_key.reference_scope(reference), order).await?;
    for message in messages_of(tx, &payload_key.lookup_key(reference), order.agency).await? {
        let also = erase_scope(tx, &format!("message/{message}"), order).await?;
        erased = match (erased, also) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
    }
    Ok(erased)
}

/// The messages of a reference. For one agency, only those that it gave the reference itself: messages that others sent carry their own
/// references, which may be equal by chance.
async fn messages_of(
    tx: &mut Conn,
    reference_key: &[u8],
    agency: Option<&AgencyCode>,
) -> Result<Vec<String>, DbError> {
    let text = "SELECT DISTINCT message_id FROM entry_search
        WHERE reference_key = $1 AND message_id IS NOT NULL
          AND ($2 IS NULL OR (agency = $2 AND action NOT IN ('message.receive', 'message.reject')))";
    let query = sqlx::query(text).bind(reference_key).bind(agency.map(AgencyCode::as_str));
    let rows = query.fetch_all(tx).await?;
    Ok(rows.iter().map(|row| row.try_get("message_id")).collect::<Result<_, _>>()?)
}

/// Erases the payloads of one scope.
async fn erase_scope(
    tx: &mut Conn,
    scope: &str,
    order: &ErasureOrder<'_>,
) -> Result<Option<ErasedCounts>, DbError> {
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
        return Ok(Some(ErasedCounts { entries, remaining }));
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
    Ok(Some(ErasedCounts { entries, remaining }))
}
