//! `GET /v1/expected`: what left the other country towards a border post of ours.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, ApiState as _, Caller, act_by,
    answers::watchlist::{ExpectedAtPost, ExpectedHit, ExpectedRow},
    request::Query,
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{error::ApiError, openapi::Refusals, screen};
use crate::{
    expected::{self, Expected},
    screen::CALL,
    screening::{AlertFacts, Listed},
    watchlist::Watchlist,
};

/// The query of `GET /v1/expected`.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExpectedQuery {
    /// The border post, a code of `crossings`.
    #[param(pattern = "^[a-z_]{1,48}$")]
    post: String,
}

/// Lists what is expected at a border post, the last found first: what an alert of this installation's agencies is about was found at the same
/// crossing on its way out of the other country, within the last six hours, and has not been screened here since. Of another agency's alert,
/// and of one that is for few eyes, it says whom to telephone. Discreet checks are for the second line. That something was shown is audited.
#[utoipa::path(
    get, path = "/v1/expected", operation_id = "list_expected", tag = "screening",
    params(ExpectedQuery),
    responses((status = 200, description = "What is expected, at most 100.", body = ExpectedAtPost), Refusals)
)]
pub(crate) async fn list(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Query(query): Query<ExpectedQuery>,
) -> Result<Response, ApiError> {
    watchlist.permit_own(&caller, act::ScreenCrossing).await?;
    if !screen::is_code("crossings", &query.post) {
        return Err(Problem::bad_request("query").detail("post is no code of the list crossings.").into());
    }
    let now = watchlist.now();
    let mut conn = watchlist.store.read().acquire().await?;
    let expected = expected::at(&watchlist, &mut conn, &query.post, now).await?;
    drop(conn);
    let is_booth = screen::is_booth(&watchlist, &caller);
    let seen = expected.into_iter().filter(|one| !(is_booth && is_discreet(one)));
    let items: Vec<ExpectedRow> = seen.filter_map(|one| row(&watchlist, &caller, one)).collect();
    if !items.is_empty() {
        let act = act_by(caller.actor(), AuditAction::CandidateSearch, now)
            .detail("filter.state", "expected")
            .detail("filter.post", &query.post)
            .detail("found", items.len());
        watchlist.record(act).await?;
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(ExpectedAtPost { items })).into_response())
}

fn is_discreet(expected: &Expected) -> bool {
    expected.alert.alert.as_ref().is_some_and(AlertFacts::is_discreet)
}

/// What the caller may see of it.
fn row(watchlist: &Watchlist, caller: &Caller, expected: Expected) -> Option<ExpectedRow> {
    let Expected { hit, number, until, alert } = expected;
    let Listed { reference, alert: Some(facts), .. } = alert else { return None };
    let is_seen = facts.is_seen_by(caller.agency());
    Some(ExpectedRow {
        found_at: until.minus(expected::EXPECTED_FOR),
        until,
        action: if is_seen { facts.action() } else { CALL }.to_owned(),
        warnings: facts.warnings.clone(),
        status: facts.status.clone(),
        call: watchlist.agency(&hit.alert.owner).map(|owner| (&owner.config.contact).into()),
        hit: is_seen.then(|| ExpectedHit {
            case: hit.case,
            alert: hit.alert,
            reference,
            matched: hit.matched,
            value: number,
            possible_misuse: hit.possible_misuse,
            discreet: facts.is_discreet(),
            actions: facts.actions,
            flagged: facts.flagged,
        }),
    })
}
