//! What is not taken: held for want of a trust list, quarantined, or in conflict with what is known.

use rovuma_envelope::{HoldReason, Unverified};
use rovuma_schemas::{AgencyCode, Digest, RejectedEntry, RejectionCode, audit::AuditAction};
use rovuma_store::Conn;

use super::{Decisions, Door};
use crate::{
    alarm::{self, AlarmKind},
    events::EventKind,
    exchange::{
        held::{self, Held},
        known::Disposition,
        open::VerifiedMessage,
        quarantine::{self, Put, QuarantineReason, Quarantined},
        send::SendError,
    },
};

/// Of the deliveries beyond the quarantine's room one in so many is audited: a forger must not be able to fill
/// the audit log either.
const AUDIT_BEYOND_EVERY: u64 = 1_000;

impl Decisions<'_> {
    /// Two different messages under one identity: kept, alarmed, and answered for what it is. The first
    /// stands.
    pub(super) async fn conflict(
        &mut self,
        tx: &mut Conn,
        door: &Door<'_>,
        bundle: Digest,
        message: &VerifiedMessage,
        kind: AlarmKind,
    ) -> Result<(), SendError> {
        let (agency, id) = (&message.recipient().agency, message.header().id);
        let detail = format!("from {}, digest {}", message.sender(), message.digest());
        alarm::raise(tx, agency, kind, &id.to_string(), &detail, self.now).await?;
        self.quarantine(tx, door, Some(agency), bundle, QuarantineReason::Conflict, kind.as_str()).await?;
        let code = RejectionCode::Conflict;
        let disposition = Disposition::Rejected { code: code.clone(), detail: kind.as_str().to_owned() };
        let audit = self.audit_arrival(tx, message, &disposition).await?;
        let entry = RejectedEntry {
            id,
            digest: message.digest(),
            code,
            detail: kind.as_str().parse().ok(),
            rejected_at: self.now,
            audit,
        };
        self.receipts.rejected(agency, message.sender(), message.recipient().lane, entry);
        Ok(())
    }

    pub(super) async fn hold(
        &mut self,
        tx: &mut Conn,
        door: &Door<'_>,
        digest: Digest,
        recipient: AgencyCode,
        unverified: &Unverified,
        reason: &HoldReason,
    ) -> Result<(), SendError> {
        let unverified_header = unverified.unverified_header();
        let held = Held {
            recipient,
            exchange: door.exchange.to_owned(),
            queue: door.queue.to_owned(),
            unverified_sender: unverified_header
                .map(|header| header.sender.agency.to_string())
                .unwrap_or_default(),
            jws: unverified.unverified_jws().clone(),
            reason: reason.log_code(),
        };
        if held::is_held(tx, &held).await? {
            return Ok(());
        }
        if !held::has_room(tx, &held).await? {
            let (agency, why) = (Some(&held.recipient), held.reason);
            return self.quarantine(tx, door, agency, digest, QuarantineReason::NoRoomToHold, why).await;
        }
        held::put(tx, &held, self.now).await?;
        let act = self
            .act(AuditAction::MessageHold)
            .agency(&held.recipient)
            .object("jws", held.jws.digest())
            .detail("why", held.reason)
            .detail("unverified_sender", &held.unverified_sender);
        self.exchange.base.trail.record(tx, &act).await?;
        self.exchange.base.events.record(tx, &held.recipient, EventKind::MessageHeld, None, 1, self.now);
        Ok(())
    }

    pub(super) async fn quarantine(
        &mut self,
        tx: &mut Conn,
        door: &Door<'_>,
        agency: Option<&AgencyCode>,
        digest: Digest,
        reason: QuarantineReason,
        detail: &str,
    ) -> Result<(), SendError> {
        tracing::warn!(%digest, reason = reason.as_str(), detail, exchange = door.exchange, "quarantined");
        let item = Quarantined {
            digest,
            agency,
            queue: door.queue,
            exchange: door.exchange,
            routing_key: door.unverified_routing_key,
            reason,
            detail,
            body: door.body,
        };
        let put = quarantine::put(tx, &item, self.now).await?;
        let node = AgencyCode::node_of(self.exchange.base.country);
        let owner = agency.unwrap_or(&node);
        alarm::raise(tx, owner, AlarmKind::Quarantined, door.exchange, reason.as_str(), self.now).await?;
        // The alarm counts them all; the audit log tells of each that is kept, and now and then of the rest.
        let beyond = match put {
            Put::New => 0,
            Put::Beyond(beyond) if beyond % AUDIT_BEYOND_EVERY == 1 => beyond,
            Put::Again | Put::Beyond(_) => return Ok(()),
        };
        let act = self
            .act(AuditAction::MessageQuarantine)
            .agency(owner)
            .object("bundle", digest)
            .refused(reason.as_str())
            .detail("detail", detail)
            .detail("exchange", door.exchange)
            .detail("beyond", beyond);
        self.exchange.base.trail.record(tx, &act).await?;
        self.exchange.base.events.record(tx, owner, EventKind::DeliveryQuarantined, None, 1, self.now);
        Ok(())
    }
}
