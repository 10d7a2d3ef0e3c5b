//! The decision on one opened message, in the transaction that carries it out.
//!
//! Everything that is written here was verified before, or says of itself that it was not.

mod apart;
mod transport;

use std::collections::BTreeMap;

use rovuma_broker::Delivery;
use rovuma_envelope::Authorized;
use rovuma_schemas::{
    AgencyCode, Body, Digest, Message, RejectionCode, Timestamp,
    audit::{AuditAction, AuditPosition, WitnessWord},
};
use rovuma_store::Conn;
use rovuma_trail::AuditRecord;

use super::{
    SYSTEM,
    known::{Answer, Arrival, Asked, Disposition, Known, Register, Taken},
    open::{Finding, Opened, Rejected, VerifiedMessage},
    quarantine::QuarantineReason,
    receipt::{self, Entry, ReceiptBook},
    send::SendError,
    stream::{self, StreamKey},
};
use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    events::EventKind,
    exchange::Exchange,
};

/// A receipt of 64 rejections stays within a message, however the details are escaped.
const REJECTION_DETAIL_MAX_CHARS: usize = 300;

/// Where a delivery came from, as the broker says.
pub(crate) struct Door<'a> {
    pub(crate) queue: &'a str,
    pub(crate) exchange: &'a str,
    pub(crate) unverified_routing_key: &'a str,
    pub(crate) body: &'a [u8],
}

impl<'a> Door<'a> {
    /// The door of a delivery that came from `queue`.
    pub(crate) fn of(delivery: &'a Delivery, queue: &'a str) -> Self {
        Self {
            queue,
            exchange: &delivery.exchange,
            unverified_routing_key: &delivery.routing_key,
            body: &delivery.body,
        }
    }
}

/// One transaction's worth of decisions: receipts and stream numbers are gathered and written at its end.
pub(crate) struct Decisions<'g> {
    exchange: &'g Exchange,
    now: Timestamp,
    receipts: ReceiptBook,
    numbers: BTreeMap<StreamKey, Vec<u64>>,
    register: Register,
}

impl<'g> Decisions<'g> {
    /// Nothing decided yet.
    pub(crate) fn new(exchange: &'g Exchange, now: Timestamp) -> Self {
        let (receipts, register) = (ReceiptBook::default(), Register::default());
        Self { exchange, now, receipts, numbers: BTreeMap::new(), register }
    }

    /// Looks for what was taken before under the ids and numbers of all messages at once. Those that were not looked
    /// for here are when they are decided.
    ///
    /// # Errors
    /// [`DbError`] when the store does not answer.
    pub(crate) async fn look_up(&mut self, tx: &mut Conn, opened: &[(usize, Opened)]) -> Result<(), DbError> {
        let findings = opened.iter().flat_map(|(_, opened)| &opened.findings);
        let asked: Vec<Asked<'_>> = findings.filter_map(Finding::asked).collect();
        self.register.look_up(tx, self.exchange.base.trail.source(), &asked).await
    }

    /// Decides on everything that was found in one delivery.
    ///
    /// # Errors
    /// [`SendError`]; the transaction must then be taken back.
    pub(crate) async fn delivery(
        &mut self,
        tx: &mut Conn,
        door: &Door<'_>,
        opened: Opened,
    ) -> Result<(), SendError> {
        let mut quarantined = BTreeMap::new();
        for finding in opened.findings {
            match finding {
                // One row and one alarm for a delivery and reason, however many messages it holds.
                Finding::Quarantined { reason, detail } => {
                    quarantined.entry(reason).or_insert((detail, 0_u32)).1 += 1;
                }
                finding => self.finding(tx, door, opened.agency.as_ref(), opened.digest, finding).await?,
            }
        }
        for (reason, (detail, messages)) in quarantined {
            let detail = if messages > 1 { format!("{detail} (one of {messages})") } else { detail };
            self.quarantine(tx, door, opened.agency.as_ref(), opened.digest, reason, &detail).await?;
        }
        Ok(())
    }

