//! Audit events of what callers do, and of what they are refused.

use rovuma_policy::Actor;
use rovuma_schemas::{
    Timestamp,
    audit::{AuditAction, AuditObject},
};
use rovuma_trail::AuditRecord;

use crate::{error::ApiError, state::ApiState};

/// An act of `actor`, in their session and for their agency. The caller adds the rest by [`AuditRecord`]'s methods.
pub fn act_by(actor: &Actor, action: AuditAction, now: Timestamp) -> AuditRecord {
    let act = AuditRecord::new(now, actor.subject(), action).agency(actor.agency());
    match actor.session() {
        Some(session) => act.session(session),
        None => act,
    }
}

/// Records and counts that `actor` was refused the action `asked` on `object`.
pub(crate) async fn record_refusal<S: ApiState>(
    state: &S,
    actor: &Actor,
    asked: &str,
    object: AuditObject,
    reason: &'static str,
) -> Result<(), ApiError<S>> {
    metrics::counter!("rovuma_refusals_total", "reason" => reason).increment(1);
    let act = act_by(actor, AuditAction::AccessRefuse, state.now())
        .object(object.kind, object.id)
        .refused(reason)
        .detail("asked", asked);
    state.record(act).await
}
