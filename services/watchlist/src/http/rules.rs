//! `/v1/rules`: what follows from a match, changed by two people.

use std::sync::{Arc, PoisonError};

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller, act_by,
    answers::watchlist::Rules as RulesView,
    openapi::NotFound,
    request::{Body, Path},
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    error::DbError,
    reason,
    rules::{self, Approval},
    screening::RuleCode,
    watchlist::Watchlist,
};

/// Shows every rule with its version in force, and what is proposed.
#[utoipa::path(
    get, path = "/v1/rules", operation_id = "list_rules", tag = "rules",
    responses((status = 200, description = "The rules.", body = RulesView), Refusals)
)]
pub(crate) async fn list(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
) -> Result<Json<RulesView>, ApiError> {
    watchlist.permit_own(&caller, act::WatchlistRead).await?;
    shown(&watchlist).await
}

/// A change of a rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleChange {
    /// Whether what the rule finds is forwarded without a person. Never of `review`.
    forwards: bool,
    /// Why: a code or file reference of at most 64 letters, digits and `. _ - /`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._/-]{1,64}$")]
    reason: String,
}

/// Proposes another version of a rule, in the place of a proposal that nobody has approved. It changes nothing until another person
/// approves.
#[utoipa::path(
    post, path = "/v1/rules/{code}", operation_id = "propose_rule", tag = "rules",
    params(("code" = String, Path, description = "`document_exact`, `vehicle_exact` or `object_exact`.")),
    request_body = RuleChange,
    responses(
        (status = 200, description = "Proposed.", body = RulesView),
        (status = 422, description = "`body_faulty`.", body = Problem, content_type = "application/problem+json"),
        NotFound,
        Refusals
    )
)]
pub(crate) async fn propose(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(code): Path<String>,
    Body(change): Body<RuleChange>,
) -> Result<Json<RulesView>, ApiError> {
    watchlist.permit_own(&caller, act::RuleChange).await?;
    let code = rule(&watchlist, &code)?;
    reason::check("/reason", &change.reason)?;
    let now = watchlist.now();
    let act = act_by(caller.actor(), AuditAction::RuleChange, now)
        .object("rule", code.as_str())
        .detail("forwards", change.forwards)
        .detail("reason", &change.reason)
        .detail("step", "proposed");
    let (trail, by) = (watchlist.trail.clone(), caller.subject().to_owned());
    let write = watchlist.store.write(move |tx| {
        async move {
            let version = rules::propose(tx, code, change.forwards, (&by, &change.reason), now).await?;
            trail.record(tx, &act.detail("version", version)).await?;
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await?;
    shown(&watchlist).await
}

/// The approval of a proposal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleApproval {
    /// The version that the approver has read.
    #[schema(minimum = 2)]
    version: u32,
}

/// Approves the proposal of another person: it is in force at once.
#[utoipa::path(
    post, path = "/v1/rules/{code}/approval", operation_id = "approve_rule", tag = "rules",
    params(("code" = String, Path, description = "The rule.")),
    request_body = RuleApproval,
    responses(
        (status = 200, description = "In force.", body = RulesView),
        (status = 409, description = "`nothing_proposed`: no proposal has this version.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`body_faulty`.", body = Problem, content_type = "application/problem+json"),
        NotFound,
        Refusals
    )
)]
pub(crate) async fn approve(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(code): Path<String>,
    Body(approval): Body<RuleApproval>,
) -> Result<Json<RulesView>, ApiError> {
    let permit = watchlist.permit_own(&caller, act::RuleChange).await?;
    let code = rule(&watchlist, &code)?;
    let (now, by, wanted) = (watchlist.now(), caller.subject().to_owned(), approval.version);
    let act = act_by(caller.actor(), AuditAction::RuleChange, now)
        .object("rule", code.as_str())
        .detail("version", wanted)
        .detail("step", "approved");
    let trail = watchlist.trail.clone();
    // The rules in memory follow the store in the store's own order.
    let turn = watchlist.changing.lock().await;
    let write = watchlist.store.write(move |tx| {
        async move {
            let outcome = rules::approve(tx, code, wanted, &by, now).await?;
            if outcome == Approval::Approved {
                trail.record(tx, &act).await?;
            }
            Ok::<_, DbError>((outcome, rules::in_force(tx).await?))
        }
        .boxed()
    });
    let (outcome, in_force) = write.await?;
    match outcome {
        Approval::Approved => {
            *watchlist.rules.write().unwrap_or_else(PoisonError::into_inner) = in_force;
            drop(turn);
            shown(&watchlist).await
        }
        Approval::NothingProposed => Err(Problem::conflict("nothing_proposed")
            .detail("No proposal has this version: read the rules again.")
            .into()),
        Approval::OwnProposal => {
            let sentence = "Another person approves what you propose.";
            watchlist.refuse(&caller, "rule.change", permit.resource(), "second_person", sentence).await
        }
    }
}

/// The rule with this code: `review` is none that anybody changes.
fn rule(watchlist: &Watchlist, code: &str) -> Result<RuleCode, ApiError> {
    let known = RuleCode::from_word(code).filter(|code| *code != RuleCode::Review);
    Ok(known.ok_or_else(|| watchlist.no_such("rule", code))?)
}

async fn shown(watchlist: &Watchlist) -> Result<Json<RulesView>, ApiError> {
    let mut conn = watchlist.store.read().acquire().await?;
    Ok(Json(RulesView { items: rules::rows(&mut conn).await? }))
}
