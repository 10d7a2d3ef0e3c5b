//! The parts that the services' OpenAPI documents have in common.

use rovuma_runtime::Problem;
use utoipa::{
    IntoParams, IntoResponses, Modify,
    openapi::{
        OpenApi,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// The security scheme `bearer`: an access token of this issuer (`this service`, `a configured issuer`).
pub struct Bearer(pub &'static str);

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("at+jwt")
            .description(Some(format!(
                "An access token (RFC 9068) of {}. A person logs in by OpenID Connect (authorization code with PKCE). A machine \
                 client posts to the `token_endpoint` that the issuer's `/.well-known/openid-configuration` names, as \
                 `application/x-www-form-urlencoded`, `grant_type=client_credentials`, and authenticates there by HTTP Basic with \
                 its id and secret, or by a signed assertion (`private_key_jwt`, RFC 7523); `expires_in` of the answer says \
                 when to ask again.",
                self.0
            )))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The header of every POST.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive, to describe the parameter")]
pub struct IdempotencyHeader {
    /// 1 to 128 visible ASCII characters, such as a UUID.
    #[param(rename = "Idempotency-Key")]
    key: Option<String>,
}

/// The header that names the version seen.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive, to describe the parameter")]
pub struct IfMatchHeader {
    /// The `ETag` of the version that the caller has read, in quotes.
    #[param(rename = "If-Match")]
    version: Option<String>,
}

/// The header of a PUT that is to replace nothing.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive, to describe the parameter")]
pub struct IfNoneMatchHeader {
    /// `*`: only if there is none yet.
    #[param(rename = "If-None-Match")]
    none: Option<String>,
}

/// The answer about something that is not there, or is another agency's.
#[derive(IntoResponses)]
pub enum NotFound {
    /// `not_found`
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
}

/// The answer to an `If-Match` of an older version.
#[derive(IntoResponses)]
pub enum Outdated {
    /// `version`: it has changed since it was read.
    #[response(status = 412, content_type = "application/problem+json")]
    PreconditionFailed(Problem),
}

/// The answer to a change without `If-Match`.
#[derive(IntoResponses)]
pub enum VersionNotNamed {
    /// `if_match_required`
    #[response(status = 428, content_type = "application/problem+json")]
    PreconditionRequired(Problem),
}

/// The document as the file in `schemas/openapi` holds it.
pub fn text(document: &OpenApi) -> String {
    // A document of strings and lists always serialises.
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
