//! The caller's language.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use rovuma_schemas::Locale;

/// The language of sentences in the answer, from `Accept-Language` (RFC 9110, 12.5.4); English without that header. An
/// extractor for handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerLocale(pub Locale);

impl<S: Send + Sync> FromRequestParts<S> for CallerLocale {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let wanted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Ok(Self(wanted.map(Locale::negotiate).unwrap_or_default()))
    }
}
