//! `/v1/candidates`: what was found, for the second line: what a person decides, and what was told.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, ApiState as _, Caller, act_by,
    answers::watchlist::Candidate,
    cursors::Cursors,
    openapi::NotFound,
    page::Page,
    request::{Body, Path, Query},
};
use rovuma_policy::{Action, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{
    MessageId,
    audit::{AuditAction, AuditObject},
};
use rovuma_store::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{error::ApiError, openapi::Refusals};
use crate::{
    error::DbError,
    hits::{
        HitState,
        candidates::{self, DecidedHit},
    },
    innocents::{self, NewInnocent},
    notice,
    reason::{self, faulty},
    watchlist::Watchlist,
};

/// The query of `GET /v1/candidates`.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CandidateQuery {
    /// `queued`, `forwarded`, `review`, `confirmed`, `rejected`, `kept` or `refused`; where absent, what the second line looks at: `review`,
    /// `queued`, `refused`, `kept`, and every discreet check.
    #[param(pattern = "^(queued|forwarded|review|confirmed|rejected|kept|refused)$")]
    state: Option<String>,
    /// Rows wanted, 1 to 200; 50 when absent.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    cursor: Option<String>,
}

/// Lists what was found of the agency's alerts, the newest first: discreet checks among them. The search is audited.
#[utoipa::path(
    get, path = "/v1/candidates", operation_id = "list_candidates", tag = "candidates",
    params(CandidateQuery),
    responses((status = 200, description = "A page.", body = Page<Candidate>), Refusals)
)]
pub(crate) async fn list(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Query(query): Query<CandidateQuery>,
) -> Result<Json<Page<Candidate>>, ApiError> {
    watchlist.permit_own(&caller, act::CandidateRead).await?;
    let state = match query.state.as_deref() {
        None => None,
        Some(word) => {
            let known = HitState::ALL.into_iter().find(|state| state.as_str() == word);
            Some(known.ok_or_else(|| Problem::bad_request("query").detail("state is none of the states."))?)
        }
    };
    let cursors = Cursors::<[u8; 16]>::of("candidates", caller.agency().as_str(), &query);
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let before = match window.after {
        Some(key) => Some(MessageId::from_slice(&key).map_err(|_| rovuma_api::cursors::bad_cursor())?),
        None => None,
    };
    let mut conn = watchlist.store.read().acquire().await?;
    let rows =
        candidates::page(&mut conn, &watchlist.at_rest, caller.agency(), state, before, window.fetch())
            .await?;
    drop(conn);
    let page = cursors.page(&window, rows.into_iter().map(|row| (*row.id.as_bytes(), row)).collect());
    let act = act_by(caller.actor(), AuditAction::CandidateSearch, watchlist.now())
        .detail("filter.state", state.map_or("open", HitState::as_str))
        .detail("found", page.items.len());
    watchlist.record(act).await?;
    Ok(Json(page))
}

/// Shows one, with the draft by which a person reports it to the alert's owner. That somebody looked is audited.
#[utoipa::path(
    get, path = "/v1/candidates/{id}", operation_id = "show_candidate", tag = "candidates",
    params(("id" = String, Path, description = "The candidate.")),
    responses((status = 200, description = "The candidate.", body = Candidate), NotFound, Refusals)
)]
pub(crate) async fn show(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<Json<Candidate>, ApiError> {
    let Some(decided) = find(&watchlist, id).await? else {
        let object = AuditObject::new("hit", id.to_string());
        return Err(watchlist.missing(&caller, Action::CandidateRead, object, false).await);
    };
    watchlist.permit_to_see(&caller, act::CandidateRead, &Resource::agency(&decided.agency)).await?;
    let act = act_by(caller.actor(), AuditAction::CandidateSearch, watchlist.now()).object("hit", id);
    watchlist.record(act).await?;
    Ok(Json(with_notice(&watchlist, decided).await?))
}

async fn find(watchlist: &Watchlist, id: MessageId) -> Result<Option<DecidedHit>, DbError> {
    let mut conn = watchlist.store.read().acquire().await?;
    candidates::one(&mut conn, &watchlist.at_rest, id).await
}

/// The candidate, if the caller may decide it: else 404 or 403, audited.
async fn to_decide(watchlist: &Watchlist, caller: &Caller, id: MessageId) -> Result<DecidedHit, ApiError> {
    let Some(decided) = find(watchlist, id).await? else {
        let object = AuditObject::new("hit", id.to_string());
        return Err(watchlist.missing(caller, Action::CandidateDecide, object, false).await);
    };
    watchlist.permit_to_see(caller, act::CandidateDecide, &Resource::agency(&decided.agency)).await?;
    Ok(decided)
}

async fn with_notice(watchlist: &Watchlist, decided: DecidedHit) -> Result<Candidate, DbError> {
    let notice = notice::of_decided(watchlist, &decided).await?;
    Ok(Candidate { notice, ..decided.candidate })
}

/// What a person says of a candidate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// Whether it is the same person or thing. Whoever says so sends the `notice` of the answer to the gateway, in their own name:
    /// nothing that a person judges is told by a machine.
    same: bool,
    /// Of one that is not the same: whether this traveller shall not be stopped for it again. It holds once another person approves, for a
    /// year, for this document and birth date, and until the entry has a new version.
    #[serde(default)]
    innocent: bool,
    /// Why: a code or file reference of at most 64 letters, digits and `. _ - /`. The audit log records it, so it must name nobody.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._/-]{1,64}$")]
    reason: String,
}

