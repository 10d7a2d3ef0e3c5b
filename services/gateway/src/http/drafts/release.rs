//! `POST /v1/drafts/{id}/release`: a draft becomes a message.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{AdviceView, NumberedCopy, ReleasedView},
    entity_tag::{IfMatch, etag},
    idempotency::{self, Answer, IdempotencyKey},
    openapi::{IdempotencyHeader, IfMatchHeader, NotFound, Outdated, VersionNotNamed},
    request::{OptionalJsonBody, Path},
};
use rovuma_policy::{Context, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{MessageId, Timestamp, audit::AuditObject};
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{duplicates, is_case_direct, own, posted, view};
use crate::{
    drafts::{SeenVersion, content::Content},
    exchange::send::Released,
    gateway::Gateway,
    http::{
        error::{ApiError, in_language},
        openapi::Refusals,
    },
};

/// The answer to a release; `version` is the draft's where there was one.
pub(in crate::http) fn released_view(
    id: MessageId,
    version: Option<i64>,
    created: Timestamp,
    released: Released,
    advice: Vec<AdviceView>,
) -> ReleasedView {
    let copy = |(recipient, lane, position): (_, _, rovuma_outbox::StreamPosition)| NumberedCopy {
        recipient,
        lane,
        stream: position.stream,
        number: position.number,
    };
    ReleasedView { id, created, version, copies: released.positions.into_iter().map(copy).collect(), advice }
}

/// The body of `POST /v1/drafts/{id}/release`, which may be absent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseRequest {
    /// Why it is released although something is live already about the same persons or things: a code or file reference of at most 64
    /// letters, digits and `. _ - /`. The audit log records the reason, so it must name nobody.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._/-]{1,64}$")]
    despite_duplicates: Option<String>,
    /// Where your agency knows it from, though another agency sent it under a handling code that keeps it from being handed on: a code or
    /// file reference of at most 64 letters, digits and `. _ - /`, which is audited. A second person must release it then.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._/-]{1,64}$")]
    own_source: Option<String>,
}

/// Reads the body of a release; without one nothing is stated.
fn release_request(unverified_body: &[u8]) -> Result<ReleaseRequest, ApiError> {
    if unverified_body.is_empty() {
        return Ok(ReleaseRequest::default());
    }
    serde_json::from_slice(unverified_body).map_err(|fault| {
        Problem::unprocessable("body_faulty", [])
            .detail(format!("nothing, or {{\"despite_duplicates\": \"…\"}}, is expected: {fault}"))
            .into()
    })
}

/// Signs a draft and puts it into the outbox.
///
/// Its author may where one person may send it, until it is submitted; else a supervisor who is not its author and to whom it
/// was submitted. It is checked again against this moment. A second person must have read this version of the draft (`GET
/// /v1/drafts/{id}`), and names it (`If-Match`).
///
/// Where a case that officers act on, or an open draft of the agency, is about the same document, plate, number, or name and birth date,
/// it is refused with those; releasing it all the same takes a reason. So it is where the draft would hand on to somebody else what another
/// agency sent under H2 or H3 without leave.
#[utoipa::path(
    post, path = "/v1/drafts/{id}/release", operation_id = "release_draft", tag = "drafts",
    params(("id" = String, Path, description = "The draft."), IdempotencyHeader, IfMatchHeader),
    request_body(content = Option<ReleaseRequest>, content_type = "application/json"),
    responses(
        (status = 200, description = "Released.", body = ReleasedView),
        (status = 403, description = "`may_not_send`: the trust list does not give the agency this right; \
            `handling_breach`: it would hand on without leave what another agency sent under H2 or H3; a \
            policy's code.", body = Problem, content_type = "application/problem+json"),
        NotFound,
        (status = 409, description = "`not_allowed_in_state`: not submitted, or released already; `not_read`: the \
            second person has not read this version; `duplicate_live`, with `duplicates`; `not_in_alert`, of a hit.",
            body = Problem, content_type = "application/problem+json"),
        Outdated,
        (status = 422, description = "`draft_faulty`: incomplete, or no longer valid; `body_faulty`; \
            `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        VersionNotNamed,
        (status = 503, description = "`audit_overdue`, with since when; `signing_key`: not in force; \
            `signing_unavailable`, `storage_unavailable`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn release(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    key: IdempotencyKey,
    if_match: IfMatch,
    OptionalJsonBody(body): OptionalJsonBody,
) -> Result<Answer, ApiError> {
    let draft = own(&gateway, &caller, &id, act::DraftRelease).await?;
    let resource = draft.resource();
    // A draft that was valid when written need not be valid now: codes and agencies have dates.
    // A discarded one has no content.
    let content = match draft.content.is_empty() {
        true => None,
        false => Some(posted(&gateway, &caller, &draft.content)?),
    };
    let second_person = content.as_ref().and_then(Content::second_person);
    let needed_second = draft.second_person.is_some() || second_person.is_some();
    let is_case_direct = match &content {
        Some(content) => is_case_direct(&gateway, &caller, content).await?,
        None => false,
    };
    let context = content.as_ref().map(|content| content.release_context(needed_second, is_case_direct));
    let context = context.unwrap_or(Context::release(needed_second));
    let permit = gateway.permit(&caller, act::DraftRelease, &resource, &context).await?;
    let stated = release_request(&body)?;
    let stated = duplicates::stated(stated.despite_duplicates.as_deref(), stated.own_source.as_deref())?;
    let (now, attempt) = (gateway.base.now(), key.attempt(&caller, &body));
    if let Some(answer) = idempotency::answered(&gateway.base.store, attempt.as_ref(), now).await? {
        return Ok(answer);
    }
    let seen = SeenVersion(if_match.version());
    let releaser = (caller.subject(), caller.locale());
    let reviewed = gateway.drafts.review(draft, content, releaser, seen, now).await;
    let reviewed = reviewed.map_err(in_language(caller.locale()))?;
    // Only its case shows whether it is about a minor, or whether the draft lowers a handling code.
    let permit = if reviewed.second_person().is_some() && !needed_second {
        gateway.permit(&caller, act::DraftRelease, &resource, &Context::release(true)).await?
    } else {
        permit
    };
    let (shared, advice) = (Arc::clone(&gateway), view::advice(reviewed.checked(), caller.locale()));
    let releaser = caller.clone();
    let released = idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move {
            let released = shared.drafts.release(tx, &permit, reviewed, stated, now).await;
            let (draft, released) =
                released.map_err(|refusal| duplicates::refused(&shared, &releaser, refusal))?;
            let view = released_view(draft.id, Some(draft.version), now, released, advice);
            let address = format!("/v1/messages/{}", draft.id);
            Ok(Answer::json(StatusCode::OK, &view)?.etag(etag(draft.version)).location(address))
        }
        .boxed()
    });
    match released.await {
        Ok(answer) => Ok(answer),
        Err(fault) => {
            let object = AuditObject::new("draft", id.to_string());
            Err(duplicates::record_refusal(&gateway, &caller, object, fault).await)
        }
    }
}
