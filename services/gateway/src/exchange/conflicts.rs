//! Messages that conflict with an earlier one: two under one id, or two under one number. Each is the sender's own signature under
//! a contradiction, and kept whole as evidence.

use rovuma_schemas::{Digest, Timestamp, audit::AuditPosition};
use rovuma_store::{Conn, RowExt};

use super::open::VerifiedMessage;
use crate::{alarm::AlarmKind, cases::CasePlace, error::DbError};

/// A conflicting message that came before.
pub(crate) struct KnownConflict {
    /// When it first came.
    pub(crate) first_at: Timestamp,
    /// When it was last answered.
    pub(crate) answered_at: Timestamp,
    /// The audit event that recorded it.
    pub(crate) audit: AuditPosition,
}

/// The conflicting message with these bytes, if it came before. `source` names our audit chain.
pub(crate) async fn find(
    tx: &mut Conn,
    source: &str,
    message: &VerifiedMessage,
) -> Result<Option<KnownConflict>, DbError> {
    let row = sqlx::query(
        "SELECT first_at, answered_at, audit_epoch, audit_sequence FROM conflict
         WHERE recipient = $1 AND digest = $2",
    )
    .bind(message.recipient().agency.as_str())
    .bind(digest_bytes(message.digest()))
    .fetch_optional(tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (epoch, sequence) = (row.store_id("audit_epoch")?, row.count("audit_sequence")?);
    Ok(Some(KnownConflict {
        first_at: row.instant("first_at")?,
        answered_at: row.instant("answered_at")?,
        audit: AuditPosition { source: source.to_owned(), epoch, sequence },
    }))
}

/// Keeps a conflicting message, which is recorded by `audit` and answered now.
pub(crate) async fn insert(
    tx: &mut Conn,
    message: &VerifiedMessage,
    kind: AlarmKind,
    audit: &AuditPosition,
    now: Timestamp,
) -> Result<(), DbError> {
    let case = CasePlace::of_header(message.header()).case;
    sqlx::query(
        "INSERT INTO conflict
             (recipient, digest, sender, id, kind, jws, audit_epoch, audit_sequence, first_at, answered_at, case_kind,
              case_owner, case_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12)",
    )
    .bind(message.recipient().agency.as_str())
    .bind(digest_bytes(message.digest()))
    .bind(message.sender().as_str())
    .bind(message.header().id.as_bytes().to_vec())
    .bind(kind.as_str())
    .bind(message.jws().to_compact().into_bytes())
    .bind(audit.epoch.as_bytes().to_vec())
    .bind(i64::try_from(audit.sequence).unwrap_or(i64::MAX))
    .bind(now.as_micros())
    .bind(case.as_ref().map(|case| case.kind.as_str()))
    .bind(case.as_ref().map(|case| case.owner.as_str()))
    .bind(case.as_ref().map(|case| case.id.as_bytes().to_vec()))
    .execute(tx)
    .await?;
    Ok(())
}

/// Records that a conflicting message that came again is answered now.
pub(crate) async fn answered(
    tx: &mut Conn,
    message: &VerifiedMessage,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query("UPDATE conflict SET answered_at = $1 WHERE recipient = $2 AND digest = $3")
        .bind(now.as_micros())
        .bind(message.recipient().agency.as_str())
        .bind(digest_bytes(message.digest()))
        .execute(tx)
        .await?;
    Ok(())
}

fn digest_bytes(digest: Digest) -> Vec<u8> {
    digest.as_bytes().to_vec()
}
