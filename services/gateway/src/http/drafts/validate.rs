//! `POST /v1/drafts/validate`: checks a draft without storing it.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{DraftDocument, Validated},
    idempotency::IdempotencyKey,
    request::JsonBody,
};
use rovuma_policy::{Context, act};
use rovuma_runtime::Problem;

use super::{new_draft, posted, view};
use crate::{
    gateway::Gateway,
    http::{
        error::{ApiError, in_language},
        openapi::Refusals,
    },
};

/// Checks a draft without keeping it. Nothing is done, so it takes no `Idempotency-Key`; one that no route would take is refused.
#[utoipa::path(
    post, path = "/v1/drafts/validate", operation_id = "validate_draft", tag = "drafts",
    request_body(content = DraftDocument, content_type = "application/json", description = "A draft."),
    responses(
        (status = 200, description = "It has no fault.", body = Validated),
        (status = 422, description = "`draft_faulty` with the draft's faults.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn validate(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    _key: IdempotencyKey,
    JsonBody(body): JsonBody,
) -> Result<Json<Validated>, ApiError> {
    let (now, locale) = (gateway.base.now(), caller.locale());
    let content = posted(&gateway, &caller, &body)?;
    let resource = new_draft(&caller, &content);
    gateway.permit(&caller, act::DraftValidate, &resource, &Context::NONE).await?;
    let valid = content.valid().map_err(in_language(locale))?;
    Ok(Json(Validated {
        summary: valid.summary(&gateway.drafts.codes, locale),
        second_person: view::second_person_reasons(valid.second_person_reasons().iter()),
        ends: valid.ends(now),
        expires: valid.transport_expiry(now),
        advice: view::advice(content.checked(), locale),
        recipients: valid.recipients().to_vec(),
    }))
}
