//! Erases the payloads of events; their leaves stay.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::{Conn, RowExt};
use rovuma_tlog::{Hash, leaf_hash};
use sqlx::Row;

use super::{PayloadKey, payload::REFERENCE, to_db};
use crate::error::DbError;

/// What an order erased.
#[derive(Clone, Debug, Default)]
pub(crate) struct Erased {
    /// The entries whose payload this order erased: their indexes, and the hashes of their leaves.
    pub(crate) leaves: BTreeMap<u64, Hash>,
    /// Entries of the same scope whose payload stays, because they belong to other agencies.
    pub(crate) remaining: u64,
}

/// How many entries an order would erase, and how many it would leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ErasableCounts {
    /// Entries whose payload it would erase.
    pub(crate) entries: u64,
    /// Entries of the same scope whose payload would stay, because they belong to other agencies.
    pub(crate) remaining: u64,
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
/// payload of a scope it also erases the salt of the scope's key.
pub(crate) async fn erase(
    tx: &mut Conn,
    scope: &str,
    payload_key: &PayloadKey,
    order: &ErasureOrder<'_>,
) -> Result<Erased, DbError> {
    let mut erased = Erased::default();
    for scope in scopes(tx, scope, payload_key, order.agency).await? {
        erase_scope(tx, &scope, order, &mut erased).await?;
    }
    Ok(erased)
}

/// Counts what an order over this scope by this agency (`None`: by all) would erase.
pub(crate) async fn count_erasable(
    conn: &mut Conn,
    scope: &str,
    payload_key: &PayloadKey,
    agency: Option<&AgencyCode>,
) -> Result<ErasableCounts, DbError> {
    let mut counts = ErasableCounts::default();
    for scope in scopes(conn, scope, payload_key, agency).await? {
        let row = sqlx::query(
            "SELECT COUNT(*) AS present,
                    COALESCE(SUM(CASE WHEN $2 IS NULL OR s.agency = $2 THEN 1 ELSE 0 END), 0) AS own
             FROM payload_scope ps JOIN payload p ON p.scope_id = ps.scope_id
             JOIN entry_search s ON s.entry_index = p.entry_index
             WHERE ps.scope = $1 AND p.sealed IS NOT NULL",
        )
        .bind(scope)
        .bind(agency.map(AgencyCode::as_str))
        .fetch_one(&mut *conn)
        .await?;
        let (present, own) = (row.count("present")?, row.count("own")?);
        counts.entries += own;
        counts.remaining += present.saturating_sub(own);
    }
    Ok(counts)
}

/// The scopes that belong to what an order names: itself, and, of a reference, its messages.
async fn scopes(
    conn: &mut Conn,
    scope: &str,
    payload_key: &PayloadKey,
    agency: Option<&AgencyCode>,
) -> Result<Vec<String>, DbError> {
    let Some(reference) = scope.strip_prefix(REFERENCE).and_then(|rest| rest.strip_prefix('/')) else {
        return Ok(vec![scope.to_owned()]);
    };
    let messages = messages_of(conn, &payload_key.lookup_key(reference), agency).await?;
    let messages = messages.into_iter().map(|message| format!("message/{message}"));
    Ok([payload_key.reference_scope(reference)].into_iter().chain(messages).collect())
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

/// Erases the payloads of one scope, if there is such a scope.
async fn erase_scope(
    tx: &mut Conn,
    scope: &str,
    order: &ErasureOrder<'_>,
    erased: &mut Erased,
) -> Result<(), DbError> {
    let known = sqlx::query("SELECT scope_id FROM payload_scope WHERE scope = $1")
        .bind(scope)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = known else { return Ok(()) };
    let scope_id: i64 = row.try_get("scope_id")?;
    sqlx::query(
        "UPDATE payload SET sealed = NULL, erased_by = $3
         WHERE scope_id = $1 AND sealed IS NOT NULL AND ($2 IS NULL OR entry_index IN
           (SELECT s.entry_index FROM entry_search s WHERE s.entry_index = payload.entry_index AND s.agency = $2))",
    )
    .bind(scope_id)
    .bind(order.agency.map(AgencyCode::as_str))
    .bind(to_db(order.entry_index))
    .execute(&mut *tx)
    .await?;
    let rows = sqlx::query(
        "SELECT e.entry_index, e.leaf FROM payload p JOIN entry e ON e.entry_index = p.entry_index
         WHERE p.scope_id = $1 AND p.erased_by = $2",
    )
    .bind(scope_id)
    .bind(to_db(order.entry_index))
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let leaf: Vec<u8> = row.try_get("leaf")?;
        erased.leaves.insert(row.count("entry_index")?, leaf_hash(&leaf));
    }
    let row =
        sqlx::query("SELECT COUNT(*) AS remaining FROM payload WHERE scope_id = $1 AND sealed IS NOT NULL")
            .bind(scope_id)
            .fetch_one(&mut *tx)
            .await?;
    let remaining = row.count("remaining")?;
    erased.remaining += remaining;
    if rows.is_empty() {
        return Ok(());
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
    Ok(())
}
