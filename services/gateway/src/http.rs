//! The HTTP API, version 1: one file a resource.
//!
//! Every route: who calls ([`Caller`](rovuma_api::Caller)) → load → may they ([`Access`](rovuma_api::Access)) → act,
//! in one transaction with its audit event. A refusal is a problem (RFC 9457) with a stable `code`.

pub(crate) mod error;
pub(crate) mod openapi;

mod agencies;
mod alarms;
mod api_state;
mod case_name;
mod cases;
mod codes;
mod copies;
mod drafts;
mod events;
mod events_live;
mod figures;
mod held;
mod inbox;
mod messages;
mod quarantine;
mod retention;
mod screening;
mod sent;
mod streams;
mod trust;
mod words;

use std::sync::Arc;

use axum::Router;
use rovuma_api::documented;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::Gateway;

/// The API of a gateway.
pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    documented::router(api(), &openapi::FORMS).with_state(gateway)
}

/// The OpenAPI 3.1 document of the API, as it is kept in `schemas/openapi/gateway.json`.
pub fn openapi() -> String {
    rovuma_api::openapi::text(&documented::document(api(), &openapi::FORMS))
}

fn api() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(drafts::create, drafts::list))
        .routes(routes!(drafts::validate))
        .routes(routes!(drafts::read, drafts::change, drafts::discard))
        .routes(routes!(drafts::submit))
        .routes(routes!(drafts::release))
        .routes(routes!(drafts::hand_back))
        .routes(routes!(messages::send))
        .routes(routes!(inbox::list))
        .routes(routes!(sent::list))
        .routes(routes!(messages::read))
        .routes(routes!(messages::mark_read))
        .routes(routes!(messages::trace))
        .routes(routes!(messages::jws))
        .routes(routes!(cases::list))
        .routes(routes!(cases::read))
        .routes(routes!(cases::timeline))
        .routes(routes!(cases::hold, cases::free))
        .routes(routes!(retention::read))
        .routes(routes!(figures::requests))
        .routes(routes!(figures::cases))
        .routes(routes!(screening::alerts))
        .routes(routes!(screening::hits_on_alerts))
        .routes(routes!(screening::listed))
        .routes(routes!(streams::read))
        .routes(routes!(held::list))
        .routes(routes!(quarantine::list))
        .routes(routes!(alarms::list))
        .routes(routes!(alarms::acknowledge))
        .routes(routes!(trust::read))
        .routes(routes!(trust::export))
        .routes(routes!(agencies::list))
        .routes(routes!(codes::read))
        .routes(routes!(events::list))
        .routes(routes!(events_live::follow))
}
