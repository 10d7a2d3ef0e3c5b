//! The HTTP API, version 1: one file a route.
//!
//! Every route: who calls ([`Caller`](rovuma_api::Caller)) → load → may they ([`Access`](rovuma_api::Access)) → act,
//! in one transaction with its audit event. A refusal is a problem (RFC 9457) with a stable `code`.

pub(crate) mod error;
pub(crate) mod openapi;

mod agencies;
mod alarms;
mod alert_change;
mod alert_create;
mod alert_discard;
mod alert_list;
mod alert_read;
mod alert_release;
mod alert_return;
mod alert_submit;
mod alert_validate;
mod codes;
mod events;
mod events_live;
mod held;
mod inbox;
mod message;
mod message_jws;
mod message_mark_read;
mod message_read;
mod message_trace;
mod quarantine;
mod sent;
mod state;
mod streams;
mod trust;

use std::sync::Arc;

use axum::Router;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::Gateway;

/// The API of a gateway.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    api().with_state(gateway).into()
}

/// The OpenAPI 3.1 document of the API, as it is kept in `schemas/openapi/gateway.json`.
pub fn openapi() -> String {
    rovuma_api::openapi::text(&api().into_openapi())
}

fn api() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(alert_create::create, alert_list::list))
        .routes(routes!(alert_validate::validate))
        .routes(routes!(alert_read::read, alert_change::change, alert_discard::discard))
        .routes(routes!(alert_submit::submit))
        .routes(routes!(alert_release::release))
        .routes(routes!(alert_return::hand_back))
        .routes(routes!(inbox::list))
        .routes(routes!(sent::list))
        .routes(routes!(message_read::read))
        .routes(routes!(message_mark_read::mark_read))
        .routes(routes!(message_trace::trace))
        .routes(routes!(message_jws::jws))
        .routes(routes!(streams::read))
        .routes(routes!(held::list))
        .routes(routes!(quarantine::list))
        .routes(routes!(alarms::list))
        .routes(routes!(trust::read))
        .routes(routes!(trust::export))
        .routes(routes!(agencies::list))
        .routes(routes!(codes::read))
        .routes(routes!(events::list))
        .routes(routes!(events_live::follow))
}
