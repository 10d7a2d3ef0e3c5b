//! Audit events of what callers do.

use rovuma_policy::Actor;
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_trail::Act;
use serde::Serialize;
use serde_json::Value;

/// Something that a caller did, in their session and for their agency. The rest is added by [`Act`]'s own
/// methods; `gateway.trail.record` writes it in the transaction that does the thing.
pub(crate) fn by(actor: &Actor, action: AuditAction, now: Timestamp) -> Act {
    let act = Act::new(now, actor.subject(), action).agency(actor.agency());
    match actor.session() {
        Some(session) => act.session(session),
        None => act,
    }
}

/// A search: what was asked for, which is codes, agencies and times, and how many were found.
pub(crate) fn search(act: Act, filters: &impl Serialize, hits: usize) -> Act {
    let asked = serde_json::to_value(filters).unwrap_or_default();
    let named = asked.as_object().into_iter().flatten().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text.clone())),
        Value::Bool(true) => Some((name, "true".to_owned())),
        _ => None,
    });
    let act = named.fold(act, |act, (name, text)| act.detail(format!("filter.{name}"), text));
    act.detail("hits", hits)
}
