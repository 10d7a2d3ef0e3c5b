//! Creates drafts.

use rovuma_policy::{Permit, Resource, act};
use rovuma_schemas::{MessageId, Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{Drafts, Fault, content::Content, draft::Draft, state::DraftState};

impl Drafts {
    /// Stores a new draft of the permit's agency and records its audit event.
    pub(crate) async fn create(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftCreate>,
        content: Content,
        now: Timestamp,
    ) -> Result<Draft, Fault> {
        let draft = Draft {
            id: MessageId::draw(now),
            agency: permit.resource().owner().clone(),
            author: permit.actor().subject().to_owned(),
            state: DraftState::Draft,
            version: 1,
            message_type: content.checked().message_type(),
            facet: None,
            status: None,
            reference: None,
            second_person: None,
            faults: 0,
            content: Vec::new(),
            created_at: now,
            changed_at: now,
            submitted_at: None,
            decided_by: None,
            decided_at: None,
            return_reason: None,
        }
        .with_content(content);
        // A permit for one type must not serve for a draft of another.
        if *permit.resource() != Resource::new_draft(&draft.agency, &draft.author, draft.message_type) {
            return Err(Fault::Internal("a permit for another draft"));
        }
        draft.insert(tx, &self.exchange.base, &self.new);
        self.record(tx, permit.actor(), AuditAction::DraftCreate, &draft, now).await?;
        Ok(draft)
    }
}
