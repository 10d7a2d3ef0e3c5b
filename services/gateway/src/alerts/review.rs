//! What all steps share, and the one that hands a draft back.

use axum::http::StatusCode;
use rovuma_api::entity_tag::IfMatch;
use rovuma_policy::{Act, Actor, Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{Line, Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{
    change::decided,
    draft::{self, Draft},
    state::{DraftState, Step},
};
use crate::{audit, error::DbError, gateway::Gateway, http::error::ApiError};

/// Hands the draft back to its author, with the reason.
///
/// # Errors
/// 412 when the draft is at another version, 409 in a state that does not allow it, the store's failure.
pub(crate) async fn hand_back(
    tx: &mut Conn,
    gateway: &Gateway,
    permit: &Permit<act::AlertReturn>,
    seen: IfMatch,
    reason: &Line,
    now: Timestamp,
) -> Result<Draft, ApiError> {
    let draft = present(tx, permit, seen).await?;
    let state = step(&draft, Step::Return)?;
    let mut draft = decided(draft.moved(state, now), permit, now);
    draft.return_reason = Some(reason.as_str().to_owned());
    draft.save(tx, gateway).await?;
    record(tx, gateway, permit.actor(), AuditAction::AlertReturn, &draft, now).await?;
    Ok(draft)
}

/// The draft that the permit is for, as it stands in this transaction.
///
/// # Errors
/// 412 when it is at another version than the caller has seen; 404 when it is gone.
pub(super) async fn present<A: Act>(
    tx: &mut Conn,
    permit: &Permit<A>,
    seen: IfMatch,
) -> Result<Draft, ApiError> {
    let id = permit.resource().id().parse().map_err(DbError::from)?;
    let draft = draft::load(tx, &id).await?.filter(|draft| draft.resource() == *permit.resource());
    let draft = draft.ok_or_else(Problem::not_found)?;
    seen.check("The draft", draft.version)?;
    Ok(draft)
}

/// The state after a step.
///
/// # Errors
/// 409 when the draft's state does not allow it.
pub(super) fn step(draft: &Draft, step: Step) -> Result<DraftState, ApiError> {
    draft.state.after(step).map_err(|fault| {
        Problem::new(StatusCode::CONFLICT, "not_allowed_in_state").detail(format!("{fault}.")).into()
    })
}

/// Writes the audit event of a step: which draft, which version, never what it says.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(super) async fn record(
    tx: &mut Conn,
    gateway: &Gateway,
    actor: &Actor,
    action: AuditAction,
    draft: &Draft,
    now: Timestamp,
) -> Result<(), DbError> {
    let act = audit::by(actor, action, now)
        .object("draft", draft.id)
        .detail("version", draft.version)
        .detail("state", draft.state)
        .detail("category", &draft.category)
        .detail("status", &draft.status)
        .case(draft.case_reference().as_deref());
    gateway.trail.record(tx, &act).await?;
    Ok(())
}
