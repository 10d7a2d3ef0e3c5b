//! `POST /v1/drafts/{id}/submit` and `/return`, `DELETE /v1/drafts/{id}`: a draft handed over, handed back, thrown away.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::StatusCode};
use rovuma_api::{
    Caller,
    answers::gateway::{AdviceView, DraftView},
    entity_tag::{IfMatch, etag},
    idempotency::{self, Answer, IdempotencyKey},
    openapi::{IdempotencyHeader, IfMatchHeader, NotFound, Outdated},
    request::{JsonBody, Path},
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::{Line, MessageId};
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{permitted, view};
use crate::{
    drafts::{SeenVersion, draft::Draft},
    gateway::Gateway,
    http::{
        error::{ApiError, in_language},
        openapi::Refusals,
    },
};

/// Hands a draft without faults to a supervisor. From then on it does not change until it is returned.
#[utoipa::path(
    post, path = "/v1/drafts/{id}/submit", operation_id = "submit_draft", tag = "drafts",
    params(("id" = String, Path, description = "The draft."), IdempotencyHeader, IfMatchHeader),
    responses(
        (status = 200, description = "Submitted.", body = DraftView),
        NotFound,
        (status = 409, description = "`not_allowed_in_state`",
            body = Problem, content_type = "application/problem+json"),
        Outdated,
        (status = 422, description = "`draft_faulty` with the draft's faults; `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn submit(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    key: IdempotencyKey,
    if_match: IfMatch,
    body: Bytes,
) -> Result<Answer, ApiError> {
    let (draft, permit) = permitted(&gateway, &caller, &id, act::DraftSubmit).await?;
    let (now, attempt) = (gateway.base.now(), key.attempt(&caller, &body));
    if let Some(answer) = idempotency::answered(&gateway.base.store, attempt.as_ref(), now).await? {
        return Ok(answer);
    }
    let reviewed = gateway.drafts.review_submission(&draft, SeenVersion(if_match.version()), now);
    let (seen, content) = reviewed.map_err(in_language(caller.locale()))?;
    let (shared, advice) = (Arc::clone(&gateway), view::advice(content.checked(), caller.locale()));
    idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move { answer(shared.drafts.submit(tx, &permit, seen, now).await?, Some(advice)) }.boxed()
    })
    .await
}

/// The body of `POST /v1/drafts/{id}/return`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnReason {
    /// The reason, which tells the author what to put right: one line of at most 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    reason: Line,
}

/// Hands a submitted draft back to its author. A supervisor who is not the author may.
#[utoipa::path(
    post, path = "/v1/drafts/{id}/return", operation_id = "return_draft", tag = "drafts",
    params(("id" = String, Path, description = "The draft."), IdempotencyHeader, IfMatchHeader),
    request_body = ReturnReason,
    responses(
        (status = 200, description = "Returned.", body = DraftView),
        NotFound,
        (status = 409, description = "`not_allowed_in_state`",
            body = Problem, content_type = "application/problem+json"),
        Outdated,
        (status = 422, description = "`body_faulty`: no reason; `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn hand_back(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    key: IdempotencyKey,
    if_match: IfMatch,
    JsonBody(body): JsonBody,
) -> Result<Answer, ApiError> {
    let (_, permit) = permitted(&gateway, &caller, &id, act::DraftReturn).await?;
    let ReturnReason { reason } = serde_json::from_slice(&body).map_err(|fault| {
        Problem::unprocessable("body_faulty", [])
            .detail(format!("{{\"reason\": \"…\"}} is expected: {fault}"))
    })?;
    let (now, seen, shared) = (gateway.base.now(), SeenVersion(if_match.version()), Arc::clone(&gateway));
    let attempt = key.attempt(&caller, &body);
    idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move { answer(shared.drafts.hand_back(tx, &permit, seen, &reason, now).await?, None) }.boxed()
    })
    .await
}

/// Throws a draft away. Only its author may, and not once it is released.
#[utoipa::path(
    delete, path = "/v1/drafts/{id}", operation_id = "discard_draft", tag = "drafts",
    params(("id" = String, Path, description = "The draft."), IfMatchHeader),
    responses(
        (status = 200, description = "Discarded.", body = DraftView),
        NotFound,
        (status = 409, description = "`not_allowed_in_state`",
            body = Problem, content_type = "application/problem+json"),
        Outdated,
        Refusals
    )
)]
pub(crate) async fn discard(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    if_match: IfMatch,
) -> Result<Answer, ApiError> {
    let (_, permit) = permitted(&gateway, &caller, &id, act::DraftDiscard).await?;
    let (now, seen, shared) = (gateway.base.now(), SeenVersion(if_match.version()), Arc::clone(&gateway));
    idempotency::once(&gateway.base.store, None, now, move |tx| {
        async move { answer(shared.drafts.discard(tx, &permit, seen, now).await?, None) }.boxed()
    })
    .await
}

/// 200 with the draft's new state, and with advice where the step brings it nearer to its release. Its content is what it was,
/// so it is not repeated.
fn answer(draft: Draft, advice: Option<Vec<AdviceView>>) -> Result<Answer, ApiError> {
    let (version, address) = (etag(draft.version), format!("/v1/drafts/{}", draft.id));
    Ok(Answer::json(StatusCode::OK, &DraftView { advice, ..view::row(draft) })?
        .etag(version)
        .location(address))
}
