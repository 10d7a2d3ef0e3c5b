//! Sends requests in text form to a router in the process, and checks what every response must fulfil.
//!
//! ```text
//! POST /v1/drafts?x=y
//! as: liaison_officer@mz.prm
//! content-type: application/json
//!
//! {"type": …}
//! ```
//!
//! `as` is not a header: it names the caller whose token the request carries. Words in braces such as `{draft}` stand
//! for values of the present store.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header},
};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::place;

/// Maximum bytes of a response that are read: a page of 200 rows is far below.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// A request, read from an input.
#[derive(Clone, Debug)]
pub(crate) struct FuzzRequest {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) caller: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The response. The body of an event stream is not read.
#[derive(Debug)]
pub(crate) struct FuzzResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl FuzzRequest {
    /// Parses an input; `None` when a client could not send such a request.
    pub(crate) fn read(data: &[u8], words: &[(&str, String)]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
        let head = fill(std::str::from_utf8(&data[..end]).ok()?, words);
        let rest = data.get(end + 2..).unwrap_or_default();
        let body = match std::str::from_utf8(rest) {
            Ok(text) => fill(text, words).into_bytes(),
            Err(_) => rest.to_vec(),
        };
        let mut lines = head.split('\n');
        let (method, uri) = lines.next()?.split_once(' ')?;
        let mut asked = Self {
            method: method.parse().ok()?,
            uri: uri.parse().ok()?,
            headers: HeaderMap::new(),
            caller: None,
            body,
        };
        for line in lines {
            let (name, value) = line.split_once(':')?;
            if name == "as" {
                asked.caller = Some(value.trim().to_owned());
            } else {
                let (name, value) =
                    (name.parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?);
                asked.headers.append(name, value);
            }
        }
        Some(asked)
    }

    /// Sends the request with this token.
    pub(crate) async fn send(self, router: &Router, token: Option<String>) -> FuzzResponse {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("a token is ASCII");
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let response = router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let mut answer = FuzzResponse { status: parts.status, headers: parts.headers, body: Vec::new() };
        if !answer.is("text/event-stream") {
            answer.body = to_bytes(body, ANSWER_MAX).await.expect("a body of bearable size").to_vec();
        }
        answer
    }
}

/// Sends a request of the target itself, which must succeed.
pub(crate) async fn send_ok(router: &Router, token: Option<String>, text: &str) -> Value {
    let asked = FuzzRequest::read(text.as_bytes(), &[]).expect("a request");
    let answer = asked.send(router, token).await;
    assert!(answer.status.is_success(), "{text}: {answer:?}");
    answer.json().unwrap_or_default()
}

fn fill(text: &str, words: &[(&str, String)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
}

impl FuzzResponse {
    /// Whether the content has this type.
    pub(crate) fn is(&self, kind: &str) -> bool {
        let found = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        found.is_some_and(|found| found.starts_with(kind))
    }

    /// The body as JSON, when the response declares it as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        let is_json = self.is("application/json") || self.is("application/problem+json");
        is_json.then(|| serde_json::from_slice(&self.body).expect("an answer that says it is JSON is JSON"))
    }

    /// Panics when the service failed, or when a refusal of the API is not a problem (RFC 9457) whose faults point
    /// into `body`.
    pub(crate) fn check_api(&self, asked: &FuzzRequest) {
        assert!(!self.status.is_server_error(), "{asked:?} made the service fail: {self:?}");
        if asked.method == Method::HEAD {
            return;
        }
        let json = self.json();
        if !self.status.is_client_error() {
            return;
        }
        assert!(self.is("application/problem+json"), "{asked:?}: a refusal is no problem: {self:?}");
        let problem = json.unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or_default();
        assert!(!code.is_empty() && problem["status"] == self.status.as_u16(), "{problem}");
        assert_eq!(problem["type"], format!("urn:rovuma:problem:{code}"));
        let document: Option<Value> = serde_json::from_slice(&asked.body).ok();
        let told: Vec<&str> = faults(&problem).filter_map(|fault| fault["pointer"].as_str()).collect();
        for fault in faults(&problem) {
            let text = |name: &str| fault[name].as_str().unwrap_or_default();
            assert!(!text("code").is_empty() && !text("message").is_empty(), "{fault} says nothing");
            assert!(place::is_pointer(text("pointer")), "{fault} points with no pointer");
            let broken = ["not_json", "wrong_encoding", "too_deep", "duplicate_key", "too_large"]
                .contains(&text("code"));
            if let Some(document) = document.as_ref().filter(|_| !broken && !twice(&problem)) {
                assert!(
                    place::leads_into(document, text("pointer"), &told),
                    "{fault} is nowhere in the body"
                );
            }
        }
    }

    /// The request for the next page, if there is one.
    pub(crate) fn next(&self, asked: &FuzzRequest) -> Option<FuzzRequest> {
        if asked.method != Method::GET || self.status != StatusCode::OK {
            return None;
        }
        let next = self.json()?["next"].as_str()?.to_owned();
        let query = asked.uri.query().unwrap_or_default();
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let query: Vec<String> = kept.map(str::to_owned).chain([format!("cursor={next}")]).collect();
        let uri = format!("{}?{}", asked.uri.path(), query.join("&")).parse().ok()?;
        Some(FuzzRequest { uri, ..asked.clone() })
    }
}

fn faults(problem: &Value) -> impl Iterator<Item = &Value> {
    problem["faults"].as_array().into_iter().flatten()
}

/// Names that appear twice make a place ambiguous.
fn twice(problem: &Value) -> bool {
    faults(problem).any(|fault| fault["code"] == "duplicate_key")
}
