//! The parts that the routes of one message share.

use rovuma_api::{Access as _, ApiState as _, Caller};
use rovuma_policy::{Act, Context, Permit, Resource};
use rovuma_runtime::Problem;
use rovuma_schemas::{
    AgencyCode, MessageId,
    audit::{AuditAction, AuditObject},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::error::{ApiError, erased};
use crate::{
    audit,
    gateway::Gateway,
    messages::lookup::{Lookup, OwnMessage, find},
};

/// Characters of a stated reason: a file reference.
const REASON_MAX: usize = 64;

/// The query of a route of one message: the sender.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SenderQuery {
    /// The agency that sent it. Needed only where the caller's agency has two messages under this id.
    #[param(value_type = Option<String>)]
    pub(super) sender: Option<AgencyCode>,
}

/// The query of a route that shows signed content: the sender, and the reason for reading.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReasonQuery {
    /// The reason for which an auditor reads content: a code or file reference of at most 64 letters, digits and `. _ - /`.
    /// The audit log records the reason, so it must name nobody.
    pub(super) reason: Option<String>,
    /// The agency that sent it. Needed only where the caller's agency has two messages under this id.
    #[param(value_type = Option<String>)]
    pub(super) sender: Option<AgencyCode>,
}

/// A message as a request names it: its id, and its sender where there are two under that id.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageName<'a> {
    pub(super) id: MessageId,
    pub(super) sender: Option<&'a AgencyCode>,
}

/// A stated reason, fit for the audit log.
///
/// # Errors
/// 400 `reason` when it is not a code or reference.
pub(super) fn checked_reason(reason: Option<&str>) -> Result<Option<&str>, ApiError> {
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
/// 404 when the caller's agency has no such message, 403 as the policy says, both audited where it is a
/// refusal; 409 `ambiguous_id` when the agency has several under the id and the request does not say whose.
pub(super) async fn permitted<A: Act + Send>(
    gateway: &Gateway,
    caller: &Caller,
    MessageName { id, sender }: MessageName<'_>,
    act: A,
    context: &Context,
) -> Result<(OwnMessage, Permit<A>), ApiError> {
    tracing::Span::current().record("message.id", tracing::field::display(&id));
    let mut conn = gateway.base.store.read().acquire().await?;
    let lookup = find(&mut conn, caller.agency(), sender, &id).await?;
    drop(conn);
    match lookup {
        Lookup::Own(found) => {
            let permit = gateway.permit(caller, act, &found.resource(), context).await?;
            Ok((found, permit))
        }
        Lookup::Several(senders) => {
            // Who sent them is told to those alone who may do this to any of them.
            let any = Resource::message(&id.to_string(), caller.agency());
            gateway.permit(caller, act, &any, context).await?;
            Err(ambiguous(&senders).into())
        }
        Lookup::OfAnotherAgency | Lookup::NotFound => {
            let object = AuditObject::new("message", id.to_string());
            let is_anothers = matches!(lookup, Lookup::OfAnotherAgency);
            Err(gateway.missing(caller, act.action(), object, is_anothers).await)
        }
    }
}

/// Refuses what only the content of the message can answer, once that is erased. The attempt is audited.
///
/// # Errors
/// 410 `erased`.
pub(super) async fn must_have_content(
    gateway: &Gateway,
    caller: &Caller,
    found: &OwnMessage,
    view: &'static str,
) -> Result<(), ApiError> {
    let Some(at) = found.erased_at() else { return Ok(()) };
    let act = audit::by(caller.actor(), AuditAction::MessageRead, gateway.base.now())
        .object("message", found.id())
        .detail("view", view)
        .failed("erased");
    gateway.record(act).await?;
    Err(erased("The content of the message", at).into())
}

fn ambiguous(senders: &[AgencyCode]) -> Problem {
    let senders: Vec<&str> = senders.iter().map(AgencyCode::as_str).collect();
    Problem::conflict("ambiguous_id").detail(format!(
        "There are messages of several agencies under this id. Say whose: ?sender= with one of {}.",
        senders.join(", ")
    ))
}
