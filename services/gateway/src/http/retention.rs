//! `GET /v1/retention`: what will be erased, and what is held back.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{self as answers, RetentionView},
    request::Query,
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    gateway::Gateway,
    retention::hold::{self, CaseRetention, Hold},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Days ahead when a request does not say.
const DAYS: u32 = 30;

/// Maximum days ahead.
const DAYS_MAX: u32 = 3660;

/// The query of `GET /v1/retention`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RetentionQuery {
    /// Days ahead, 0 to 3660: the cases that are to be erased by then. 30 when absent; with 0, those that are due now.
    #[param(minimum = 0, maximum = 3660)]
    days: Option<u32>,
}

/// Shows what will be erased by itself in the days ahead, and what somebody holds back from erasure. It changes nothing: the cases with
/// `due` are those that the next run erases, if nothing comes in between.
#[utoipa::path(
    get, path = "/v1/retention", operation_id = "read_retention", tag = "cases",
    params(RetentionQuery),
    responses((status = 200, description = "The cases.", body = RetentionView), Refusals)
)]
pub(crate) async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<RetentionQuery>,
) -> Result<Json<RetentionView>, ApiError> {
    let permit = gateway.permit_own(&caller, act::RetentionRead).await?;
    let days = query.days.unwrap_or(DAYS);
    if days > DAYS_MAX {
        return Err(Problem::bad_request("query").detail("days takes 0 to 3660.").into());
    }
    let at = gateway.base.now();
    let until = at.plus(DAY * days);
    let mut conn = gateway.base.store.read().acquire().await?;
    let outlook = hold::outlook(&mut conn, &permit, until, at).await?;
    drop(conn);
    Ok(Json(RetentionView {
        at,
        until,
        upcoming_count: outlook.upcoming_count,
        upcoming: outlook.upcoming.into_iter().map(view).collect(),
        held_count: outlook.held_count,
        held: outlook.held.into_iter().map(view).collect(),
    }))
}

/// What retention does with a case, as the API shows it.
pub(super) fn view(case: CaseRetention) -> answers::CaseRetention {
    let hold = |hold: Hold| answers::HoldView {
        ground: hold.ground,
        reason: hold.reason,
        until: hold.until,
        set_by: hold.set_by,
        set_at: hold.set_at,
    };
    answers::CaseRetention {
        case: case.case,
        state: case.state,
        messages: case.messages,
        retain_until: case.retain_until,
        erase_at: case.erase_at,
        unsettled: case.is_unsettled,
        due: case.is_due,
        hold: case.hold.map(hold),
    }
}