    /// Decides on one message: one that came now, or one that was held and is tried again. `digest` is
    /// that of what lies in `door`.
    ///
    /// # Errors
    /// [`SendError`]; the transaction must then be taken back.
    pub(crate) async fn finding(
        &mut self,
        tx: &mut Conn,
        door: &Door<'_>,
        agency: Option<&AgencyCode>,
        digest: Digest,
        finding: Finding,
    ) -> Result<(), SendError> {
        match finding {
            Finding::Message(both) => {
                let (authorized, message) = *both;
                self.message(tx, door, digest, authorized, message).await
            }
            Finding::Rejected(rejected) => self.reject(tx, door, digest, *rejected).await,
            Finding::Held { unverified, reason, agency } => {
                self.hold(tx, door, digest, agency, &unverified, &reason).await
            }
            Finding::Quarantined { reason, detail } => {
                self.quarantine(tx, door, agency, digest, reason, &detail).await
            }
        }
    }

    /// Writes what was gathered: stream numbers and signed receipts.
    ///
    /// # Errors
    /// [`SendError`]; the transaction must then be taken back.
    pub(crate) async fn finish(mut self, tx: &mut Conn) -> Result<(), SendError> {
        self.register.write(tx).await?;
        for (key, numbers) in &self.numbers {
            let (before, after) = stream::note_numbers(tx, key, numbers, self.now).await?;
            self.tell_gap(tx, key, before, after).await?;
        }
        self.receipts.settle(tx, self.exchange, self.now).await
    }

    async fn message(
        &mut self,
        tx: &mut Conn,
        door: &Door<'_>,
        bundle: Digest,
        authorized: Authorized,
        message: Message,
    ) -> Result<(), SendError> {
        let (exchange, now) = (self.exchange, self.now);
        match message.body {
            Body::Operational(body) => {
                let expired = authorized.is_expired(now);
                let disposition = if expired { Disposition::Inoperative } else { Disposition::Operative };
                let message = VerifiedMessage::Authorized(Box::new(authorized));
                self.numbered(tx, door, bundle, &message, body.facet(), disposition).await
            }
            Body::ReceiptDelivered(receipts) => {
                let entries = receipts.entries.into_iter().map(Entry::from).collect();
                Ok(receipt::take(tx, exchange, &authorized, entries, now).await?)
            }
            Body::ReceiptRead(receipts) => {
                let entries = receipts.entries.into_iter().map(Entry::from).collect();
                Ok(receipt::take(tx, exchange, &authorized, entries, now).await?)
            }
            Body::ReceiptRejected(receipts) => {
                let entries = receipts.entries.into_iter().map(Entry::from).collect();
                Ok(receipt::take(tx, exchange, &authorized, entries, now).await?)
            }
            Body::StreamStatus(status) => Ok(self.announced(tx, &authorized, status).await?),
            Body::StreamRequest(request) => Ok(self.requested(tx, &authorized, &request).await?),
            Body::LinkFault(fault) => Ok(self.link_fault(tx, &authorized, &fault).await?),
            Body::AuditCheckpoint(checkpoint) => {
                Ok(self.witness(tx, &authorized, WitnessWord::Checkpoint(checkpoint)).await?)
            }
            Body::AuditCosignature(cosignature) => {
                Ok(self.witness(tx, &authorized, WitnessWord::Cosignature(cosignature)).await?)
            }
        }
    }

