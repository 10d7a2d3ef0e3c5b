//! Asking the policy, and what becomes of a refusal: an event of the log, then a problem.

use rovuma_policy::{Act, Context, Denial, Permit, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{
    AgencyCode,
    audit::{AuditAction, AuditOutcome},
};

use super::{caller::Caller, error::ApiError};
use crate::{auditor::Auditor, own::OwnEvent};

/// The proof that `caller` may do `act` on `resource`.
///
/// # Errors
/// The denial, for the route to turn into its answer, after the refusal was written to the log.
pub(super) async fn permit<A: Act>(
    auditor: &Auditor,
    caller: &Caller,
    act: A,
    resource: &Resource,
) -> Result<Result<Permit<A>, Denial>, ApiError> {
    let decision = auditor.policy.decide(caller.actor(), act, resource, &Context::NONE);
    let denial = match decision.permitted() {
        Ok(permit) => return Ok(Ok(permit)),
        Err(denial) => denial,
    };
    if let Some(fault) = denial.fault_detail() {
        tracing::error!(action = %denial.action(), fault, "the policies could not answer");
    }
    let object = (kind_word(resource), resource.id());
    record_refusal(auditor, caller, denial.action().as_str(), object, denial.code().as_str()).await?;
    Ok(Err(denial))
}

/// The proof that `caller` may search the log of `agency`, or of the own agency where none is named.
///
/// # Errors
/// 403 with the policy's code, after the refusal was written to the log.
pub(super) async fn permit_search(
    auditor: &Auditor,
    caller: &Caller,
    agency: Option<&AgencyCode>,
) -> Result<Permit<act::AuditSearch>, ApiError> {
    let log = Resource::audit_log(agency.unwrap_or(caller.actor().agency()));
    let permit = permit(auditor, caller, act::AuditSearch, &log).await?;
    permit.map_err(|denial| forbidden(&denial).into())
}

/// 403 with the policy's code.
pub(super) fn forbidden(denial: &Denial) -> Problem {
    Problem::forbidden(denial.code().as_str()).detail(denial.code().sentence())
}

/// Writes down that somebody was refused something.
///
/// # Errors
/// [`ApiError`] when the log does not take it.
pub(super) async fn record_refusal(
    auditor: &Auditor,
    caller: &Caller,
    asked: &str,
    (kind, id): (&str, &str),
    reason: &'static str,
) -> Result<(), ApiError> {
    metrics::counter!("rovuma_refusals_total", "reason" => reason).increment(1);
    let event = OwnEvent::by(caller.actor(), AuditAction::AccessRefuse)
        .object(kind, id)
        .outcome(AuditOutcome::Refused, reason)
        .detail("asked", asked);
    Ok(auditor.record(event).await?)
}

/// The kind of a resource as the log calls it.
fn kind_word(resource: &Resource) -> &'static str {
    use rovuma_policy::ResourceKind::{Account, Agency, AuditEvent, AuditLog, Draft, Message};
    match resource.kind() {
        Agency => "agency",
        Draft => "draft",
        Message => "message",
        Account => "account",
        AuditLog => "audit_log",
        AuditEvent => "audit_event",
    }
}
