//! Creates drafts.

use rovuma_policy::{Permit, Resource, act};
use rovuma_schemas::{MessageId, Timestamp, audit::AuditAction};
use rovuma_store::Conn;
use sqlx::Row;

use super::{Drafts, Refusal, content::Content, draft::Draft, duplicates, state::DraftState};
use crate::error::DbError;

/// Maximum drafts of one author that are neither released nor discarded. Nobody has as many in work at a time, and a program
/// that creates drafts without end then fills 125 MB of the store at most.
const OPEN_DRAFTS_MAX: i64 = 500;

impl Drafts {
    /// Refuses another draft of an author who has the maximum of open drafts. The count is taken outside the transaction, so
    /// concurrent requests may exceed the maximum by their own number: it protects the store's space, not a right.
    pub(crate) async fn check_open_drafts(&self, permit: &Permit<act::DraftCreate>) -> Result<(), Refusal> {
        let row = sqlx::query(
            "SELECT COUNT(*) FROM draft
             WHERE agency = $1 AND author = $2 AND state IN ('draft', 'pending_release', 'returned')",
        )
        .bind(permit.resource().owner().as_str())
        .bind(permit.actor().subject())
        .fetch_one(self.exchange.base.store.read())
        .await?;
        if row.try_get::<i64, _>(0).map_err(DbError::from)? >= OPEN_DRAFTS_MAX {
            return Err(Refusal::TooManyDrafts { max: OPEN_DRAFTS_MAX });
        }
        Ok(())
    }

    /// Stores a new draft of the permit's agency and records its audit event.
    pub(crate) async fn create(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftCreate>,
        content: Content,
        now: Timestamp,
    ) -> Result<Draft, Refusal> {
        let identifiers = content.compared().to_vec();
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
            return Err(Refusal::Internal("a permit for another draft"));
        }
        draft.insert(tx, &self.exchange.base, &self.new);
        duplicates::keep(tx, &draft, &identifiers).await?;
        self.record(tx, permit.actor(), AuditAction::DraftCreate, &draft, now).await?;
        Ok(draft)
    }
}
