//! Asking the policy, and what becomes of a refusal: an audit event, then a problem.

use std::fmt::Display;

use axum::http::StatusCode;
use rovuma_policy::{Act, Context, Denial, Permit, Resource};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::{AuditAction, AuditObject};
use rovuma_store::FutureExt;
use rovuma_trail::Act as Recorded;

use super::{caller::Caller, error::ApiError};
use crate::{audit, gateway::Gateway};

/// The proof that `caller` may do `act` on `resource`.
///
/// # Errors
/// 403 with the policy's code, and an audit event. What belongs to another agency is 404, as if it did not
/// exist, and an audit event all the same.
pub(crate) async fn permit<A: Act>(
    gateway: &Gateway,
    caller: &Caller,
    act: A,
    resource: &Resource,
    context: &Context,
) -> Result<Permit<A>, ApiError> {
    let decision = gateway.policy.decide(caller.actor(), act, resource, context);
    let denial = match decision.permitted() {
        Ok(permit) => return Ok(permit),
        Err(denial) => denial,
    };
    if let Some(fault) = denial.fault_detail() {
        tracing::error!(action = %denial.action(), fault, "the policies could not answer");
    }
    refuse(gateway, caller, &denial, resource).await?;
    Err(problem(caller, &denial, resource).into())
}

/// Like [`permit`], about the caller's own agency as the owner of its lists.
///
/// # Errors
/// 403 with the policy's code, and an audit event.
pub(crate) async fn permit_own<A: Act>(
    gateway: &Gateway,
    caller: &Caller,
    act: A,
) -> Result<Permit<A>, ApiError> {
    permit(gateway, caller, act, &Resource::agency(caller.agency()), &Context::NONE).await
}

fn problem(caller: &Caller, denial: &Denial, resource: &Resource) -> Problem {
    if resource.owner() == caller.agency() {
        Problem::forbidden(denial.code().as_str()).detail(denial.code().sentence())
    } else {
        Problem::not_found()
    }
}

async fn refuse(
    gateway: &Gateway,
    caller: &Caller,
    denial: &Denial,
    resource: &Resource,
) -> Result<(), ApiError> {
    let object = AuditObject::new(kind(resource), resource.id());
    let reason = if resource.owner() == caller.agency() { denial.code().as_str() } else { "other_agency" };
    record_refusal(gateway, caller, denial.action().as_str(), object, reason).await
}

/// The kind of a resource in the audit log.
fn kind(resource: &Resource) -> String {
    resource.kind().as_str().to_ascii_lowercase()
}

/// 404 for something that the caller's agency does not have. When another agency of this gateway has it,
/// that is an attempt to cross, and audited as one.
pub(crate) async fn missing(
    gateway: &Gateway,
    caller: &Caller,
    action: impl Display,
    object: AuditObject,
    is_anothers: bool,
) -> ApiError {
    if is_anothers
        && let Err(fault) = record_refusal(gateway, caller, &action.to_string(), object, "other_agency").await
    {
        return fault;
    }
    Problem::not_found().into()
}

/// A token for an agency that this gateway does not serve.
pub(super) async fn refuse_agency<T>(gateway: &Gateway, caller: &Caller) -> Result<T, ApiError> {
    let object = AuditObject::new("agency", caller.agency().as_str());
    record_refusal(gateway, caller, "authenticate", object, "agency_not_served").await?;
    let problem = Problem::new(StatusCode::FORBIDDEN, "agency_not_served")
        .detail(format!("This gateway does not serve {}.", caller.agency()));
    Err(problem.into())
}

async fn record_refusal(
    gateway: &Gateway,
    caller: &Caller,
    asked: &str,
    object: AuditObject,
    reason: &'static str,
) -> Result<(), ApiError> {
    metrics::counter!("rovuma_refusals_total", "reason" => reason).increment(1);
    let act = audit::by(caller.actor(), AuditAction::AccessRefuse, gateway.now())
        .object(object.kind, object.id)
        .refused(reason)
        .detail("asked", asked);
    record(gateway, act).await
}

/// Writes an audit event in a transaction of its own, for what changes nothing else. It is on disk when
/// this returns: nothing is handed out that was not logged.
///
/// # Errors
/// The store's failure.
pub(crate) async fn record(gateway: &Gateway, act: Recorded) -> Result<(), ApiError> {
    let trail = gateway.trail.clone();
    gateway.store.write(move |tx| async move { trail.record(tx, &act).await }.boxed()).await?;
    Ok(())
}
