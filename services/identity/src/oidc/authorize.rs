//! The authorization endpoint (RFC 6749 §3.1): shows the log-in page.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    page::{LoginForm, LoginView},
    request::AuthorizationRequest,
    responses::{failed, locale, refuse},
};
use crate::app::App;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let locale = locale(&query, &headers);
    let request = match AuthorizationRequest::parse(&query, &app.applications) {
        Ok(request) => request,
        Err(fault) => return refuse(&app, locale, fault),
    };
    let form = LoginForm { request: &request, query: &query, locale };
    form.show(&app, &headers, StatusCode::OK, LoginView::default()).unwrap_or_else(|fault| failed(&fault))
}
