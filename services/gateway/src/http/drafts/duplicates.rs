//! What is live already about the same persons or things as a draft, as far as the caller may see it.

use axum::http::StatusCode;
use rovuma_policy::{Actor, Context, Resource, act};
use rovuma_runtime::{Problem, ProblemDuplicate, ProblemDuplicates, SameSubject};
use rovuma_schemas::{
    MessageId,
    audit::{AuditAction, AuditObject},
};

use crate::{
    audit,
    drafts::{
        Refusal,
        content::Content,
        duplicates::{self, DespiteDuplicates, Duplicate, Duplicated, Duplicates},
    },
    gateway::Gateway,
    http::error::{ApiError, in_language},
};
use rovuma_api::{ApiState as _, Caller};

/// The code of the refusal of a release that has duplicates and states no reason.
const DUPLICATE_LIVE: &str = "duplicate_live";

/// The duplicates of a draft of the caller's agency, as the caller may see them; `id` is the draft's own.
pub(super) async fn of_content(
    gateway: &Gateway,
    caller: &Caller,
    content: &Content,
    id: MessageId,
) -> Result<ProblemDuplicates, ApiError> {
    let mut conn = gateway.base.store.read().acquire().await?;
    let found = duplicates::find(&mut conn, caller.agency(), content, id, gateway.base.now()).await?;
    drop(conn);
    Ok(view(gateway, caller.actor(), found))
}

/// Those that the policy lets the actor see, and the number of the others.
fn view(gateway: &Gateway, actor: &Actor, duplicates: Duplicates) -> ProblemDuplicates {
    let may_see = |duplicate: &Duplicate| match &duplicate.of {
        Duplicated::Case { case, .. } => {
            let resource = Resource::case(&case.to_string(), actor.agency());
            gateway.policy.decide(actor, act::CaseRead, &resource, &Context::NONE).is_permit()
        }
        Duplicated::Draft { id, author, message_type } => {
            let resource = Resource::draft(&id.to_string(), &duplicate.owner, author, *message_type);
            gateway.policy.decide(actor, act::DraftRead, &resource, &Context::NONE).is_permit()
        }
    };
    let (seen, hidden): (Vec<_>, Vec<_>) = duplicates.found.into_iter().partition(may_see);
    ProblemDuplicates {
        found: seen.into_iter().map(one).collect(),
        hidden: hidden.len() as u64,
        are_more: duplicates.are_more,
    }
}

fn one(duplicate: Duplicate) -> ProblemDuplicate {
    let (case, short_reference, draft) = match duplicate.of {
        Duplicated::Case { case, short_reference } => (Some(case.to_string()), short_reference, None),
        Duplicated::Draft { id, .. } => (None, None, Some(id.to_string())),
    };
    let same = duplicate.same.into_iter().map(|same| SameSubject {
        kind: same.kind.as_str().to_owned(),
        subject: Some(same.subject).filter(|key| !key.is_empty()),
        pointer: same.pointer,
    });
    ProblemDuplicate {
        case,
        short_reference,
        draft,
        owner: duplicate.owner.to_string(),
        state: duplicate.state,
        since: duplicate.since.to_string(),
        same: same.collect(),
    }
}

/// The answer to a release that was refused, with the duplicates that the caller may see.
pub(in crate::http) fn refused(gateway: &Gateway, caller: &Caller, refusal: Refusal) -> ApiError {
    let Refusal::Duplicates(found) = refusal else { return in_language(caller.locale())(refusal) };
    Problem::conflict(DUPLICATE_LIVE)
        .detail(
            "Cases that officers act on, or open drafts, are about the same persons or things: `duplicates` lists those that you may \
             see. To release it all the same, say why in `despite_duplicates`: a code or file reference, which is audited.",
        )
        .duplicates(view(gateway, caller.actor(), *found))
        .into()
}

/// Records that a release was refused for its duplicates: the caller has learnt that they exist. `object` is what was to be released.
pub(in crate::http) async fn record_refusal(
    gateway: &Gateway,
    caller: &Caller,
    object: AuditObject,
    fault: ApiError,
) -> ApiError {
    let problem = fault.problem();
    let Some(shown) = problem.duplicates.as_ref().filter(|_| problem.code == DUPLICATE_LIVE) else {
        return fault;
    };
    let number = shown.found.len() as u64 + shown.hidden;
    let act = audit::by(caller.actor(), AuditAction::DraftRelease, gateway.base.now())
        .object(object.kind, object.id)
        .refused(DUPLICATE_LIVE)
        .detail("duplicates", number);
    match gateway.record(act).await {
        Ok(()) => fault,
        Err(failed) => failed,
    }
}

/// Reads the reason for a release despite duplicates.
///
/// # Errors
/// 400 `despite_duplicates` when it is not a code or reference.
pub(in crate::http) fn despite(stated: Option<&str>) -> Result<Option<DespiteDuplicates>, ApiError> {
    let bad = || {
        Problem::new(StatusCode::BAD_REQUEST, "despite_duplicates").detail(format!(
            "despite_duplicates takes a code or file reference: 1 to {} letters, digits and . _ - /",
            DespiteDuplicates::MAX
        ))
    };
    stated.map(|text| DespiteDuplicates::read(text).ok_or_else(|| bad().into())).transpose()
}
