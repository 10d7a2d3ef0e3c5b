//! The parts of a service that the shared part of an API needs.

use rovuma_policy::{Actor, Policy};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_tokens::{AccessToken, TokenVerifier};
use rovuma_trail::AuditRecord;

use crate::error::{ApiError, StoreProblems};

/// The state of a service's routes, which get it as an `Arc`.
pub trait ApiState: StoreProblems + Send + Sync + Sized {
    /// The access policy.
    fn policy(&self) -> &Policy;

    /// The verifier of access tokens.
    fn tokens(&self) -> &TokenVerifier;

    /// The present time.
    fn now(&self) -> Timestamp;

    /// A sentence for callers of `agency` when this service does not serve that agency; `None` when it does.
    fn unserved(&self, agency: &AgencyCode) -> Option<String>;

    /// A sentence that says where the caller finds the resources of this kind that are there: `GET /v1/drafts lists …`.
    fn where_listed(&self, kind: &str) -> &'static str;

    /// Writes an audit event in a transaction of its own, for a request that changes nothing else. The event is on
    /// disk when this returns: a route calls it before it hands out anything whose reading is audited.
    fn record(&self, act: AuditRecord) -> impl Future<Output = Result<(), ApiError<Self>>> + Send;

    /// Who acts under a token that holds: agency and roles are the token's unless a service knows better. `None`
    /// refuses the token.
    fn actor(
        &self,
        token: &AccessToken,
    ) -> impl Future<Output = Result<Option<Actor>, ApiError<Self>>> + Send {
        let roles = Actor::roles_from_words(token.roles().iter().map(String::as_str));
        let make = if token.is_machine() { Actor::machine } else { Actor::person };
        let actor = make(token.subject(), token.agency(), roles);
        async { Ok(Some(actor)) }
    }
}
