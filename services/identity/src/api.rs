//! The API for administrators: users and machine clients of their own agency. One route per file.

mod client;
mod client_change;
mod client_create;
mod client_list;
mod client_read;
mod client_secret;
mod document;
mod error;
mod input;
mod name_list;
mod state;
mod user;
mod user_change;
mod user_create;
mod user_list;
mod user_password;
mod user_read;
mod user_roles;

use std::sync::Arc;

use axum::Router;
use rovuma_api::documented;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// The routes.
pub(crate) fn router() -> Router<Arc<App>> {
    documented::router(described(), &document::FORMS)
}

/// The OpenAPI 3.1 description of `/v1`: what `schemas/openapi/identity.json` holds.
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented::document(described(), &document::FORMS)
}

fn described() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(document::Document::openapi())
        .routes(routes!(user_list::list, user_create::create))
        .routes(routes!(user_read::read, user_change::change))
        .routes(routes!(user_roles::put))
        .routes(routes!(user_password::reset))
        .routes(routes!(name_list::list))
        .routes(routes!(client_list::list, client_create::create))
        .routes(routes!(client_read::read, client_change::change))
        .routes(routes!(client_secret::renew))
}
