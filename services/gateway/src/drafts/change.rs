//! Other content for a draft.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{Drafts, Fault, Seen, content::Content, draft::Draft, state::Step, steps::present};

impl Drafts {
    /// Puts other content, which may have faults, in the place of the draft's. A draft keeps its type: who may write
    /// another type is another question.
    pub(crate) async fn change(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftChange>,
        seen: Seen,
        content: Content,
        now: Timestamp,
    ) -> Result<Draft, Fault> {
        let draft = present(tx, permit, seen).await?;
        if content.checked().message_type() != draft.message_type {
            return Err(Fault::OtherType { present: draft.message_type });
        }
        let state = draft.state.after(Step::Change)?;
        let draft = draft.with_content(content).moved(state, now);
        draft.save(tx, &self.exchange.base).await?;
        self.record(tx, permit.actor(), AuditAction::DraftChange, &draft, now).await?;
        Ok(draft)
    }
}
