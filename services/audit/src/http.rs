//! The auditors' API, version 1: one file a route.
//!
//! Every route: who calls ([`Caller`](rovuma_api::Caller)) → may they ([`Access`](rovuma_api::Access)) → look →
//! write down who looked at what, durably → answer. A refusal is a problem (RFC 9457) with a stable `code`, and an event of the log.

mod counts;
mod erasures;
mod error;
mod event;
mod events;
mod evidence;
mod export;
mod logs;
mod openapi;
mod proof;
mod queries;
mod query;
mod reconciliation;
mod sources;
mod state;
#[cfg(test)]
mod tests;
mod words;

use std::sync::Arc;

use axum::{Router, routing::get};
use rovuma_api::documented;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::auditor::Auditor;

/// The API of the log.
pub(crate) fn router(auditor: Arc<Auditor>) -> Router {
    documented::router(api(), &openapi::FORMS).with_state(auditor)
}

/// The OpenAPI 3.1 document of the API, as it is kept in `schemas/openapi/audit.json`.
pub fn openapi() -> String {
    rovuma_api::openapi::text(&documented::document(api(), &openapi::FORMS))
}

fn api() -> OpenApiRouter<Arc<Auditor>> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(events::search))
        .routes(routes!(event::read))
        .routes(routes!(proof::read_proof))
        .routes(routes!(evidence::evidence))
        .routes(routes!(export::export))
        .routes(routes!(counts::count))
        .routes(routes!(queries::list_queries))
        .routes(routes!(queries::save_query, queries::forget_query))
        .routes(routes!(erasures::order))
        .routes(routes!(reconciliation::reconcile))
        .routes(routes!(sources::list))
        .routes(routes!(logs::list_logs))
        .routes(routes!(logs::checkpoint))
        .routes(routes!(logs::pruned))
        // Its path has as many parts as the tile's number: OpenAPI has no word for that.
        .route("/v1/logs/{service}/{year}/tile/{*path}", get(logs::tile))
}
