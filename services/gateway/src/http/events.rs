//! `GET /v1/events`: the domain events of the agency, in order. This feed is authoritative; every other notification only
//! tells clients to read it.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{Event, Events},
    cursors::page_limit,
    page::PAGE_MAX,
    request::Query,
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    events::feed::{self, RecordedEvent},
    gateway::Gateway,
    messages::events,
};

/// The query of `GET /v1/events`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// The number of the last event that the caller has; 0, the default, asks from the beginning.
    #[serde(default)]
    #[param(minimum = 0)]
    after: i64,
    /// Events wanted, 1 to 200; 200 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Reads the agency's events after a number.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "list_events", tag = "events",
    params(EventQuery),
    responses(
        (status = 200, description = "Events in order.", body = Events),
        (status = 409, description = "`after_unknown`: no event has that number yet.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<EventQuery>,
) -> Result<Json<Events>, ApiError> {
    let permit = gateway.permit_own(&caller, act::EventsRead).await?;
    let limit = page_limit(query.limit.or(Some(PAGE_MAX)))?;
    if query.after < 0 {
        return Err(Problem::bad_request("query").detail("after must be 0 or more.").into());
    }
    check_after(&gateway, query.after).await?;
    let items = events::after(&gateway.base, &permit, query.after, limit).await?;
    let next = items.last().map_or(query.after, |event| event.seq);
    Ok(Json(Events { items: items.into_iter().map(view).collect(), next }))
}

/// Refuses a number that no event has yet: the store was put back from an older copy, and whoever waited for what follows that
/// number would miss what comes until then.
pub(super) async fn check_after(gateway: &Gateway, after: i64) -> Result<(), ApiError> {
    let last = feed::last(gateway.base.store.read()).await?;
    if after > last {
        return Err(Problem::conflict("after_unknown")
            .detail(format!(
                "The newest event is {last}: the store was put back from an older copy. Go on after {last}, or begin again at 0."
            ))
            .into());
    }
    Ok(())
}

/// An event as the API shows it.
pub(super) fn view(event: RecordedEvent) -> Event {
    Event { seq: event.seq, event: event.event, object: event.object, version: event.version, at: event.at }
}
