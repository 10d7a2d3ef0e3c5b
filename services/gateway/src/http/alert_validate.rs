//! `POST /v1/alerts/validate`: what is wrong with a draft, without keeping it.

use std::sync::Arc;

use axum::{Json, body::Bytes, extract::State};
use rovuma_api::{Access as _, Caller, openapi::IdempotencyHeader};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    error::ApiError,
    openapi::{DraftDocument, Refusals},
};
use crate::{alerts::content::Content, gateway::Gateway};

/// What the gateway makes of a draft in which everything is right.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validated {
    /// What it is about, without saying about whom, in the caller's language.
    summary: String,
    /// Every reason why a second person must release it; none when one person may.
    second_person: Vec<&'static str>,
    /// When the alert would end if it were released now.
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
    /// When it would stop being worth transporting.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// What the free texts should perhaps not say: warnings, not faults.
    advice: Vec<Advice>,
    /// The agencies it would go to.
    #[schema(value_type = Vec<String>)]
    recipients: Vec<AgencyCode>,
}

/// A free text that seems to speak of what is not carried: asylum, religion, ethnicity, politics.
#[derive(Debug, Serialize, ToSchema)]
struct Advice {
    /// Where: a JSON pointer (RFC 6901).
    pointer: String,
    /// `asylum`, `religion`, `ethnicity`, `politics`.
    topic: String,
    /// A sentence in the caller's language.
    message: String,
}

/// Checks a draft without keeping it. An `Idempotency-Key` is taken and without effect: nothing is done.
#[utoipa::path(
    post, path = "/v1/alerts/validate", operation_id = "validate_alert", tag = "alerts",
    params(IdempotencyHeader),
    request_body(content = DraftDocument, content_type = "application/json", description = "An alert's draft."),
    responses(
        (status = 200, description = "Nothing is wrong.", body = Validated),
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
    gateway.permit_own(&caller, act::AlertValidate).await?;
    let now = gateway.now();
    let content = Content::check(&gateway, caller.agency(), &body, caller.locale(), now)?;
    let valid = content.valid();
    Ok(Json(Validated {
        summary: valid.summary().line(&gateway.lists, caller.locale()),
        second_person: valid.second_person_reasons().into_iter().map(|reason| reason.as_str()).collect(),
        valid_until: valid.valid_until(now),
        expires: valid.transport_expiry(now),
        advice: valid.advice(caller.locale()).into_iter().map(Advice::from).collect(),
        recipients: valid.recipients().to_vec(),
    }))
}

impl From<rovuma_schemas::Advice> for Advice {
    fn from(advice: rovuma_schemas::Advice) -> Self {
        Self { pointer: advice.pointer, topic: advice.topic, message: advice.message }
    }
}
