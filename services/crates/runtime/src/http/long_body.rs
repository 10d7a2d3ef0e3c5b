//! Routes whose bodies are longer than [`BODY_LIMIT_BYTES`](super::BODY_LIMIT_BYTES), because they read them as they arrive.

use axum::{
    RequestExt as _,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{BODY_LIMIT_BYTES, body::body_larger_than};

/// A route whose body may be long. It reads the body piece by piece: nothing may hold it whole.
#[derive(Clone, Debug)]
pub struct LongBody {
    /// The method.
    pub method: Method,
    /// The route, as the router has it: `/v1/lists/{name}`.
    pub route: &'static str,
    /// The largest body.
    pub limit_bytes: usize,
}

/// Refuses a body that is larger than its route takes: with 413 where the request says so, else the body breaks off at the limit.
pub(super) async fn limited(
    State(long): State<&'static [LongBody]>,
    mut request: Request,
    next: Next,
) -> Response {
    let limit = limit_of(long, &request);
    if said_length(request.headers()).is_some_and(|length| length > limit) {
        return body_larger_than(limit).into_response();
    }
    DefaultBodyLimit::max(limit).apply(&mut request);
    next.run(request.with_limited_body()).await
}

fn limit_of(long: &[LongBody], request: &Request) -> usize {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let found = long.iter().find(|long| request.method() == long.method && route == Some(long.route));
    found.map_or(BODY_LIMIT_BYTES, |long| long.limit_bytes)
}

fn said_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
