//! `GET /v1/events/live`: the same events as they happen, as server-sent events (HTML Standard, 9.2).

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{self, KeepAlive, Sse},
    },
};
use futures::Stream;
use rovuma_api::{Access as _, Caller, answers::gateway::Event, page::PAGE_MAX};
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::Timestamp;
use rovuma_store::Commits;
use tokio::sync::watch;

use super::{error::ApiError, events::view, openapi::Refusals};
use crate::{gateway::Gateway, messages::events};

/// A line that carries nothing for this long is kept awake with a comment: less than what the usual
/// proxies and phone networks allow.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// The header in which a client that comes back names the last event it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// Follows the agency's events as they happen: from `Last-Event-ID` on, or from now on without it.
///
/// Each carries its number as `id`, its word as `event`, and as `data` what `GET /v1/events` gives. The
/// stream ends with the token, and when the gateway stops: come back with a new token and the last id.
#[utoipa::path(
    get, path = "/v1/events/live", operation_id = "follow_events", tag = "events",
    params(("Last-Event-ID" = Option<i64>, Header, description = "The number of the last event received.")),
    responses(
        (status = 200, description = "Events as they happen.", body = Event, content_type = "text/event-stream"),
        Refusals
    )
)]
pub(crate) async fn follow(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let permit = gateway.permit_own(&caller, act::EventsRead).await?;
    let from = match headers.get(LAST_EVENT_ID) {
        Some(value) => {
            let number = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok());
            number.filter(|number| *number >= 0).ok_or_else(|| Problem::bad_request("last_event_id"))?
        }
        None => events::last(gateway.base.store.read()).await?,
    };
    let stream = stream(gateway, permit, from, caller.expires());
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

fn stream(
    gateway: Arc<Gateway>,
    permit: Permit<act::EventsRead>,
    from: i64,
    until: Timestamp,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    async_stream::stream! {
        let mut commits = gateway.base.store.commits();
        let mut last = from;
        loop {
            // Seen before the question is asked: a commit during it wakes the next turn.
            commits.borrow_and_update();
            let found = match events::after(gateway.base.store.read(), &permit, last, PAGE_MAX).await {
                Ok(found) => found,
                Err(fault) => {
                    tracing::error!(%fault, "a live stream of events ends");
                    return;
                }
            };
            let is_full = u32::try_from(found.len()).is_ok_and(|count| count == PAGE_MAX);
            for event in found {
                last = event.seq;
                yield Ok(written(&view(event)));
            }
            if !is_full && !wait(&gateway, &mut commits, until).await {
                return;
            }
        }
    }
}

/// Waits for a commit; `false` when the stream is to end.
async fn wait(gateway: &Gateway, commits: &mut watch::Receiver<Commits>, until: Timestamp) -> bool {
    let left = until.since(gateway.base.now());
    if left.is_zero() {
        return false;
    }
    tokio::select! {
        changed = commits.changed() => changed.is_ok(),
        () = gateway.base.shutdown.soft() => false,
        () = tokio::time::sleep(left) => false,
    }
}

fn written(event: &Event) -> sse::Event {
    // A struct of numbers and texts always serialises.
    let data = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default().id(event.seq.to_string()).event(&event.event).data(data)
}
