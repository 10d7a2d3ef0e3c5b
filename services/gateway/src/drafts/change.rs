//! Changes the content of a draft.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{
    Drafts, Refusal, SeenVersion, content::Content, draft::Draft, duplicates, state::Step,
    steps::load_permitted,
};

impl Drafts {
    /// Replaces the draft's content by other content, which may have faults. A draft keeps its type, because the permit was
    /// given for that type.
    pub(crate) async fn change(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftChange>,
        seen: SeenVersion,
        content: Content,
        now: Timestamp,
    ) -> Result<Draft, Refusal> {
        let draft = load_permitted(tx, permit, seen).await?;
        if content.checked().message_type() != draft.message_type {
            return Err(Refusal::OtherType { present: draft.message_type });
        }
        let state = draft.state.after(Step::Change)?;
        let identifiers = content.compared().to_vec();
        let draft = draft.with_content(content).moved(state, now);
        draft.save(tx, &self.exchange.base).await?;
        duplicates::forget(tx, draft.id).await?;
        duplicates::keep(tx, &draft, &identifiers).await?;
        self.record(tx, permit.actor(), AuditAction::DraftChange, &draft, now).await?;
        Ok(draft)
    }
}
