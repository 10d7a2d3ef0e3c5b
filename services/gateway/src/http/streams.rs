//! `GET /v1/streams`: how far the exchange has come, and what is missing.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{Gap, IncomingStream, OutgoingStream, Streams},
};
use rovuma_policy::act;

use super::{error::ApiError, openapi::Refusals};
use crate::{gateway::Gateway, messages::streams};

/// Shows the agency's streams in both directions.
#[utoipa::path(
    get, path = "/v1/streams", operation_id = "read_streams", tag = "exchange",
    responses((status = 200, description = "The streams.", body = Streams), Refusals)
)]
pub(crate) async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<Streams>, ApiError> {
    let permit = gateway.permit_own(&caller, act::StreamsRead).await?;
    let now = gateway.base.now();
    let incoming = streams::incoming(&gateway.exchange, &permit, now).await?;
    let outgoing = streams::outgoing(&gateway.exchange, &permit, now).await?;
    Ok(Json(Streams {
        incoming: incoming.into_iter().map(incoming_stream).collect(),
        outgoing: outgoing.into_iter().map(outgoing_stream).collect(),
    }))
}

fn incoming_stream(stream: streams::IncomingStream) -> IncomingStream {
    let gap = |gap: streams::Gap| Gap {
        count: gap.count,
        missing: gap.missing,
        since: gap.since,
        asked_at: gap.asked_at,
        requests: gap.requests,
    };
    IncomingStream {
        sender: stream.sender,
        lane: stream.lane,
        stream: stream.stream,
        last: stream.last,
        announced_at: stream.announced_at,
        gap: stream.gap.map(gap),
    }
}

fn outgoing_stream(stream: streams::OutgoingStream) -> OutgoingStream {
    OutgoingStream {
        recipient: stream.recipient,
        lane: stream.lane,
        stream: stream.stream,
        last: stream.last,
        voided: stream.voided,
        heard_at: stream.heard_at,
    }
}
