//! Provider metadata: OpenID Connect Discovery 1.0 §3 and RFC 8414 §2, one document for both.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::paths;
use crate::app::App;

#[derive(Serialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    revocation_endpoint: String,
    jwks_uri: String,
    scopes_supported: &'static [&'static str],
    response_types_supported: &'static [&'static str],
    response_modes_supported: &'static [&'static str],
    grant_types_supported: &'static [&'static str],
    subject_types_supported: &'static [&'static str],
    id_token_signing_alg_values_supported: &'static [&'static str],
    token_endpoint_auth_methods_supported: &'static [&'static str],
    token_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    revocation_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    code_challenge_methods_supported: &'static [&'static str],
    claims_supported: &'static [&'static str],
    ui_locales_supported: &'static [&'static str],
    authorization_response_iss_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    claims_parameter_supported: bool,
}

/// The metadata changes only with a new version of the program.
const CACHE: &str = "public, max-age=3600";

/// How clients authenticate, and the algorithms of their assertions.
const AUTH_METHODS: &[&str] = &["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
const AUTH_ALGORITHMS: &[&str] = &["EdDSA", "ES256", "PS256", "RS256"];

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    ([(header::CACHE_CONTROL, CACHE)], Json(metadata(&app))).into_response()
}

fn metadata(app: &App) -> Metadata {
    Metadata {
        issuer: app.issuer.as_str().to_owned(),
        authorization_endpoint: app.issuer.url_of(paths::AUTHORIZE),
        token_endpoint: app.issuer.url_of(paths::TOKEN),
        userinfo_endpoint: app.issuer.url_of(paths::USERINFO),
        revocation_endpoint: app.issuer.url_of(paths::REVOKE),
        jwks_uri: app.issuer.url_of(paths::JWKS),
        scopes_supported: &["openid", "profile"],
        response_types_supported: &["code"],
        response_modes_supported: &["query"],
        grant_types_supported: &["authorization_code", "refresh_token", "client_credentials"],
        subject_types_supported: &["public"],
        id_token_signing_alg_values_supported: &["EdDSA"],
        token_endpoint_auth_methods_supported: AUTH_METHODS,
        token_endpoint_auth_signing_alg_values_supported: AUTH_ALGORITHMS,
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
        revocation_endpoint_auth_signing_alg_values_supported: AUTH_ALGORITHMS,
        code_challenge_methods_supported: &["S256"],
        claims_supported: &[
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "sid",
            "name",
            "agency",
            "roles",
        ],
        ui_locales_supported: &["pt", "sw", "en"],
        authorization_response_iss_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        claims_parameter_supported: false,
    }
}
