//! `PUT` and `DELETE /v1/cases/{kind}/{owner}/{id}/hold`: holding the content of a case back from erasure, and letting it go.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::CaseRetention,
    openapi::NotFound,
    request::{JsonBody, Path},
};
use rovuma_policy::{Action, Context, Permit, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Date, Line, MessageId};
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::lookup;
use crate::{
    cases::kept::CaseKey,
    gateway::Gateway,
    http::{
        error::{ApiError, erased},
        openapi::Refusals,
        retention::view,
    },
    retention::hold::{self, Hold},
};

/// The code list of grounds.
const GROUNDS: &str = "retention_grounds";

/// The body of `PUT /v1/cases/{kind}/{owner}/{id}/hold`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldCase {
    /// The ground, a code of the list `retention_grounds`.
    #[schema(min_length = 1, max_length = 64)]
    ground: String,
    /// The file or decision behind it: one line of at most 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    reason: Line,
    /// The last day on which the content is held back.
    #[schema(value_type = String, format = Date)]
    until: Date,
}

/// Holds the content of a case back from erasure until the end of a day, because a law or a court wants it kept; a second time, with
/// another ground or day. It is audited.
#[utoipa::path(
    put, path = "/v1/cases/{kind}/{owner}/{id}/hold", operation_id = "hold_case", tag = "cases",
    params(
        ("kind" = String, Path, description = "`alert`."),
        ("owner" = String, Path, description = "The agency that opened it."),
        ("id" = String, Path, description = "The message that opened it, by any id under which it came.")
    ),
    request_body = HoldCase,
    responses(
        (status = 200, description = "It is held back.", body = CaseRetention),
        NotFound,
        (status = 410, description = "`erased`: its content is gone, with since when.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`body_faulty`: no such ground, or a day that has passed.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn hold(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(name): Path<(String, AgencyCode, MessageId)>,
    JsonBody(body): JsonBody,
) -> Result<Json<CaseRetention>, ApiError> {
    let (key, permit) = permitted(&gateway, &caller, name).await?;
    let HoldCase { ground, reason, until } = serde_json::from_slice(&body).map_err(|fault| {
        faulty(format!(
            "{{\"ground\": \"court_order\", \"reason\": \"…\", \"until\": \"2028-12-31\"}} is expected: {fault}"
        ))
    })?;
    let now = gateway.base.now();
    let known = gateway.drafts.codes.get(GROUNDS);
    if !known.is_some_and(|list| list.entries.iter().any(|entry| entry.code == ground)) {
        return Err(
            faulty(format!("ground takes a code of the list {GROUNDS}: GET /v1/codes/{GROUNDS}.")).into()
        );
    }
    if until < Date::of(now) {
        return Err(faulty("until takes today or a later day.".to_owned()).into());
    }
    let held = Hold {
        ground,
        reason: reason.to_string(),
        until: until.plus_days(1).start(),
        set_by: caller.subject().to_owned(),
        set_at: now,
    };
    let shared = Arc::clone(&gateway);
    let write = gateway.base.store.write(move |tx| {
        async move {
            hold::hold(tx, &shared.base, &permit, &key, &held).await?;
            Ok::<_, ApiError>(hold::one(tx, &key, now).await?)
        }
        .boxed()
    });
    let shown = write.await?.ok_or_else(Problem::not_found)?;
    Ok(Json(view(shown)))
}

/// Lets the content of a case go: from then on it is erased when it is due. It is audited.
#[utoipa::path(
    delete, path = "/v1/cases/{kind}/{owner}/{id}/hold", operation_id = "free_case", tag = "cases",
    params(
        ("kind" = String, Path, description = "`alert`."),
        ("owner" = String, Path, description = "The agency that opened it."),
        ("id" = String, Path, description = "The message that opened it, by any id under which it came.")
    ),
    responses(
        (status = 200, description = "It is not held back, now or since before.", body = CaseRetention),
        NotFound,
        (status = 410, description = "`erased`: its content is gone, with since when.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn free(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(name): Path<(String, AgencyCode, MessageId)>,
) -> Result<Json<CaseRetention>, ApiError> {
    let (key, permit) = permitted(&gateway, &caller, name).await?;
    let (shared, now) = (Arc::clone(&gateway), gateway.base.now());
    let write = gateway.base.store.write(move |tx| {
        async move {
            hold::free(tx, &shared.base, &permit, &key, now).await?;
            Ok::<_, ApiError>(hold::one(tx, &key, now).await?)
        }
        .boxed()
    });
    let shown = write.await?.ok_or_else(Problem::not_found)?;
    Ok(Json(view(shown)))
}

/// The case, and the proof that the caller may hold it back and let it go: else 404 or 403, audited; 410 when it is erased.
async fn permitted(
    gateway: &Gateway,
    caller: &Caller,
    name: (String, AgencyCode, MessageId),
) -> Result<(CaseKey, Permit<act::CaseHold>), ApiError> {
    let (key, row) = lookup(gateway, caller, name, Action::CaseHold).await?;
    let resource = Resource::case(&row.case.to_string(), caller.agency());
    let permit = gateway.permit(caller, act::CaseHold, &resource, &Context::NONE).await?;
    match row.erased_at {
        Some(at) => Err(erased("The content of the case", at).into()),
        None => Ok((key, permit)),
    }
}

fn faulty(detail: String) -> Problem {
    Problem::unprocessable("body_faulty", []).detail(detail)
}
