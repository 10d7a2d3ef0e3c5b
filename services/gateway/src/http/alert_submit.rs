//! `POST /v1/alerts/{id}/submit`: a draft handed to a supervisor.

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
use rovuma_schemas::MessageId;
use rovuma_store::FutureExt;

use super::{alert_change::answer, alert_read::permitted, error::ApiError, openapi::Refusals};
use crate::{alerts::change, gateway::Gateway};

/// Hands a draft to a supervisor. From then on it does not change until it is returned.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/submit", operation_id = "submit_alert", tag = "alerts",
    params(("id" = String, Path, description = "The draft."), IdempotencyHeader, IfMatchHeader),
    responses(
        (status = 200, description = "Submitted.", body = crate::alerts::draft::DraftView),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_allowed_in_state`",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "`version`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_conflict`",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn submit(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    key: IdempotencyKey,
    seen: IfMatch,
    body: Bytes,
) -> Result<Answer, ApiError> {
    let (_, permit) = permitted(&gateway, &caller, &id, act::AlertSubmit).await?;
    let (now, shared) = (gateway.now(), Arc::clone(&gateway));
    let attempt = key.attempt(&caller, &body);
    idempotency::once(&gateway.store, attempt, now, move |tx| {
        async move { answer(change::submit(tx, &shared, &permit, seen, now).await?) }.boxed()
    })
    .await
}