/// Says whether a candidate is the same person or thing as the alert's, and why. It is decided once.
#[utoipa::path(
    post, path = "/v1/candidates/{id}/decision", operation_id = "decide_candidate", tag = "candidates",
    params(("id" = String, Path, description = "The candidate.")),
    request_body = Decision,
    responses(
        (status = 200, description = "Decided.", body = Candidate),
        (status = 409, description = "`decided_already`: it is not in review; `traveller_unknown`: no document with a birth date was read.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`body_faulty`.", body = Problem, content_type = "application/problem+json"),
        NotFound,
        Refusals
    )
)]
pub(crate) async fn decide(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Body(decision): Body<Decision>,
) -> Result<Json<Candidate>, ApiError> {
    let DecidedHit { agency, found, .. } = to_decide(&watchlist, &caller, id).await?;
    reason::check("/reason", &decision.reason)?;
    if decision.innocent && decision.same {
        return Err(faulty("/innocent", "is said of one that is not the same").into());
    }
    if decision.innocent && found.traveller.is_none() {
        return Err(Problem::conflict("traveller_unknown")
            .detail("Only a traveller whose own document was read whole, with a full birth date, can be known again.")
            .into());
    }
    let (state, now) =
        (if decision.same { HitState::Confirmed } else { HitState::Rejected }, watchlist.now());
    let act = act_by(caller.actor(), AuditAction::CandidateDecide, now)
        .object("hit", id)
        .detail("state", state.as_str())
        .detail("reason", &decision.reason);
    let (trail, by) = (watchlist.trail.clone(), caller.subject().to_owned());
    let at_rest = Arc::clone(&watchlist.at_rest);
    let write = watchlist.store.write(move |tx| {
        async move {
            let is_decided = candidates::decide(tx, id, state, (&by, &decision.reason), now).await?;
            if is_decided {
                trail.record(tx, &act).await?;
            }
            if let Some(traveller) = found.traveller.as_ref().filter(|_| is_decided && decision.innocent) {
                let new = NewInnocent {
                    id,
                    agency: &agency,
                    list: &found.list,
                    record: &found.record,
                    version: found.version,
                    traveller,
                    reason: &decision.reason,
                    by: &by,
                };
                innocents::propose(tx, &at_rest, &new, now).await?;
            }
            Ok::<_, DbError>(is_decided)
        }
        .boxed()
    });
    if !write.await? {
        return Err(Problem::conflict("decided_already")
            .detail("It is not in review: somebody decided it, or it was told already.")
            .into());
    }
    match find(&watchlist, id).await? {
        Some(decided) => Ok(Json(with_notice(&watchlist, decided).await?)),
        None => Err(ApiError::failed("a candidate is gone that was decided a moment ago")),
    }
}

/// The message by which a person reported it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentNotice {
    /// The notice, as the gateway signed it.
    #[schema(value_type = String, format = "uuid")]
    message: MessageId,
}

/// Notes that what was decided to be the same was reported, by the notice that the candidate offered: it is offered to nobody else. Noted twice
/// with the same message it is noted once.
#[utoipa::path(
    post, path = "/v1/candidates/{id}/notice", operation_id = "note_notice", tag = "candidates",
    params(("id" = String, Path, description = "The candidate.")),
    request_body = SentNotice,
    responses(
        (status = 200, description = "Noted: it is `forwarded`.", body = Candidate),
        (status = 409, description = "`not_confirmed`: nobody has decided that it is the same; `reported_already`: by another message.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`body_faulty`.", body = Problem, content_type = "application/problem+json"),
        NotFound,
        Refusals
    )
)]
pub(crate) async fn note_notice(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Body(SentNotice { message }): Body<SentNotice>,
) -> Result<Json<Candidate>, ApiError> {
    let decided = to_decide(&watchlist, &caller, id).await?;
    if decided.candidate.message == Some(message) {
        return Ok(Json(decided.candidate));
    }
    let act = act_by(caller.actor(), AuditAction::CandidateDecide, watchlist.now())
        .object("hit", id)
        .detail("state", HitState::Forwarded.as_str())
        .detail("message", message);
    let trail = watchlist.trail.clone();
    let write = watchlist.store.write(move |tx| {
        async move {
            let is_noted = candidates::reported(tx, id, message).await?;
            if is_noted {
                trail.record(tx, &act).await?;
            }
            Ok::<_, DbError>(is_noted)
        }
        .boxed()
    });
    if write.await? {
        let found = find(&watchlist, id).await?;
        return found
            .map(|decided| Json(decided.candidate))
            .ok_or_else(|| ApiError::failed("a candidate is gone that was noted a moment ago"));
    }
    Err(match decided.candidate.message {
        Some(other) => Problem::conflict("reported_already")
            .detail(format!("Its owner was told by the message {other}.")),
        None => Problem::conflict("not_confirmed").detail("Nobody has decided that it is the same."),
    }
    .into())
}
