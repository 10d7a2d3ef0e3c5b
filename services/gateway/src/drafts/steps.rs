//! The steps between the states of a draft, except the release, and the checks and records that all steps share.

use rovuma_policy::{Act, Actor, Permit, act};
use rovuma_schemas::{Line, Timestamp, audit::AuditAction};
use rovuma_store::Conn;
use rovuma_trail::AuditRecord;

use super::{
    Drafts, Refusal,
    content::Content,
    draft::{self, Draft},
    duplicates,
    state::Step,
};
use crate::{audit, error::DbError};

/// The version of a draft that the caller has seen, when the request names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeenVersion(pub(crate) Option<i64>);

impl SeenVersion {
    /// Refuses when the draft has changed since the caller saw it.
    pub(super) fn check(self, present: i64) -> Result<(), Refusal> {
        match self.0 {
            Some(seen) if seen != present => Err(Refusal::Version { present, seen }),
            _ => Ok(()),
        }
    }

    /// Refuses when the request names no version.
    pub(crate) fn must_be_named(self) -> Result<(), Refusal> {
        self.0.map(|_| ()).ok_or(Refusal::VersionNotNamed)
    }
}

impl Drafts {
    /// Makes the checks of a submission that take time, outside the transaction. Returns the version that it checked, which
    /// is the one to submit, and its content.
    pub(crate) fn review_submission(
        &self,
        draft: &Draft,
        seen: SeenVersion,
        now: Timestamp,
    ) -> Result<(SeenVersion, Content), Refusal> {
        seen.check(draft.version)?;
        draft.state.after(Step::Submit)?;
        let content = self.check(&draft.agency, &draft.content, now)?;
        content.valid()?;
        Ok((SeenVersion(Some(draft.version)), content))
    }

    /// Hands the draft to a supervisor: the version that [`review_submission`](Self::review_submission) checked.
    pub(crate) async fn submit(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftSubmit>,
        seen: SeenVersion,
        now: Timestamp,
    ) -> Result<Draft, Refusal> {
        let draft = load_permitted(tx, permit, seen).await?;
        let state = draft.state.after(Step::Submit)?;
        let mut draft = draft.moved(state, now);
        draft.submitted_at = Some(now);
        draft.decided_by = None;
        draft.decided_at = None;
        draft.return_reason = None;
        draft.save(tx, &self.exchange.base).await?;
        self.record(tx, permit.actor(), AuditAction::DraftSubmit, &draft, now).await?;
        Ok(draft)
    }

    /// Hands the draft back to its author, with the reason.
    pub(crate) async fn hand_back(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftReturn>,
        seen: SeenVersion,
        reason: &Line,
        now: Timestamp,
    ) -> Result<Draft, Refusal> {
        let draft = load_permitted(tx, permit, seen).await?;
        let state = draft.state.after(Step::Return)?;
        let mut draft = draft.moved(state, now).decided(permit.actor().subject(), now);
        draft.return_reason = Some(reason.as_str().to_owned());
        draft.save(tx, &self.exchange.base).await?;
        self.record(tx, permit.actor(), AuditAction::DraftReturn, &draft, now).await?;
        Ok(draft)
    }

    /// Discards the draft and empties its content. The row stays, so that no other draft can get its id.
    pub(crate) async fn discard(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftDiscard>,
        seen: SeenVersion,
        now: Timestamp,
    ) -> Result<Draft, Refusal> {
        let draft = load_permitted(tx, permit, seen).await?;
        let state = draft.state.after(Step::Discard)?;
        let mut draft = draft.moved(state, now).decided(permit.actor().subject(), now);
        draft.content.clear();
        draft.save(tx, &self.exchange.base).await?;
        duplicates::forget(tx, draft.id).await?;
        self.record(tx, permit.actor(), AuditAction::DraftDiscard, &draft, now).await?;
        Ok(draft)
    }

    /// Records the audit event of a step.
    pub(super) async fn record(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        action: AuditAction,
        draft: &Draft,
        now: Timestamp,
    ) -> Result<(), DbError> {
        self.exchange.base.trail.record(tx, &step_record(actor, action, draft, now)).await?;
        Ok(())
    }

    /// Records the audit event of a release with these details.
    pub(super) async fn record_release(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        draft: &Draft,
        details: &[(&'static str, String)],
        now: Timestamp,
    ) -> Result<(), DbError> {
        let record = step_record(actor, AuditAction::DraftRelease, draft, now);
        let record = details.iter().fold(record, |record, (name, value)| record.detail(*name, value));
        self.exchange.base.trail.record(tx, &record).await?;
        Ok(())
    }
}

/// The audit event of a step, with the draft's id, version and codes, never its content.
fn step_record(actor: &Actor, action: AuditAction, draft: &Draft, now: Timestamp) -> AuditRecord {
    let mut record = audit::by(actor, action, now)
        .object("draft", draft.id)
        .detail("type", draft.message_type)
        .detail("version", draft.version)
        .detail("state", draft.state)
        .reference(draft.reference.as_deref());
    if let Some(facet) = &draft.facet {
        record = record.detail("facet", facet);
    }
    if let Some(status) = draft.status {
        record = record.detail("status", status.as_str());
    }
    record
}

/// Loads the draft that the permit is for in this transaction, and checks the version that the caller has seen.
pub(super) async fn load_permitted<A: Act>(
    tx: &mut Conn,
    permit: &Permit<A>,
    seen: SeenVersion,
) -> Result<Draft, Refusal> {
    let id = permit.resource().id().parse().map_err(DbError::from)?;
    // Author or type may have changed since the permit was given: then it does not hold for this draft.
    let draft = draft::load(tx, &id).await?.filter(|draft| draft.resource() == *permit.resource());
    let draft = draft.ok_or(Refusal::NotFound { id })?;
    seen.check(draft.version)?;
    Ok(draft)
}
