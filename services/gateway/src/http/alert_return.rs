//! `POST /v1/alerts/{id}/return`: a draft handed back to its author.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
};
use rovuma_api::{
    Caller,
    entity_tag::IfMatch,
    idempotency::{self, Answer, IdempotencyKey},
    openapi::{IdempotencyHeader, IfMatchHeader},
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::{Line, MessageId};
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{alert_change::answer, alert_read::permitted, error::ApiError, openapi::Refusals};
use crate::{alerts::review, gateway::Gateway};

/// Why a draft is handed back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// What the author has to put right: one line of at most 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    reason: Line,
}

/// Hands a submitted draft back to its author. A supervisor who is not the author may.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/return", operation_id = "return_alert", tag = "alerts",
    params(("id" = String, Path, description = "The draft."), IdempotencyHeader, IfMatchHeader),
    request_body = Reason,
    responses(
        (status = 200, description = "Returned.", body = crate::alerts::draft::DraftView),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_allowed_in_state`",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "`version`", body = Problem, content_type = "application/problem+json"),
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
    seen: IfMatch,
    body: Bytes,
) -> Result<Answer, ApiError> {
    let (_, permit) = permitted(&gateway, &caller, &id, act::AlertReturn).await?;
    let Reason { reason } = serde_json::from_slice(&body).map_err(|fault| {
        Problem::unprocessable("body_faulty", [])
            .detail(format!("{{\"reason\": \"…\"}} is expected: {fault}"))
    })?;
    let (now, shared) = (gateway.now(), Arc::clone(&gateway));
    let attempt = key.attempt(&caller, &body);
    idempotency::once(&gateway.store, attempt, now, move |tx| {
        async move { answer(review::hand_back(tx, &shared, &permit, seen, &reason, now).await?) }.boxed()
    })
    .await
}
