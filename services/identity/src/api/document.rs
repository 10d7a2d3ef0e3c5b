//! What the OpenAPI document says beside the routes.

use rovuma_api::{
    documented::{ParameterForm, UUID_V7},
    openapi::Bearer,
};
use rovuma_runtime::{Problem, ProblemFault};
use utoipa::OpenApi;

/// The document's frame.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rovuma identity",
        description = "Users, roles and machine clients of the caller's own agency.\n\n\
            Every route needs a bearer token (RFC 9068) of an `agency_admin`, `/v1/names` of any person who reads drafts, messages or \
            the audit log. What belongs to another agency is \
            answered as if it did not exist. A refusal is a problem (RFC 9457) whose `code` is stable. A body is \
            `application/json`, at most 1 MiB, and must keep arriving. Instants are RFC 3339 in UTC. The OpenID Connect endpoints describe themselves at \
            `/.well-known/openid-configuration`.",
        version = "1",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "this identity service")),
    tags(
        (name = "users", description = "Persons, their roles, their first passwords."),
        (name = "clients", description = "Machine clients: an agency's own systems.")
    ),
    components(schemas(Problem, ProblemFault)),
    security(("bearer" = [])),
    modifiers(&BEARER)
)]
pub(super) struct Document;

const BEARER: Bearer = Bearer("this service");

/// The form of a list of ids.
const IDS: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\
    (,[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}){0,19}$";

/// The forms of the parameters.
pub(super) const FORMS: [ParameterForm; 3] = [
    ParameterForm("/v1/users/", "id", UUID_V7),
    ParameterForm("/v1/names", "ids", IDS),
    ParameterForm("/v1/clients/", "id", "^[a-z]{2}\\.[a-z0-9]{2,16}\\.[a-z0-9-]{2,32}$"),
];

/// What every route may answer instead of what was asked for.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "read by the derive, to describe the answers")]
pub(super) enum Refusals {
    /// `query`, `limit`, `cursor`, `bad_request`: the request itself is malformed. A query parameter that the route does not
    /// declare is refused.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// `unauthenticated`: no token, or one that does not hold, or its owner is disabled; `token_expired`: one that holds in all
    /// but its time.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// A policy's code: `role`, `role_kind`, `separation`, `own_account`, `policy_fault`. Audited.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// `busy`: not now; nothing was done.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
    /// `storage_full`: nothing was done and nothing was lost.
    #[response(status = 507, content_type = "application/problem+json")]
    Full(Problem),
}

/// The answers to a body that will not do.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "read by the derive, to describe the answers")]
pub(super) enum Faulty {
    /// `body_faulty`: every fault with its JSON pointer.
    #[response(status = 422, content_type = "application/problem+json")]
    Faulty(Problem),
}

/// The answer to a name that somebody has.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "read by the derive, to describe the answer")]
pub(super) enum Taken {
    /// `login_taken`, `client_taken`.
    #[response(status = 409, content_type = "application/problem+json")]
    Taken(Problem),
}
