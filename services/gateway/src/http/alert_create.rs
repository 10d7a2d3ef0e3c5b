//! `POST /v1/alerts`: a new draft.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::StatusCode};
use rovuma_api::{
    Access as _, Caller,
    entity_tag::etag,
    idempotency::{self, Answer, IdempotencyKey},
    openapi::IdempotencyHeader,
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_store::FutureExt;

use super::{
    error::ApiError,
    openapi::{DraftDocument, Refusals},
};
use crate::{
    alerts::{
        content::Content,
        create,
        draft::{Draft, DraftView},
    },
    gateway::Gateway,
};

/// Creates a draft. It must be whole and right: all faults are told at once.
#[utoipa::path(
    post, path = "/v1/alerts", operation_id = "create_alert", tag = "alerts",
    params(IdempotencyHeader),
    request_body(content = DraftDocument, content_type = "application/json", description = "An alert's draft."),
    responses(
        (status = 201, description = "Created.", body = DraftView,
            headers(("ETag" = String, description = "Its version."), ("Location" = String))),
        (status = 422, description = "`draft_faulty` with every fault; `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn create(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Bytes,
) -> Result<Answer, ApiError> {
    let permit = gateway.permit_own(&caller, act::AlertCreate).await?;
    let now = gateway.now();
    let attempt = key.attempt(&caller, &body);
    if let Some(answer) = idempotency::answered(&gateway.store, attempt.as_ref(), now).await? {
        return Ok(answer);
    }
    let content = Content::check(&gateway, caller.agency(), &body, caller.locale(), now)?;
    let shared = Arc::clone(&gateway);
    idempotency::once(&gateway.store, attempt, now, move |tx| {
        async move { answer(create::create(tx, &shared, &permit, content, now).await?) }.boxed()
    })
    .await
}

fn answer(draft: Draft) -> Result<Answer, ApiError> {
    let (version, place) = (etag(draft.version), format!("/v1/alerts/{}", draft.id));
    let view = DraftView::whole(draft)?;
    Ok(Answer::json(StatusCode::CREATED, &view)?.etag(version).location(place))
}
