//! `DELETE /v1/alerts/{id}`: a draft thrown away.

use std::sync::Arc;

use axum::extract::{Path, State};
use rovuma_api::{
    Caller,
    entity_tag::IfMatch,
    idempotency::{self, Answer},
    openapi::IfMatchHeader,
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::MessageId;
use rovuma_store::FutureExt;

use super::{alert_change::answer, alert_read::permitted, error::ApiError, openapi::Refusals};
use crate::{alerts::change, gateway::Gateway};

/// Throws a draft away. Only its author may, and not once it is released.
#[utoipa::path(
    delete, path = "/v1/alerts/{id}", operation_id = "discard_alert", tag = "alerts",
    params(("id" = String, Path, description = "The draft."), IfMatchHeader),
    responses(
        (status = 200, description = "Discarded.", body = crate::alerts::draft::DraftView),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_allowed_in_state`",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "`version`", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn discard(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    seen: IfMatch,
) -> Result<Answer, ApiError> {
    let (_, permit) = permitted(&gateway, &caller, &id, act::AlertDiscard).await?;
    let (now, shared) = (gateway.now(), Arc::clone(&gateway));
    idempotency::once(&gateway.store, None, now, move |tx| {
        async move { answer(change::discard(tx, &shared, &permit, seen, now).await?) }.boxed()
    })
    .await
}
