//! `POST /v1/messages`: a message drafted and released in one request.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{DraftDocument, ReleasedView},
    idempotency::{self, Answer, IdempotencyKey},
    openapi::IdempotencyHeader,
    request::JsonBody,
};
use rovuma_policy::{Context, act};
use rovuma_runtime::Problem;
use rovuma_store::FutureExt;

use crate::{
    gateway::Gateway,
    http::{
        drafts::{new_draft, posted, released_view, view},
        error::{ApiError, in_language},
        openapi::Refusals,
    },
};

/// Signs what is posted and puts it into the outbox, where the caller may release it alone. No draft is kept. Content that
/// needs a second person is refused with `second_person`: post it to `/v1/drafts` and submit it.
#[utoipa::path(
    post, path = "/v1/messages", operation_id = "send_message", tag = "messages",
    params(IdempotencyHeader),
    request_body(content = DraftDocument, content_type = "application/json", description = "A complete draft."),
    responses(
        (status = 201, description = "Released.", body = ReleasedView, headers(("Location" = String))),
        (status = 403, description = "`may_not_send`: the trust list does not give the agency this right; \
            `second_person`; another policy's code.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`draft_faulty` with the draft's faults; `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`audit_overdue`, with since when; `signing_key`: not in force; \
            `signing_unavailable`, `storage_unavailable`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn send(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    key: IdempotencyKey,
    JsonBody(body): JsonBody,
) -> Result<Answer, ApiError> {
    let now = gateway.base.now();
    let content = posted(&gateway, &caller, &body)?;
    let resource = new_draft(&caller, &content);
    let context = content.release_context(content.second_person().is_some());
    let permit = gateway.permit(&caller, act::DraftRelease, &resource, &context).await?;
    // The message is also written here: whom a local policy lets release but not write must not send at once.
    gateway.permit(&caller, act::DraftCreate, &resource, &Context::NONE).await?;
    let attempt = key.attempt(&caller, &body);
    if let Some(answer) = idempotency::answered(&gateway.base.store, attempt.as_ref(), now).await? {
        return Ok(answer);
    }
    let reviewed = gateway.drafts.review_at_once(&permit, &content, caller.locale(), now).await;
    // Only its case shows whether it is about a minor, or whether the message lowers a handling code.
    let permit = if reviewed.map_err(in_language(caller.locale()))?.is_some() {
        gateway.permit(&caller, act::DraftRelease, &resource, &Context::release(true)).await?
    } else {
        permit
    };
    let (shared, advice) = (Arc::clone(&gateway), view::advice(content.checked(), caller.locale()));
    idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move {
            let (id, released) = shared.drafts.send_at_once(tx, &permit, &content, now).await?;
            let view = released_view(id, None, now, released, advice);
            Ok(Answer::json(StatusCode::CREATED, &view)?.location(format!("/v1/messages/{id}")))
        }
        .boxed()
    })
    .await
}
