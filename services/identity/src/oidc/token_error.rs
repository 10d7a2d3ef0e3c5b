//! Refusals of the token endpoint (RFC 6749 §5.2).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::fault::Fault;

/// A refusal of a token request.
#[derive(Debug)]
pub(super) enum TokenError {
    InvalidRequest(&'static str),
    /// The client is unknown or not authenticated.
    InvalidClient,
    InvalidGrant,
    /// The scope is wider than the one granted at the log-in.
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
    /// RFC 7009 §2.2.1: tokens of this kind cannot be revoked.
    UnsupportedTokenType,
    /// This service failed.
    Fault(Fault),
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: &'static str,
}

impl<T: Into<Fault>> From<T> for TokenError {
    fn from(fault: T) -> Self {
        Self::Fault(fault.into())
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let (status, error, error_description) = match self {
            Self::InvalidRequest(what) => (StatusCode::BAD_REQUEST, "invalid_request", what),
            Self::InvalidClient => {
                (StatusCode::UNAUTHORIZED, "invalid_client", "the client could not be authenticated")
            }
            Self::InvalidGrant => (
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                "the code or refresh token is unknown, used, expired, or not for this request",
            ),
            Self::InvalidScope => {
                (StatusCode::BAD_REQUEST, "invalid_scope", "the log-in did not grant this scope")
            }
            Self::UnauthorizedClient => {
                (StatusCode::BAD_REQUEST, "unauthorized_client", "this client may not use this grant type")
            }
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "authorization_code, refresh_token and client_credentials are supported",
            ),
            Self::UnsupportedTokenType => (
                StatusCode::BAD_REQUEST,
                "unsupported_token_type",
                "only refresh tokens are revoked; an access token expires within ten minutes",
            ),
            Self::Fault(fault) => {
                fault.log();
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again in a moment")
            }
        };
        let mut response = (status, Json(Body { error, error_description })).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"rovuma\""));
        }
        response
    }
}
