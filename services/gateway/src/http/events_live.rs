//! `GET /v1/events/live`: the same events as they happen, as server-sent events (HTML Standard, 9.2).

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
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
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    error::ApiError,
    events::{check_after, view},
    openapi::Refusals,
};
use crate::{
    events::feed::{self, EventBatch},
    gateway::Gateway,
    messages::{
        events,
        live::{LiveStream, STREAMS_MAX},
    },
};

/// A line that carries nothing for this long is kept awake with a comment: less than what the usual
/// proxies and phone networks allow.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// The header in which a client that comes back names the last event it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// The answer to one stream too many.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "read by the derive, to describe the answer")]
pub(crate) enum TooManyStreams {
    /// `too_many_streams`: the caller follows the events on four connections already.
    #[response(status = 429, content_type = "application/problem+json")]
    TooMany(Problem),
}

/// Follows the agency's events as they happen: from `Last-Event-ID` on, or from now on without it.
///
/// Each carries its number as `id`, its word as `event`, and as `data` what `GET /v1/events` gives. The
/// stream ends with the token, and when the gateway stops: come back with a new token and the last id. A person or machine
/// client has at most four streams at a time.
#[utoipa::path(
    get, path = "/v1/events/live", operation_id = "follow_events", tag = "events",
    params(("Last-Event-ID" = Option<i64>, Header, minimum = 0, description = "The number of the last event received.")),
    responses(
        (status = 200, description = "Events as they happen.", body = Event, content_type = "text/event-stream"),
        (status = 409, description = "`after_unknown`: no event has that number yet.",
            body = Problem, content_type = "application/problem+json"),
        TooManyStreams,
        Refusals
    )
)]
pub(crate) async fn follow(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let permit = gateway.permit_own(&caller, act::EventsRead).await?;
    let after = match headers.get(LAST_EVENT_ID) {
        Some(value) => {
            let number = value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok());
            Some(number.filter(|number| *number >= 0).ok_or_else(|| Problem::bad_request("last_event_id"))?)
        }
        None => None,
    };
    let open = gateway.live_streams.open(caller.agency(), caller.subject()).ok_or_else(too_many_streams)?;
    // Followed before the store is read: no event is lost between the two.
    let batches = gateway.base.feed.follow();
    let after = match after {
        Some(after) => {
            check_after(&gateway, after).await?;
            after
        }
        None => feed::last(gateway.base.store.read()).await?,
    };
    let stream = stream(gateway, permit, batches, after, caller.expires(), open);
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

fn too_many_streams() -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams").detail(format!(
        "You follow the events on {STREAMS_MAX} connections already. Close one of them, or use GET /v1/events."
    ))
}

/// The events after number `after`: first those that the store has, then those of `batches`. A client that reads too slowly to
/// get every batch gets what it missed from the store.
fn stream(
    gateway: Arc<Gateway>,
    permit: Permit<act::EventsRead>,
    mut batches: Receiver<Arc<EventBatch>>,
    after: i64,
    until: Timestamp,
    open: LiveStream,
) -> impl Stream<Item = Result<sse::Event, Infallible>> {
    async_stream::stream! {
        // Counted as long as the stream lives.
        let _open = open;
        let mut last = after;
        loop {
            loop {
                let found = match events::after(&gateway.base, &permit, last, PAGE_MAX).await {
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
                if !is_full {
                    break;
                }
            }
            loop {
                match next(&gateway, &mut batches, until).await {
                    Next::Batch(batch) => {
                        for event in batch.of(permit.resource().owner()) {
                            if event.seq > last {
                                last = event.seq;
                                yield Ok(written(&view(event.clone())));
                            }
                        }
                    }
                    Next::Missed => break,
                    Next::End => return,
                }
            }
        }
    }
}

/// The next thing for a live stream to do.
enum Next {
    /// Write the agency's events of this batch.
    Batch(Arc<EventBatch>),
    /// Read the store: batches were missed.
    Missed,
    /// End.
    End,
}

async fn next(gateway: &Gateway, batches: &mut Receiver<Arc<EventBatch>>, until: Timestamp) -> Next {
    let received = tokio::select! {
        received = batches.recv() => received,
        () = gateway.base.shutdown.soft() => return Next::End,
        () = tokio::time::sleep(until.since(gateway.base.now())) => return Next::End,
    };
    match received {
        // The clock is asked again: it may have moved by more than the time that passed.
        _ if until.since(gateway.base.now()).is_zero() => Next::End,
        Ok(batch) => Next::Batch(batch),
        Err(RecvError::Lagged(_)) => Next::Missed,
        Err(RecvError::Closed) => Next::End,
    }
}

fn written(event: &Event) -> sse::Event {
    // A struct of numbers and texts always serialises.
    let data = serde_json::to_string(event).unwrap_or_default();
    sse::Event::default().id(event.seq.to_string()).event(&event.event).data(data)
}
