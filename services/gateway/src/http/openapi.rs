//! The parts of the OpenAPI document that belong to no single route.

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
        title = "Rovuma gateway",
        description = "The service through which agencies send and receive signed messages.\n\n\
            Every route needs a bearer token (RFC 9068). The agency is the token's: what belongs to another \
            agency is answered as if it did not exist. A refusal is a problem (RFC 9457) whose `code` is \
            stable; sentences come in the language of `Accept-Language` (pt, sw, en) where they are about a \
            draft. Every POST that does something takes an `Idempotency-Key`: for 24 hours the same request under the same key is \
            answered again and not done again; without a key, a request that is sent again is done again. A body is `application/json`, at most 1 MiB, and must keep arriving. \
            Instants are RFC 3339 in UTC.",
        version = "1",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "this gateway")),
    tags(
        (name = "drafts", description = "Drafts of every family of messages, their checking and their release."),
        (name = "messages", description = "Sending at once; what was received and sent, with receipts and the way it took."),
        (name = "exchange", description = "Whether the exchange works: streams, held messages, quarantine, alarms, trust."),
        (name = "reference", description = "Recipients and code lists."),
        (name = "events", description = "What happened, in order, without content."),
        (name = "screening", description = "What a watchlist compares with what is found at a border post.")
    ),
    components(schemas(Problem)),
    security(("bearer" = [])),
    modifiers(&BEARER)
)]
pub(super) struct Document;

const BEARER: Bearer = Bearer("an issuer that this gateway is configured to trust");

/// A code word, such as a family's facet or a code list's name.
const WORD: &str = "^[A-Za-z0-9_.-]{1,64}$";

/// The forms of the parameters.
pub(super) const FORMS: [ParameterForm; 18] = [
    ParameterForm("/v1/drafts/", "id", UUID_V7),
    ParameterForm("/v1/messages/", "id", UUID_V7),
    ParameterForm("/v1/cases/", "id", UUID_V7),
    ParameterForm("/v1/screening/", "case", UUID_V7),
    ParameterForm("", "owner", AGENCY),
    ParameterForm("", "partner", AGENCY),
    ParameterForm("", "kind", "^[a-z_]{1,48}$"),
    ParameterForm("", "in_reply_to", UUID_V7),
    ParameterForm("", "sender", AGENCY),
    ParameterForm("", "recipient", AGENCY),
    ParameterForm("", "case", "^[a-z_]{1,48}/[a-z]{2}\\.[a-z0-9]{2,16}/[0-9a-f-]{36}$"),
    ParameterForm("", "type", "^[a-z]{1,32}\\.[a-z_]{1,32}$"),
    ParameterForm("", "facet", WORD),
    ParameterForm("", "status", "^(actual|exercise|test)$"),
    ParameterForm("", "reason", "^[A-Za-z0-9._/-]{1,64}$"),
    ParameterForm("", "list", WORD),
    ParameterForm("", "lang", "^(pt|sw|en)$"),
    ParameterForm("", "country", "^[a-z]{2}$"),
];

/// The refusals that every route may answer with.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "read by the derive, to describe the answers")]
pub(super) enum Refusals {
    /// `query`, `path`, `limit`, `cursor`, `reason`, `if_match`, `idempotency_key`, `despite_duplicates`, `bad_request`: the
    /// request itself is malformed. A query parameter that the route does not declare is refused. `unknown_type`, `unknown_facet`,
    /// `unknown_sender`, `unknown_recipient`, `unknown_kind`, `unknown_category`, `unknown_partner`: a list is narrowed to a word
    /// that nobody knows and nothing has.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// `unauthenticated`: no token, or one that does not hold; `token_expired`: one that holds in all but its time.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// A policy's code (`role`, `role_kind`, `separation`, `second_person`, `own_draft`, `other_author`,
    /// `reason_required`, `policy_fault`), `handling_breach` or `agency_not_served`. Audited.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// `storage_unavailable`, `keys_unavailable`: not now; nothing was done.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
    /// `storage_full`: nothing was done and nothing was lost.
    #[response(status = 507, content_type = "application/problem+json")]
    Full(Problem),
}

/// The answer where an id alone does not say which message is meant.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "read by the derive, to describe the answer")]
pub(super) enum AmbiguousId {
    /// `ambiguous_id`: messages of several agencies have this id, and no `sender` was named.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
}
