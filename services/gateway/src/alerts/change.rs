//! What an author does to their draft before anybody else sees it.

use rovuma_api::entity_tag::IfMatch;
use rovuma_policy::{Act, Permit, act};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{content::Content, draft::Draft, review, state::Step};
use crate::{gateway::Gateway, http::error::ApiError};

/// Puts other content in the place of the draft's.
///
/// # Errors
/// 412 when the draft is at another version, 409 in a state that does not allow it, the store's failure.
pub(crate) async fn change(
    tx: &mut Conn,
    gateway: &Gateway,
    permit: &Permit<act::AlertChange>,
    seen: IfMatch,
    content: Content,
    now: Timestamp,
) -> Result<Draft, ApiError> {
    let draft = review::present(tx, permit, seen).await?;
    let state = review::step(&draft, Step::Change)?;
    let draft = draft.with_content(content).moved(state, now);
    draft.save(tx, gateway).await?;
    review::record(tx, gateway, permit.actor(), AuditAction::AlertChange, &draft, now).await?;
    Ok(draft)
}

/// Hands the draft to a supervisor.
///
/// # Errors
/// 412 when the draft is at another version, 409 in a state that does not allow it, the store's failure.
pub(crate) async fn submit(
    tx: &mut Conn,
    gateway: &Gateway,
    permit: &Permit<act::AlertSubmit>,
    seen: IfMatch,
    now: Timestamp,
) -> Result<Draft, ApiError> {
    let draft = review::present(tx, permit, seen).await?;
    let state = review::step(&draft, Step::Submit)?;
    let mut draft = draft.moved(state, now);
    draft.submitted_at = Some(now);
    draft.decided_by = None;
    draft.decided_at = None;
    draft.return_reason = None;
    draft.save(tx, gateway).await?;
    review::record(tx, gateway, permit.actor(), AuditAction::AlertSubmit, &draft, now).await?;
    Ok(draft)
}

/// Throws the draft away. The row stays, so that its id is never another's.
///
/// # Errors
/// 412 when the draft is at another version, 409 in a state that does not allow it, the store's failure.
pub(crate) async fn discard(
    tx: &mut Conn,
    gateway: &Gateway,
    permit: &Permit<act::AlertDiscard>,
    seen: IfMatch,
    now: Timestamp,
) -> Result<Draft, ApiError> {
    let draft = review::present(tx, permit, seen).await?;
    let state = review::step(&draft, Step::Discard)?;
    let draft = decided(draft.moved(state, now), permit, now);
    draft.save(tx, gateway).await?;
    review::record(tx, gateway, permit.actor(), AuditAction::AlertDiscard, &draft, now).await?;
    Ok(draft)
}

/// The draft with who decided on it, and when.
pub(super) fn decided<A: Act>(mut draft: Draft, permit: &Permit<A>, now: Timestamp) -> Draft {
    draft.decided_by = Some(permit.actor().subject().to_owned());
    draft.decided_at = Some(now);
    draft
}
