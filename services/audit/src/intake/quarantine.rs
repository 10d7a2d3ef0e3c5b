//! The quarantine: deliveries that are no verified batch, kept sealed as they came.

use rovuma_broker::Delivery;
use rovuma_envelope::digest;
use rovuma_schemas::audit::AuditAction;
use rovuma_store::Conn;
use rovuma_trail::AuditRecord;
use sqlx::Row;

use super::open::QuarantineReason;
use crate::{error::DbError, log::Appender, own};

/// Maximum size of all kept bodies together, so that nobody fills the disk that the log needs. Beyond it only
/// digest, reason and count are kept.
const QUARANTINE_MAX_BYTES: i64 = 64 * 1024 * 1024;

/// Keeps a delivery once for each body and reason; counts later copies.
pub(super) async fn insert(
    tx: &mut Conn,
    appender: &mut Appender,
    delivery: &Delivery,
    reason: &QuarantineReason,
) -> Result<(), DbError> {
    let code = reason.code();
    metrics::counter!("rovuma_audit_quarantined_total", "reason" => code).increment(1);
    let now = appender.now();
    let digest = digest(&delivery.body);
    let counted = sqlx::query(
        "UPDATE quarantine SET times = times + 1, last_at = $1 WHERE digest = $2 AND reason = $3",
    )
    .bind(now.as_micros())
    .bind(digest.as_bytes().as_slice())
    .bind(code)
    .execute(&mut *tx)
    .await?;
    if counted.rows_affected() > 0 {
        return Ok(());
    }
    tracing::error!(reason = code, %digest, routing_key = delivery.routing_key, "an audit delivery {reason}");
    let kept = has_room_for(tx, delivery.body.len()).await?.then(|| delivery.body.clone());
    sqlx::query(
        "INSERT INTO quarantine (digest, reason, routing_key, size_bytes, first_at, last_at, times, body) \
         VALUES ($1, $2, $3, $4, $5, $5, 1, $6)",
    )
    .bind(digest.as_bytes().as_slice())
    .bind(code)
    .bind(delivery.routing_key.as_str())
    .bind(i64::try_from(delivery.body.len()).unwrap_or(i64::MAX))
    .bind(now.as_micros())
    .bind(kept)
    .execute(&mut *tx)
    .await?;
    let event = AuditRecord::new(appender.now(), &appender.own().source, AuditAction::AuditQuarantine)
        .object("delivery", digest.to_string())
        .refused(code);
    own::record(tx, appender, event).await
}

async fn has_room_for(tx: &mut Conn, size: usize) -> Result<bool, DbError> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS kept FROM quarantine WHERE body IS NOT NULL",
    )
    .fetch_one(tx)
    .await?;
    let kept: i64 = row.try_get("kept")?;
    Ok(kept.saturating_add(i64::try_from(size).unwrap_or(i64::MAX)) <= QUARANTINE_MAX_BYTES)
}
