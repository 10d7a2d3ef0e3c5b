//! What the OpenAPI document says beside the routes.

use rovuma_api::{
    documented::{ParameterForm, UUID_V7},
    openapi::Bearer,
};
use rovuma_runtime::Problem;
use utoipa::OpenApi;

/// The document's frame.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rovuma watchlist",
        description = "Screens travellers, documents and vehicles against the alerts of an installation and imported lists.\n\n\
            A hit is a lead, never authority to detain. What is certain is told to the alert's owner at once, without anybody's doing; \
            everything else waits for a person. Every route needs a bearer token (RFC 9068). A refusal is a problem (RFC 9457) whose `code` is \
            stable. A body is `application/json`, at most 1 MiB, and must keep arriving; a list is imported as `application/octet-stream`, at most 256 MiB. Instants are RFC 3339 in UTC.",
        version = "1",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "this watchlist")),
    tags(
        (name = "screening", description = "What is scanned or typed, and the verdict."),
        (name = "lists", description = "What is screened against, and how old it is; imported lists."),
        (name = "rules", description = "What follows from a match; two people change it."),
        (name = "candidates", description = "What was found, for the second line.")
    ),
    security(("bearer" = [])),
    modifiers(&BEARER)
)]
pub(super) struct Document;

const BEARER: Bearer = Bearer("an issuer that this service is configured to trust");

/// The forms of the parameters.
pub(super) const FORMS: [ParameterForm; 4] = [
    ParameterForm("", "id", UUID_V7),
    ParameterForm("", "proposal", UUID_V7),
    ParameterForm("/v1/rules", "code", "^[a-z_]{1,48}$"),
    ParameterForm("", "name", "^[a-z0-9_-]{2,32}$"),
];

/// What every route may answer instead of what was asked for.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "read by the derive, to describe the answers")]
pub(super) enum Refusals {
    /// `query`, `path`, `limit`, `cursor`, `bad_request`: the request itself is malformed. A query parameter that the route does not declare
    /// is refused.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] Problem),
    /// `unauthenticated`: no token, or one that does not hold; `token_expired`: one that holds in all but its time.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
    /// A policy's code (`role`, `role_kind`, `separation`, `policy_fault`), `agency_not_served`, `second_person`, or `purpose_required`. Audited.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
    /// `storage_unavailable`, `keys_unavailable`: not now; nothing was kept.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
    /// `storage_full`: what is found cannot be kept, so nothing is said.
    #[response(status = 507, content_type = "application/problem+json")]
    Full(#[to_schema] Problem),
}
