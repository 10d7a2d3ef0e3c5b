//! What the OpenAPI document says beside the routes.

use rovuma_api::{
    documented::{AGENCY, ParameterForm, UUID_V7},
    openapi::Bearer,
};
use rovuma_runtime::Problem;
use utoipa::OpenApi;

/// The document's frame.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rovuma audit log",
        description = "Who did what in one country's installation of the exchange.\n\n\
            Every route needs a bearer token (RFC 9068) of an auditor, but for erasures, which a data protection officer \
            orders. An agency's auditor sees the events of that \
            agency; the national auditor, of `<cc>.node`, sees the country's. Every search and every event read is \
            itself written to the log before it is answered. A refusal is a problem (RFC 9457) whose `code` is \
            stable. A body is `application/json`, at most 1 MiB, and must keep arriving. Instants are RFC 3339 in UTC.",
        version = "1",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "this audit service")),
    tags(
        (name = "events", description = "What was done, by whom, to what, and how it ended."),
        (name = "logs", description = "The Merkle trees over the log, one a year: heads that both countries sign, and their files (C2SP tlog-tiles)."),
        (name = "sources", description = "Whether the log is whole: how far each source has come, what is missing, alarms.")
    ),
    security(("bearer" = [])),
    modifiers(&BEARER)
)]
pub(super) struct Document;

const BEARER: Bearer = Bearer("an issuer that this service is configured to trust");

/// A word with dots: an action, a source.
const WORDS: &str = "^[A-Za-z0-9._-]{1,128}$";

/// One line of text.
const LINE: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,256}$";

/// The forms of the parameters.
pub(super) const FORMS: [ParameterForm; 12] = [
    ParameterForm("", "agency", AGENCY),
    ParameterForm("", "message", UUID_V7),
    ParameterForm("", "action", WORDS),
    ParameterForm("", "object_kind", WORDS),
    ParameterForm("", "source", WORDS),
    ParameterForm("", "actor", LINE),
    ParameterForm("", "object", LINE),
    ParameterForm("", "reference", LINE),
    ParameterForm("", "epoch", "^[0-9a-f]{32}$"),
    ParameterForm("", "name", "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,64}$"),
    ParameterForm("", "service", WORDS),
    ParameterForm("", "year", "^[0-9]{4}(-[0-9]{1,9})?$"),
];

/// What every route may answer instead of what was asked for.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "read by the derive, to describe the answers")]
pub(super) enum Refusals {
    /// `query`, `path`, `limit`, `cursor`, `range`, `body`, `name`, `bad_request`: the request itself is malformed, or asks for
    /// too much at once. A query parameter that the route does not declare is refused. `unknown_action`, `unknown_actor`,
    /// `unknown_agency`, `unknown_object_kind`, `unknown_source`: a search names what nobody knows and no entry has.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] Problem),
    /// `unauthenticated`: no token, or one that does not hold; `token_expired`: one that holds in all but its time.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
    /// A policy's code (`role`, `role_kind`, `other_agency`, `policy_fault`), or `agency_not_served`. Audited.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
    /// `storage_unavailable`, `keys_unavailable`, `log_closed`: not now; nothing was shown.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
    /// `storage_full`: the log cannot write down who looks, so nothing is shown.
    #[response(status = 507, content_type = "application/problem+json")]
    Full(#[to_schema] Problem),
}
