//! OpenID Connect: what clients and browsers speak with, one file per endpoint.

mod authorize;
mod client_auth;
mod code;
mod discovery;
mod grant;
mod jwks;
mod login;
mod page;
mod request;
mod scope;
mod sender;
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
        .route(JWKS, get(jwks::show))
        .route(AUTHORIZE, get(authorize::show).post(login::submit))
        .route(TOKEN, post(token::issue))
        .route(USERINFO, get(userinfo::show).post(userinfo::show))
}

pub(crate) const JWKS: &str = "/oauth2/jwks.json";
pub(crate) const AUTHORIZE: &str = "/oauth2/authorize";
pub(crate) const TOKEN: &str = "/oauth2/token";
pub(crate) const USERINFO: &str = "/oauth2/userinfo";
