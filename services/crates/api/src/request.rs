//! The parts of a request, read so that each refusal is a problem in our own words.

use std::error::Error as _;

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, Request,
        path::ErrorKind,
        rejection::{BytesRejection, FailedToBufferBody, PathRejection},
    },
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use rovuma_runtime::Problem;
use serde::de::DeserializeOwned;

/// The query of a request.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let parsed = axum::extract::Query::try_from_uri(&parts.uri);
        parsed.map(|axum::extract::Query(query)| Self(query)).map_err(|fault| {
            let reason = fault.source().map(ToString::to_string).unwrap_or_default();
            Problem::bad_request("query").detail(format!("The query is not as documented: {reason}."))
        })
    }
}

/// The parameters in the path of a request.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(parameters)) => Ok(Self(parameters)),
            Err(fault) => Err(bad_path(fault)),
        }
    }
}

fn bad_path(fault: PathRejection) -> Problem {
    let PathRejection::FailedToDeserializePathParams(fault) = fault else {
        tracing::error!(%fault, "a route reads parameters that its path does not have");
        return Problem::internal();
    };
    let reason = match fault.into_kind() {
        ErrorKind::Message(reason) => reason,
        ErrorKind::DeserializeError { key, message, .. } => format!("{key}: {message}"),
        ErrorKind::ParseErrorAtKey { key, .. } => format!("{key} is not a number in its range"),
        ErrorKind::ParseErrorAtIndex { .. } | ErrorKind::ParseError { .. } => {
            "not a number in its range".to_owned()
        }
        ErrorKind::InvalidUtf8InPathParam { key } => format!("{key} is not UTF-8"),
        mistake => {
            tracing::error!(%mistake, "a route reads parameters that its path does not have");
            return Problem::internal();
        }
    };
    Problem::bad_request("path").detail(format!("A part of the address is not as documented: {reason}."))
}

/// A body of JSON, not yet parsed: 415 unless the request says so by its `Content-Type`, and without `Content-Encoding`.
#[derive(Clone, Debug)]
pub struct JsonBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_plain_json(request.headers()) {
            return Err(unsupported_media_type());
        }
        whole_body(request, state).await.map(Self)
    }
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?").trim());
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim_end();
    let is_encoded =
        text(header::CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    essence.eq_ignore_ascii_case("application/json") && !is_encoded
}

/// A body of JSON, not yet parsed, or none: 415 as [`JsonBody`] where there is one.
#[derive(Clone, Debug)]
pub struct OptionalJsonBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for OptionalJsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_plain_json(request.headers());
        let body = whole_body(request, state).await?;
        if body.is_empty() || is_json { Ok(Self(body)) } else { Err(unsupported_media_type()) }
    }
}

fn unsupported_media_type() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
        .detail("Send the body as Content-Type: application/json, without Content-Encoding.")
}

async fn whole_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|fault| match fault {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            rovuma_runtime::http::body_too_large()
        }
        _ => Problem::bad_request("bad_request")
            .detail("The body did not arrive whole. Send the request again."),
    })
}

/// A body of JSON of the form `T`: 415 as [`JsonBody`], and 422 `body_faulty` when it has another form.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBody(body) = JsonBody::from_request(request, state).await?;
        serde_json::from_slice(&body).map(Self).map_err(|fault| {
            Problem::unprocessable("body_faulty", [])
                .detail(format!("The body is not as documented: {fault}."))
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::post};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(request: Request) -> (u16, String) {
        let path = async |Path(number): Path<u8>, Query(one): Query<One>, Body(two): Body<One>| {
            format!("{number} {} {}", one.a, two.a)
        };
        let router = Router::new().route("/{number}", post(path));
        let answer = router.oneshot(request).await.expect("answers");
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 4096).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct One {
        a: u8,
    }

    fn request(uri: &str, headers: &[(&str, &str)], body: &'static str) -> Request {
        let mut request = axum::http::Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(axum::body::Body::from(body)).expect("a request")
    }

    const JSON: (&str, &str) = ("content-type", "application/json");

    #[tokio::test]
    async fn what_is_as_documented_is_taken() {
        for json in [JSON, ("content-type", "Application/JSON; charset=utf-8")] {
            let identity = ("content-encoding", "identity");
            let answer = ask(request("/7?a=1", &[json, identity], "{\"a\":2}")).await;
            assert_eq!(answer, (200, "7 1 2".to_owned()));
        }
    }

    #[tokio::test]
    async fn each_part_is_refused_in_our_own_words() {
        for (uri, body, status, code) in [
            ("/300?a=1", "{\"a\":2}", 400, "path"),
            ("/%ff?a=1", "{\"a\":2}", 400, "path"),
            ("/7", "{\"a\":2}", 400, "query"),
            ("/7?a=1&a=1", "{\"a\":2}", 400, "query"),
            ("/7?a=x", "{\"a\":2}", 400, "query"),
            ("/7?a=1&b=1", "{\"a\":2}", 400, "query"),
            ("/7?a=1", "{\"a\":2", 422, "body_faulty"),
            ("/7?a=1", "{\"a\":2,\"b\":1}", 422, "body_faulty"),
        ] {
            let (found, text) = ask(request(uri, &[JSON], body)).await;
            assert_eq!(found, status, "{uri} {body}: {text}");
            assert!(text.contains(&format!("\"code\":\"{code}\"")), "{uri} {body}: {text}");
            for foreign in ["Failed to", "Invalid URL", "deserialize", "u8"] {
                assert!(!text.contains(foreign), "{text}");
            }
        }
    }

    #[tokio::test]
    async fn other_media_types_and_encodings_are_refused() {
        let refused: [&[(&str, &str)]; 5] = [
            &[],
            &[("content-type", "text/plain")],
            &[("content-type", "application/jsonl")],
            &[JSON, ("content-encoding", "gzip")],
            &[JSON, ("content-encoding", "identity, gzip")],
        ];
        for headers in refused {
            let (status, text) = ask(request("/7?a=1", headers, "{\"a\":2}")).await;
            assert_eq!(status, 415, "{headers:?}");
            assert!(text.contains("unsupported_media_type"), "{text}");
        }
    }
}
