//! What the routes of one message share.

use axum::extract::Path;
use rovuma_policy::{Act, Context, Permit};
use rovuma_runtime::Problem;
use rovuma_schemas::{MessageId, audit::AuditObject};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{access, caller::Caller, error::ApiError};
use crate::{
    gateway::Gateway,
    messages::found::{Found, Lookup, find},
};

/// Characters of a stated reason: a file reference.
const REASON_MAX: usize = 64;

/// Why the caller reads.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Why {
    /// Why an auditor reads content: a code or file reference of at most 64 letters, digits and `. _ - /`.
    /// It is logged, so it names nobody.
    pub(super) reason: Option<String>,
}

/// A stated reason, fit for the audit log.
///
/// # Errors
/// 400 `reason` when it is not a code or reference.
pub(super) fn stated(reason: Option<&str>) -> Result<Option<&str>, ApiError> {
    let fits = |text: &&str| {
        (1..=REASON_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/'))
    };
    match reason {
        Some(text) if !fits(&text) => Err(Problem::bad_request("reason")
            .detail("reason takes a code or file reference: 1 to 64 letters, digits and . _ - /")
            .into()),
        stated => Ok(stated),
    }
}

/// The message, and the proof that the caller may do `act` to it.
///
/// # Errors
/// 404 when the caller's agency has no such message, 403 as the policy says; both audited where it is a
/// refusal.
pub(super) async fn permitted<A: Act>(
    gateway: &Gateway,
    caller: &Caller,
    Path(id): Path<MessageId>,
    act: A,
    context: &Context,
) -> Result<(Found, Permit<A>), ApiError> {
    tracing::Span::current().record("message.id", tracing::field::display(&id));
    let mut conn = gateway.store.read().acquire().await?;
    let lookup = find(&mut conn, caller.agency(), &id).await?;
    drop(conn);
    let Lookup::Own(found) = lookup else {
        let object = AuditObject::new("message", id.to_string());
        let is_anothers = matches!(lookup, Lookup::Anothers);
        return Err(access::missing(gateway, caller, act.action(), object, is_anothers).await);
    };
    let permit = access::permit(gateway, caller, act, &found.resource(), context).await?;
    Ok((found, permit))
}
