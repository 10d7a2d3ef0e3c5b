//! `GET /v1/streams`: how far the exchange has come, and what is missing.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{Access as _, Caller};
use rovuma_policy::act;
use serde::Serialize;
use utoipa::ToSchema;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    gateway::Gateway,
    messages::streams::{self, IncomingStream, OutgoingStream},
};

/// The agency's streams.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Streams {
    /// What others send to the agency: a gap reads "3 messages from tz.tpf missing since 14:02".
    incoming: Vec<IncomingStream>,
    /// What the agency sends to others.
    outgoing: Vec<OutgoingStream>,
}

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
    Ok(Json(Streams { incoming, outgoing }))
}