    /// A message with a place in a stream: new, a duplicate, or in conflict with another.
    async fn numbered(
        &mut self,
        tx: &mut Conn,
        door: &Door<'_>,
        bundle: Digest,
        message: &VerifiedMessage,
        facet: Option<&str>,
        disposition: Disposition,
    ) -> Result<(), SendError> {
        let asked = message.asked();
        self.register.look_up(tx, self.exchange.base.trail.source(), &[asked]).await?;
        match self.register.find(&asked) {
            Some(Taken::Id(known)) if known.digest == message.digest() => {
                metrics::counter!("rovuma_duplicates_total").increment(1);
                let answer = known.answer(asked.id);
                self.note_number(message);
                self.answer(message, answer);
                return Ok(());
            }
            Some(Taken::Id(_)) => return self.conflict(tx, door, bundle, message, AlarmKind::Conflict).await,
            Some(Taken::Number) => {
                return self.conflict(tx, door, bundle, message, AlarmKind::NumberReused).await;
            }
            None => {}
        }
        let audit = self.audit_arrival(tx, message, &disposition).await?;
        let known = Known { digest: message.digest(), received_at: self.now, disposition, audit };
        self.note_number(message);
        self.answer(message, known.answer(asked.id));
        if matches!(known.disposition, Disposition::Operative) {
            let (agency, kind) = (&asked.recipient.agency, EventKind::MessageReceived);
            self.exchange.base.events.record(tx, agency, kind, Some(&asked.id), 1, self.now);
        }
        self.register.keep(Arrival {
            header: message.header(),
            recipient: message.recipient(),
            digest: message.digest(),
            compact: message.jws().to_compact(),
            signer: message.signer(),
            facet: facet.map(str::to_owned),
            known,
        });
        Ok(())
    }

    async fn reject(
        &mut self,
        tx: &mut Conn,
        door: &Door<'_>,
        bundle: Digest,
        rejected: Rejected,
    ) -> Result<(), SendError> {
        let Rejected { message, code, detail } = rejected;
        // It repeats words of the sender's and goes back in a receipt with up to 63 others.
        let detail: String = detail.chars().take(REJECTION_DETAIL_MAX_CHARS).collect();
        if code == RejectionCode::Clock {
            let (agency, sender) = (&message.recipient().agency, message.sender());
            alarm::raise(tx, agency, AlarmKind::Clock, sender.as_str(), &detail, self.now).await?;
        }
        if message.recipient().number.is_none() || message.recipient().stream.is_none() {
            // Receipts, stream and link messages are never answered.
            let agency = Some(&message.recipient().agency);
            return self.quarantine(tx, door, agency, bundle, QuarantineReason::Unreadable, &detail).await;
        }
        self.numbered(tx, door, bundle, &message, None, Disposition::Rejected { code, detail }).await
    }

    fn note_number(&mut self, message: &VerifiedMessage) {
        let recipient = message.recipient();
        let (Some(stream), Some(number)) = (recipient.stream, recipient.number) else { return };
        let key = StreamKey {
            recipient: recipient.agency.clone(),
            sender: message.sender().clone(),
            lane: recipient.lane,
            stream,
        };
        self.numbers.entry(key).or_default().push(number);
    }

    fn answer(&mut self, message: &VerifiedMessage, answer: Answer) {
        let (own, sender, lane) = (&message.recipient().agency, message.sender(), message.recipient().lane);
        match answer {
            Answer::Delivered(entry) => self.receipts.delivered(own, sender, lane, entry),
            Answer::Rejected(entry) => self.receipts.rejected(own, sender, lane, entry),
        }
    }

    async fn audit_arrival(
        &self,
        tx: &mut Conn,
        message: &VerifiedMessage,
        disposition: &Disposition,
    ) -> Result<AuditPosition, DbError> {
        let rejection = disposition.rejection();
        let received = rejection.is_none();
        let action = if received { AuditAction::MessageReceive } else { AuditAction::MessageReject };
        let mut act = self
            .act(action)
            .agency(&message.recipient().agency)
            .object("message", message.header().id)
            .detail("from", message.sender())
            .detail("type", message.header().message_type.chars().take(64).collect::<String>())
            .detail("digest", message.digest())
            .reference(message.header().reference.as_deref());
        if let Some((code, _)) = rejection {
            act = act.refused(code.to_string());
        }
        Ok(self.exchange.base.trail.record(tx, &act).await?)
    }

    /// Something that the gateway does by itself, now.
    fn act(&self, action: AuditAction) -> AuditRecord {
        AuditRecord::new(self.now, SYSTEM, action)
    }
}
