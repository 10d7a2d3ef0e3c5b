//! What is live already about the same persons or things as a draft, as far as the caller may see it.

use std::collections::BTreeSet;

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
        duplicates::{self, Duplicate, Duplicated, Duplicates, StatedReason},
        release::StatedReasons,
        restricted::RestrictedSource,
    },
    gateway::Gateway,
    http::error::{ApiError, in_language},
};
use rovuma_api::{ApiState as _, Caller};

/// The code of the refusal of a release that has duplicates and states no reason.
const DUPLICATE_LIVE: &str = "duplicate_live";

/// The code of the refusal of a release that would hand on what others sent under a handling code.
const HANDLING_BREACH: &str = "handling_breach";

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

/// The answer to a release that was refused, with the duplicates, or the sources, that the caller may see.
pub(in crate::http) fn refused(gateway: &Gateway, caller: &Caller, refusal: Refusal) -> ApiError {
    let found = match refusal {
        Refusal::Duplicates(found) => found,
        Refusal::HandlingBreach(sources) => return breach(gateway, caller.actor(), &sources),
        other => return in_language(caller.locale())(other),
    };
    Problem::conflict(DUPLICATE_LIVE)
        .detail(
            "Cases that officers act on, or open drafts, are about the same persons or things: `duplicates` lists those that you may \
             see. To release it all the same, say why in `despite_duplicates`: a code or file reference, which is audited.",
        )
        .duplicates(view(gateway, caller.actor(), *found))
        .into()
}

/// The answer to a release that would hand on what others sent under a handling code: whose leave is needed, and about which cases, as
/// far as the caller may read those.
fn breach(gateway: &Gateway, actor: &Actor, sources: &BTreeSet<RestrictedSource>) -> ApiError {
    let may_read = |source: &&RestrictedSource| {
        let resource = Resource::case(&source.case.to_string(), actor.agency());
        gateway.policy.decide(actor, act::CaseRead, &resource, &Context::NONE).is_permit()
    };
    let senders: BTreeSet<&str> = sources.iter().map(|source| source.sender.as_str()).collect();
    let senders: Vec<&str> = senders.into_iter().collect();
    let cases: Vec<String> = sources.iter().filter(may_read).map(|source| source.case.to_string()).collect();
    let named = if cases.is_empty() { String::new() } else { format!(" (case {})", cases.join(", ")) };
    Problem::forbidden(HANDLING_BREACH)
        .detail(format!(
            "The draft is about something that your agency knows from what {} sent under a handling code{named}: it is handed on only \
             with leave. Ask for leave to forward it (permission.ask), or, where your agency knows it from a source of its own, have a \
             second person release it with own_source, a code or file reference, which is audited.",
            senders.join(", ")
        ))
        .into()
}

/// Records that a release was refused for its duplicates or its sources: the caller has learnt that they exist. `object` is what was to
/// be released.
pub(in crate::http) async fn record_refusal(
    gateway: &Gateway,
    caller: &Caller,
    object: AuditObject,
    fault: ApiError,
) -> ApiError {
    let problem = fault.problem();
    let act = audit::by(caller.actor(), AuditAction::DraftRelease, gateway.base.now())
        .object(object.kind, object.id);
    let act = match &problem.duplicates {
        Some(shown) if problem.code == DUPLICATE_LIVE => {
            act.refused(DUPLICATE_LIVE).detail("duplicates", shown.found.len() as u64 + shown.hidden)
        }
        _ if problem.code == HANDLING_BREACH => act.refused(HANDLING_BREACH),
        _ => return fault,
    };
    match gateway.record(act).await {
        Ok(()) => fault,
        Err(failed) => failed,
    }
}

/// Reads the reasons that are stated for a release.
///
/// # Errors
/// 400 with the name of the one that is not a code or reference.
pub(in crate::http) fn stated(
    despite_duplicates: Option<&str>,
    own_source: Option<&str>,
) -> Result<StatedReasons, ApiError> {
    let read = |name: &'static str, stated: Option<&str>| {
        let bad = || {
            let problem = Problem::new(StatusCode::BAD_REQUEST, name).detail(format!(
                "{name} takes a code or file reference: 1 to {} letters, digits and . _ - /",
                StatedReason::MAX
            ));
            ApiError::from(problem)
        };
        stated.map(|text| StatedReason::read(text).ok_or_else(bad)).transpose()
    };
    Ok(StatedReasons {
        despite_duplicates: read("despite_duplicates", despite_duplicates)?,
        own_source: read("own_source", own_source)?,
    })
}
