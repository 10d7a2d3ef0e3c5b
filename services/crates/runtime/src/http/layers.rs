//! The layers around every router: a span, the body limit, caught panics, a problem for every refusal.

use std::{any::Any, time::Instant};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::{Instrument, error, field, info_span};

use super::{LongBody, Problem, long_body, problem::PROBLEM_JSON};
use crate::shutdown::panic_text;

/// The largest request body, but for a [`LongBody`]. Four times the largest message, so that a draft with its JSON escapes fits.
pub const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// Maximum length of a refusal of the framework itself, which is a short sentence. A longer body is not replaced.
const PLAIN_ANSWER_BYTES: usize = 4 * 1024;

/// Wraps `router` with the layers that [`super::serve`] gives it; for tests that call a router directly.
pub fn with_layers(router: Router) -> Router {
    with_long_bodies(router, &[])
}

/// Wraps `router` with the layers that [`super::serve_long_bodies`] gives it; for tests that call a router directly.
pub fn with_long_bodies(router: Router, long: &'static [LongBody]) -> Router {
    router
        .fallback(async || Problem::not_found().detail("There is nothing at this address."))
        .layer(CatchPanicLayer::custom(on_panic))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(long, long_body::limited))
        .layer(from_fn(super::body::bodies_keep_arriving))
        .layer(from_fn(plain_refusals_become_problems))
        .layer(from_fn(in_span))
}

/// The span of a request. A handler records `message.id`; nothing of the query or the body is recorded.
async fn in_span(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = method_label(request.method());
    let span = info_span!(
        "request",
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
        message.id = field::Empty,
        message.r#type = field::Empty,
        agency = field::Empty,
    );
    crate::trace_context::extract_http(request.headers(), &span);
    let started = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    let _entered = span.enter();
    tracing::debug!(status = status.as_u16(), "answered");
    metrics::histogram!(
        "rovuma_http_request_seconds",
        "method" => method, "route" => route, "status" => status.as_str().to_owned()
    )
    .record(started.elapsed().as_secs_f64());
    response
}

/// The method as a label: one of RFC 9110 and RFC 5789, or `other`. A caller may invent methods of any length, without a
/// token, and a label's values stay in memory for as long as the service runs.
const fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "other",
    }
}

/// Replaces plain-text refusals of the framework (wrong method, body too large, malformed JSON) by problems.
async fn plain_refusals_become_problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || !is_plain(response.headers()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, PLAIN_ANSWER_BYTES).await.unwrap_or_default();
    let mut problem = Problem::new(status, code_of(status));
    if status.is_client_error() && !text.is_empty() {
        problem = problem.detail(String::from_utf8_lossy(&text).into_owned());
    }
    let mut answer = problem.into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
    }
    answer
}

fn is_plain(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("text/plain");
    kind.starts_with("text/plain") && !kind.starts_with(PROBLEM_JSON)
}

fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::UNPROCESSABLE_ENTITY => "body_faulty",
        _ if status.is_server_error() => "internal",
        _ => "bad_request",
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's trait hands the payload over")]
fn on_panic(payload: Box<dyn Any + Send + 'static>) -> Response<Body> {
    error!("a handler panicked: {}", panic_text(payload.as_ref()));
    Problem::internal().into_response()
}
