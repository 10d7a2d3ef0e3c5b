//! The userinfo endpoint (OpenID Connect Core 1.0 §5.3).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_api::{ApiError, Caller};
use rovuma_runtime::Problem;
use serde::Serialize;

use crate::{accounts, app::App};

#[derive(Serialize)]
struct UserInfo {
    sub: String,
    name: String,
    agency: String,
    roles: Vec<&'static str>,
}

pub(super) async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, ApiError<App>> {
    if caller.actor().is_machine() || !caller.has_scope("openid") {
        return Ok(insufficient_scope());
    }
    let mut conn = app.store.read().acquire().await?;
    let account = accounts::by_id(&mut conn, caller.subject().parse()?).await?;
    let account = account.ok_or_else(Problem::unauthenticated)?;
    let info = UserInfo {
        sub: account.id.to_string(),
        name: account.name,
        agency: account.agency.to_string(),
        roles: account.roles.iter().map(|role| role.as_str()).collect(),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(info)).into_response())
}

/// The refusal of RFC 6750 §3.1.
fn insufficient_scope() -> Response {
    let problem = Problem::new(StatusCode::FORBIDDEN, "insufficient_scope")
        .detail("The token does not have the scope openid.");
    let mut response = problem.into_response();
    let challenge = HeaderValue::from_static("Bearer realm=\"rovuma\", error=\"insufficient_scope\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}
