//! Asking the policy, and what becomes of a refusal: an audit event, then a problem.

use rovuma_policy::{Act as PolicyAct, Context, Denial, Permit, Resource};
use rovuma_runtime::Problem;
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::FutureExt;
use rovuma_trail::Act;

use super::error::ApiError;
use crate::{app::App, caller::Caller};

/// The proof that `caller` may do `act` on `resource`.
///
/// # Errors
/// 403 with the policy's code, and an audit event. What belongs to another agency is 404, as if it did
/// not exist, and an audit event all the same.
pub(super) async fn permit<A: PolicyAct>(
    app: &App,
    caller: &Caller,
    act: A,
    resource: &Resource,
) -> Result<Permit<A>, ApiError> {
    match app.policy.decide(caller.actor(), act, resource, &Context::NONE).permitted() {
        Ok(permit) => Ok(permit),
        Err(denial) => Err(refuse(app, caller, &denial, resource).await?.into()),
    }
}

/// Like [`permit`], about the caller's own agency.
///
/// # Errors
/// 403 with the policy's code, and an audit event.
pub(super) async fn permit_own<A: PolicyAct>(
    app: &App,
    caller: &Caller,
    act: A,
) -> Result<Permit<A>, ApiError> {
    permit(app, caller, act, &Resource::agency(caller.actor().agency())).await
}

/// What nobody may do to their own account, whatever the policy says: the agency would lose its last
/// administrator, or a stolen token would become a password.
///
/// # Errors
/// 403 `own_account`, and an audit event.
pub(super) async fn forbid_own(
    app: &App,
    caller: &Caller,
    asked: &'static str,
    resource: &Resource,
) -> Result<(), ApiError> {
    if resource.id() != caller.actor().subject() {
        return Ok(());
    }
    record(app, caller, asked, "own_account", resource).await?;
    Err(Problem::forbidden("own_account").detail("Another administrator does this to your account.").into())
}

async fn refuse(
    app: &App,
    caller: &Caller,
    denial: &Denial,
    resource: &Resource,
) -> Result<Problem, ApiError> {
    if let Some(fault) = denial.fault_detail() {
        tracing::error!(action = %denial.action(), fault, "the policies could not answer");
    }
    let foreign = resource.owner() != caller.actor().agency();
    let reason = if foreign { "other_agency" } else { denial.code().as_str() };
    record(app, caller, denial.action().as_str(), reason, resource).await?;
    Ok(if foreign {
        Problem::not_found()
    } else {
        Problem::forbidden(denial.code().as_str()).detail(denial.code().sentence())
    })
}

async fn record(
    app: &App,
    caller: &Caller,
    asked: &'static str,
    reason: &'static str,
    resource: &Resource,
) -> Result<(), ApiError> {
    metrics::counter!("rovuma_refusals_total", "reason" => reason).increment(1);
    let kind = resource.kind().as_str().to_ascii_lowercase();
    let act = by(caller, AuditAction::AccessRefuse, app.now())
        .object(kind, resource.id())
        .refused(reason)
        .detail("asked", asked);
    let trail = app.trail.clone();
    app.write(move |tx| async move { trail.record(tx, &act).await.map(|_| ()) }.boxed()).await?;
    Ok(())
}

/// An audit event of something that the caller does.
pub(super) fn by(caller: &Caller, action: AuditAction, now: Timestamp) -> Act {
    let actor = caller.actor();
    let act = Act::new(now, actor.subject(), action).agency(actor.agency());
    match actor.session() {
        Some(session) => act.session(session),
        None => act,
    }
}
