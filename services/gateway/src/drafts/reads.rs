//! Records who has read a submitted draft. A second person releases only the version that they have read themselves.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{MessageId, Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{Drafts, draft::Draft, state::DraftState};
use crate::{audit, error::DbError};

impl Drafts {
    /// Records that the permit's actor reads this version of the draft, before it is shown: the audit event, and the row that a
    /// release by a second person needs. Only reads of a submitted draft by others than its author have that row, because no
    /// other read can lead to such a release.
    pub(crate) async fn record_read(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftRead>,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<(), DbError> {
        let reader = permit.actor();
        let event = audit::by(reader, AuditAction::DraftRead, now)
            .object("draft", draft.id)
            .detail("version", draft.version);
        self.exchange.base.trail.record(tx, &event).await?;
        if draft.state == DraftState::PendingRelease && reader.subject() != draft.author {
            sqlx::query(
                "INSERT INTO draft_read (draft, version, reader, read_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (draft, version, reader) DO NOTHING",
            )
            .bind(draft.id.as_bytes().to_vec())
            .bind(draft.version)
            .bind(reader.subject())
            .bind(now.as_micros())
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}

/// Whether `reader` has read this version of the draft.
pub(super) async fn has_read<'e>(
    executor: impl sqlx::Executor<'e, Database = sqlx::Any>,
    draft: &Draft,
    reader: &str,
) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT 1 FROM draft_read WHERE draft = $1 AND version = $2 AND reader = $3")
        .bind(draft.id.as_bytes().to_vec())
        .bind(draft.version)
        .bind(reader)
        .fetch_optional(executor)
        .await?;
    Ok(row.is_some())
}

/// Deletes the reads of the draft's former versions, which no release can rest on any more. The audit log keeps them.
pub(super) async fn forget_reads(tx: &mut Conn, draft: &MessageId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM draft_read WHERE draft = $1")
        .bind(draft.as_bytes().to_vec())
        .execute(tx)
        .await?;
    Ok(())
}
