//! `PUT /v1/alerts/{id}`: other content for a draft.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use rovuma_api::{
    Caller,
    entity_tag::{IfMatch, etag},
    idempotency::{self, Answer},
    openapi::IfMatchHeader,
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::MessageId;
use rovuma_store::FutureExt;

use super::{
    alert_read::permitted,
    error::ApiError,
    openapi::{DraftDocument, Refusals},
};
use crate::{
    alerts::{
        change,
        content::Content,
        draft::{Draft, DraftView},
    },
    gateway::Gateway,
};

/// Puts other content in the place of the draft's. Only its author may, and not while it is with a
/// supervisor.
#[utoipa::path(
    put, path = "/v1/alerts/{id}", operation_id = "change_alert", tag = "alerts",
    params(("id" = String, Path, description = "The draft."), IfMatchHeader),
    request_body(content = DraftDocument, content_type = "application/json", description = "An alert's draft."),
    responses(
        (status = 200, description = "Changed.", body = DraftView,
            headers(("ETag" = String, description = "Its new version."))),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_allowed_in_state`",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "`version`: it has changed since it was read.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`draft_faulty` with every fault.",
            body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "`if_match_required`",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    seen: IfMatch,
    body: Bytes,
) -> Result<Answer, ApiError> {
    let (_, permit) = permitted(&gateway, &caller, &id, act::AlertChange).await?;
    seen.required()?;
    let now = gateway.now();
    let content = Content::check(&gateway, caller.agency(), &body, caller.locale(), now)?;
    let shared = Arc::clone(&gateway);
    idempotency::once(&gateway.store, None, now, move |tx| {
        async move { answer(change::change(tx, &shared, &permit, seen, content, now).await?) }.boxed()
    })
    .await
}

/// 200 with the draft and its version.
pub(super) fn answer(draft: Draft) -> Result<Answer, ApiError> {
    let version = etag(draft.version);
    Ok(Answer::json(StatusCode::OK, &DraftView::whole(draft)?)?.etag(version))
}
