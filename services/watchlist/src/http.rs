//! The API, version 1: one file a resource.
//!
//! Every route: who calls ([`Caller`](rovuma_api::Caller)) → may they ([`Access`](rovuma_api::Access)) → do → answer. A refusal is a
//! problem (RFC 9457) with a stable `code`, and an event of the audit log.

mod approvals;
mod candidates;
mod error;
mod expected;
mod imports;
mod innocents;
mod lists;
mod openapi;
mod rules;
mod screen;
mod state;

use std::sync::Arc;

use axum::{Router, http::Method};
use rovuma_api::documented;
use rovuma_runtime::http::LongBody;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{imports::LIST_MAX_BYTES, watchlist::Watchlist};

/// The routes that take long bodies: a list is read as it arrives.
pub(crate) static LONG_BODIES: [LongBody; 1] =
    [LongBody { method: Method::POST, route: "/v1/lists/{name}", limit_bytes: LIST_MAX_BYTES }];

/// The routes.
pub(crate) fn router(watchlist: Arc<Watchlist>) -> Router {
    documented::router(api(), &openapi::FORMS).with_state(watchlist)
}

/// The OpenAPI 3.1 document of the API, as it is kept in `schemas/openapi/watchlist.json`.
pub fn openapi() -> String {
    rovuma_api::openapi::text(&documented::document(api(), &openapi::FORMS))
}

fn api() -> OpenApiRouter<Arc<Watchlist>> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(screen::screen))
        .routes(routes!(expected::list))
        .routes(routes!(lists::list))
        .routes(routes!(imports::import, approvals::propose_removal))
        .routes(routes!(approvals::approve))
        .routes(routes!(candidates::list))
        .routes(routes!(candidates::show))
        .routes(routes!(candidates::decide))
        .routes(routes!(candidates::note_notice))
        .routes(routes!(innocents::list))
        .routes(routes!(innocents::approve))
        .routes(routes!(rules::list))
        .routes(routes!(rules::propose))
        .routes(routes!(rules::approve))
}
