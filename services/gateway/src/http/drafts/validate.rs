//! `POST /v1/drafts/validate`: what is wrong with a draft, without keeping it.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use rovuma_api::{Access as _, Caller, openapi::IdempotencyHeader};
use rovuma_policy::{Context, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{new_draft, posted, view::AdviceView};
use crate::{
    gateway::Gateway,
    http::{
        error::{ApiError, in_language},
        openapi::{DraftDocument, Refusals},
    },
};

/// What the gateway makes of a draft without faults.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validated {
    /// One line in the caller's language that says what it is about, and names nobody.
    summary: String,
    /// Every reason why a second person must release it; none when one person may.
    second_person: Vec<&'static str>,
    /// When what it says would end if it were released now: the end of an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends: Option<Timestamp>,
    /// When it would stop being worth transporting; absent for a message that never expires on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
    /// Free text that the author should look at again: warnings, not faults.
    advice: Vec<AdviceView>,
    /// The agencies it would go to.
    #[schema(value_type = Vec<String>)]
    recipients: Vec<AgencyCode>,
}

/// Checks a draft without keeping it. An `Idempotency-Key` is taken and without effect: nothing is done.
#[utoipa::path(
    post, path = "/v1/drafts/validate", operation_id = "validate_draft", tag = "drafts",
    params(IdempotencyHeader),
    request_body(content = DraftDocument, content_type = "application/json", description = "A draft."),
    responses(
        (status = 200, description = "It has no fault.", body = Validated),
        (status = 422, description = "`draft_faulty` with every fault.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn validate(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Validated>, ApiError> {
    let (now, locale) = (gateway.base.now(), caller.locale());
    let content = posted(&gateway, &caller, &body)?;
    let resource = new_draft(&caller, &content);
    gateway.permit(&caller, act::DraftValidate, &resource, &Context::NONE).await?;
    let valid = content.valid().map_err(in_language(locale))?;
    Ok(Json(Validated {
        summary: valid.summary(&gateway.drafts.codes, locale),
        second_person: valid.second_person_reasons().iter().map(|reason| reason.as_str()).collect(),
        ends: valid.ends(now),
        expires: valid.transport_expiry(now),
        advice: content.checked().advice(locale).into_iter().map(AdviceView::from).collect(),
        recipients: valid.recipients().to_vec(),
    }))
}
