//! OpenID Connect endpoints for clients and browsers, one file per endpoint.

mod authorize;
mod client_address;
mod client_auth;
mod code;
mod discovery;
mod form_token;
mod grant;
mod jwks;
mod login;
mod page;
mod paths;
mod refresh;
mod renewal;
mod request;
mod responses;
mod revoke;
mod scope;
mod token;
mod token_error;
mod userinfo;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

pub(crate) use code::prune;

use crate::app::App;

/// The routes.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::show))
        .route("/.well-known/oauth-authorization-server", get(discovery::show))
        .route(paths::JWKS, get(jwks::show))
        .route(paths::AUTHORIZE, get(authorize::show).post(login::submit))
        .route(paths::TOKEN, post(token::issue))
        .route(paths::REVOKE, post(revoke::revoke))
        .route(paths::USERINFO, get(userinfo::show).post(userinfo::show))
}
