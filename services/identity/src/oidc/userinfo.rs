//! The userinfo endpoint (OpenID Connect Core 1.0 §5.3).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_runtime::Problem;
use serde::Serialize;

use crate::caller::{Caller, Who};

#[derive(Serialize)]
struct UserInfo {
    sub: String,
    name: String,
    agency: String,
    roles: Vec<&'static str>,
}

pub(super) async fn show(caller: Caller) -> Response {
    let Who::Person(account) = caller.who() else { return insufficient_scope() };
    if !caller.has_scope("openid") {
        return insufficient_scope();
    }
    let info = UserInfo {
        sub: account.id.to_string(),
        name: account.name.clone(),
        agency: account.agency.to_string(),
        roles: account.roles.iter().map(|role| role.as_str()).collect(),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(info)).into_response()
}

/// RFC 6750 §3.1.
fn insufficient_scope() -> Response {
    let problem = Problem::new(StatusCode::FORBIDDEN, "insufficient_scope")
        .detail("The token was not asked for with scope openid.");
    let mut response = problem.into_response();
    let challenge = HeaderValue::from_static("Bearer realm=\"rovuma\", error=\"insufficient_scope\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}
