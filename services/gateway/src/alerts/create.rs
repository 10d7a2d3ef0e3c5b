//! A new draft.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{MessageId, Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{content::Content, draft::Draft, review, state::DraftState};
use crate::{error::DbError, gateway::Gateway};

/// Keeps a new draft of the caller's agency and records it.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn create(
    tx: &mut Conn,
    gateway: &Gateway,
    permit: &Permit<act::AlertCreate>,
    content: Content,
    now: Timestamp,
) -> Result<Draft, DbError> {
    let draft = Draft {
        id: MessageId::draw(now),
        agency: permit.resource().owner().clone(),
        author: permit.actor().subject().to_owned(),
        state: DraftState::Draft,
        version: 1,
        category: String::new(),
        status: String::new(),
        second_person: None,
        content: Vec::new(),
        created_at: now,
        changed_at: now,
        submitted_at: None,
        decided_by: None,
        decided_at: None,
        return_reason: None,
    }
    .with_content(content);
    draft.insert(tx, gateway);
    review::record(tx, gateway, permit.actor(), AuditAction::AlertCreate, &draft, now).await?;
    Ok(draft)
}
