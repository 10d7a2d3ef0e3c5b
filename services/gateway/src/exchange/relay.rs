//! Connects the outbox's relay to the gateway: trust lists in, audit and domain events out.

use std::sync::Arc;

use rovuma_envelope::TrustStore;
use rovuma_outbox::{MovedCopy, RelayHost};
use rovuma_schemas::{Timestamp, VoidReason, audit::AuditAction};
use rovuma_store::{BoxFuture, Conn};
use rovuma_trail::AuditRecord;

use super::{Exchange, SYSTEM};
use crate::events::EventKind;

impl RelayHost for Exchange {
    fn trust(&self) -> Arc<TrustStore> {
        self.trust.current()
    }

    fn queued<'t>(
        &'t self,
        tx: &'t mut Conn,
        copies: &'t [MovedCopy],
        now: Timestamp,
    ) -> BoxFuture<'t, sqlx::Result<()>> {
        Box::pin(async move {
            // A copy that is sent again was recorded as queued the first time; one without a number is no officer's message.
            for copy in copies.iter().filter(|copy| copy.position.is_some() && copy.attempts == 0) {
                self.record_event(tx, copy, EventKind::MessageQueued, now);
            }
            Ok(())
        })
    }

    fn voided<'t>(
        &'t self,
        tx: &'t mut Conn,
        copies: &'t [MovedCopy],
        reason: &'t VoidReason,
        now: Timestamp,
    ) -> BoxFuture<'t, sqlx::Result<()>> {
        Box::pin(async move {
            for copy in copies {
                self.base.trail.record(tx, &void_record(copy, reason, now)).await?;
                self.record_event(tx, copy, EventKind::MessageVoided, now);
            }
            Ok(())
        })
    }
}

fn void_record(copy: &MovedCopy, reason: &VoidReason, now: Timestamp) -> AuditRecord {
    let record = AuditRecord::new(now, SYSTEM, AuditAction::MessageVoid)
        .agency(&copy.sender)
        .object("message", copy.message)
        .detail("recipient", &copy.recipient)
        .detail("lane", copy.lane)
        .detail("reason", reason);
    match copy.position {
        Some(position) => record.detail("stream", position.stream).detail("number", position.number),
        None => record,
    }
}

impl Exchange {
    fn record_event(&self, tx: &mut Conn, copy: &MovedCopy, kind: EventKind, now: Timestamp) {
        self.base.events.record(tx, &copy.sender, kind, Some(&copy.message), 1, now);
    }
}
