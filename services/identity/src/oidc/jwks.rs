//! The JWK Set (RFC 7517 §5).

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use crate::app::App;

/// Five minutes of caching delay nothing: a key is published a day before it signs.
const CACHE: &str = "public, max-age=300";

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let headers = [(header::CACHE_CONTROL, CACHE), (header::CONTENT_TYPE, "application/jwk-set+json")];
    (headers, Json(app.keys.published())).into_response()
}
