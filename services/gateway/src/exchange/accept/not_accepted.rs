//! Messages that are not accepted: they conflict with an earlier message, are held until a trust list comes, or are
//! quarantined.

use rovuma_envelope::{HoldReason, Unverified};
use rovuma_schemas::{AgencyCode, Digest, RejectedEntry, RejectionCode, audit::AuditAction};
use rovuma_store::Conn;

use super::{Acceptor, DeliveryContext};
use crate::{
    alarm::{self, AlarmKind},
    events::EventKind,
    exchange::{
        conflicts,
        held::{self, HeldMessage},
        known::ReceptionOutcome,
        open::VerifiedMessage,
        quarantine::{self, QuarantineItem, QuarantineOutcome, QuarantineReason},
        send::SendError,
    },
};

/// Once the quarantine is full, one in this many further deliveries is audited: a forger must not be able to fill the audit
/// log either.
const AUDIT_BEYOND_EVERY: u64 = 1_000;

impl Acceptor<'_> {
    /// Acts on a message whose id or number another message has: quarantines it, raises an alarm, and answers with a
    /// rejection. The first message stands.
    pub(super) async fn conflict(
        &mut self,
        tx: &mut Conn,
        context: &DeliveryContext<'_>,
        bundle: Digest,
        message: &VerifiedMessage,
        kind: AlarmKind,
    ) -> Result<(), SendError> {
        let (agency, id) = (&message.recipient().agency, message.header().id);
        let entry = |rejected_at, audit| RejectedEntry {
            id,
            digest: message.digest(),
            code: RejectionCode::Conflict,
            detail: kind.as_str().parse().ok(),
            rejected_at,
            audit,
        };
        if let Some(known) = conflicts::find(tx, self.exchange.base.trail.source(), message).await? {
            metrics::counter!("rovuma_duplicates_total").increment(1);
            if self.may_answer_again(known.answered_at) {
                conflicts::answered(tx, message, self.now).await?;
                let entry = entry(known.first_at, known.audit);
                self.receipts.rejected(agency, message.sender(), message.recipient().lane, entry);
            }
            return Ok(());
        }
        // The message is kept, and the bundle that it came in.
        let kept_bytes = message.jws().unverified_payload().len() + context.body.len();
        if !self.has_room_to_refuse(tx, message, kept_bytes).await? {
            return Ok(());
        }
        let detail = format!("from {}, digest {}", message.sender(), message.digest());
        alarm::raise_by(tx, agency, kind, message.sender(), (&id.to_string(), &detail), self.now).await?;
        self.quarantine(tx, context, Some(agency), bundle, QuarantineReason::Conflict, kind.as_str()).await?;
        let outcome =
            ReceptionOutcome::Rejected { code: RejectionCode::Conflict, detail: kind.as_str().to_owned() };
        let audit = self.audit_arrival(tx, message, &outcome).await?;
        conflicts::insert(tx, message, kind, &audit, self.now).await?;
        let entry = entry(self.now, audit);
        self.receipts.rejected(agency, message.sender(), message.recipient().lane, entry);
        Ok(())
    }

    /// Quarantines a verified message that is not accepted and cannot be answered, and counts it only when it came before or
    /// its sender causes too many.
    pub(super) async fn set_aside(
        &mut self,
        tx: &mut Conn,
        context: &DeliveryContext<'_>,
        bundle: Digest,
        message: &VerifiedMessage,
        (code, detail): (&RejectionCode, &str),
    ) -> Result<(), SendError> {
        let (agency, reason) = (&message.recipient().agency, QuarantineReason::Unreadable);
        if quarantine::count_repeated(tx, bundle, reason, self.now).await?
            || !self.has_room_to_refuse(tx, message, context.body.len()).await?
        {
            return Ok(());
        }
        if *code == RejectionCode::Clock {
            let sender = message.sender().as_str();
            alarm::raise(tx, agency, AlarmKind::Clock, sender, detail, self.now).await?;
        }
        self.quarantine(tx, context, Some(agency), bundle, reason, detail).await
    }

    /// Holds a message until a trust list decides, unless it is held already.
    pub(super) async fn hold(
        &mut self,
        tx: &mut Conn,
        context: &DeliveryContext<'_>,
        digest: Digest,
        recipient: AgencyCode,
        unverified: &Unverified,
        reason: &HoldReason,
    ) -> Result<(), SendError> {
        let unverified_header = unverified.unverified_header();
        let held = HeldMessage {
            recipient,
            exchange: context.exchange.to_owned(),
            queue: context.queue.to_owned(),
            unverified_sender: unverified_header
                .map(|header| header.sender.agency.to_string())
                .unwrap_or_default(),
            jws: unverified.unverified_jws().clone(),
            reason: reason.log_code(),
        };
        if held::is_held(tx, &held).await? {
            return Ok(());
        }
        if !held::sender_has_room(tx, &held).await? || !held::has_room(tx, &held).await? {
            let (agency, why) = (Some(&held.recipient), held.reason);
            return self.quarantine(tx, context, agency, digest, QuarantineReason::NoRoomToHold, why).await;
        }
        held::insert(tx, &held, self.now).await?;
        let record = self
            .audit_record(AuditAction::MessageHold)
            .agency(&held.recipient)
            .object("jws", held.jws.digest())
            .detail("why", held.reason)
            .detail("unverified_sender", &held.unverified_sender);
        self.exchange.base.trail.record(tx, &record).await?;
        self.exchange.base.events.record(tx, &held.recipient, EventKind::MessageHeld, None, 1, self.now);
        Ok(())
    }

    /// Stores a delivery in the quarantine, raises an alarm and records it.
    pub(super) async fn quarantine(
        &mut self,
        tx: &mut Conn,
        context: &DeliveryContext<'_>,
        agency: Option<&AgencyCode>,
        digest: Digest,
        reason: QuarantineReason,
        detail: &str,
    ) -> Result<(), SendError> {
        tracing::warn!(%digest, reason = reason.as_str(), detail, exchange = context.exchange, "quarantined");
        let item = QuarantineItem {
            digest,
            agency,
            queue: context.queue,
            exchange: context.exchange,
            routing_key: context.unverified_routing_key,
            reason,
            detail,
            body: context.body,
        };
        let outcome = quarantine::store(tx, &item, self.now).await?;
        let node = AgencyCode::node_of(self.exchange.base.country);
        let owner = agency.unwrap_or(&node);
        let alarm = format!("{} in {}", reason.as_str(), context.queue);
        alarm::raise(tx, owner, AlarmKind::Quarantined, context.exchange, &alarm, self.now).await?;
        // The alarm counts every delivery; the audit log has each one that is stored, and one in a thousand of the rest.
        let beyond = match outcome {
            QuarantineOutcome::Stored => 0,
            QuarantineOutcome::Full(beyond) if beyond % AUDIT_BEYOND_EVERY == 1 => beyond,
            QuarantineOutcome::AlreadyStored | QuarantineOutcome::Full(_) => return Ok(()),
        };
        let record = self
            .audit_record(AuditAction::MessageQuarantine)
            .agency(owner)
            .object("bundle", digest)
            .refused(reason.as_str())
            .detail("detail", detail)
            .detail("exchange", context.exchange)
            .detail("beyond", beyond);
        self.exchange.base.trail.record(tx, &record).await?;
        self.exchange.base.events.record(tx, owner, EventKind::DeliveryQuarantined, None, 1, self.now);
        Ok(())
    }
}
