//! Decides on opened messages and carries each decision out, in one transaction.
//!
//! Whatever it stores as received was verified before; what was not is stored as held or quarantined.

mod not_accepted;
pub(crate) mod transport;

use std::collections::BTreeMap;

use rovuma_broker::Delivery;
use rovuma_envelope::Authorized;
use rovuma_schemas::{
    AgencyCode, Body, Digest, Message, MessageId, RejectionCode, Timestamp,
    audit::{AuditAction, AuditPosition, WitnessMessage},
};
use rovuma_store::Conn;
use rovuma_trail::AuditRecord;

use super::{
    SYSTEM,
    known::{
        EarlierMessage, KnownMessage, KnownMessages, MessageIdentity, NewMessage, OwedReceipt,
        REJECTED_KEPT_MAX_BYTES, ReceptionOutcome,
    },
    open::{OpenedDelivery, OpenedMessage, RejectedMessage, VerifiedMessage},
    quarantine,
    receipt::{self, IncomingEntry, PendingReceipts},
    refusals,
    send::SendError,
    stream::{Brought, IncomingStreamKey, NumberSet},
};
use crate::{
    alarm::{self, AlarmKind},
    cases::{
        kept::Contribution,
        project::{self, NewInCase},
    },
    error::DbError,
    events::EventKind,
    exchange::Exchange,
};

/// Maximum length of a rejection's detail: with it, a receipt of 64 rejections stays within the size of a message, however
/// JSON escapes the details.
const REJECTION_DETAIL_MAX_CHARS: usize = 300;

/// A delivery as the broker handed it over: where it came from, and its bytes.
pub(crate) struct DeliveryContext<'a> {
    pub(crate) queue: &'a str,
    pub(crate) exchange: &'a str,
    pub(crate) unverified_routing_key: &'a str,
    pub(crate) body: &'a [u8],
}

impl<'a> DeliveryContext<'a> {
    /// The context of a delivery from `queue`.
    pub(crate) fn of(delivery: &'a Delivery, queue: &'a str) -> Self {
        Self {
            queue,
            exchange: &delivery.exchange,
            unverified_routing_key: &delivery.routing_key,
            body: &delivery.body,
        }
    }
}

/// Decides on the messages of one transaction. It gathers receipts and stream numbers, and [`finish`](Self::finish) writes
/// them, so that many messages share a signature and a row.
pub(crate) struct Acceptor<'g> {
    exchange: &'g Exchange,
    now: Timestamp,
    receipts: PendingReceipts,
    numbers: BTreeMap<IncomingStreamKey, Vec<Arrival>>,
    known: KnownMessages,
    /// The messages that stand in cases.
    in_cases: Vec<NewInCase>,
}

/// A number under which a message came.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    number: u64,
    /// The message, if it is new and was accepted. A duplicate, or one that is rejected, contradicts no earlier word about the
    /// number: a copy that was on the way when its key was found to be compromised is both rejected and made void.
    accepted: Option<MessageId>,
}

impl<'g> Acceptor<'g> {
    /// An acceptor for a transaction that begins now.
    pub(crate) fn new(exchange: &'g Exchange, now: Timestamp) -> Self {
        let (receipts, known) = (PendingReceipts::default(), KnownMessages::default());
        Self { exchange, now, receipts, numbers: BTreeMap::new(), known, in_cases: Vec::new() }
    }

    /// Looks up earlier messages with the ids and numbers of all these messages at once. This saves queries: a message that
    /// is not among them is looked up when it is decided on.
    pub(crate) async fn look_up(
        &mut self,
        tx: &mut Conn,
        opened: &[(usize, OpenedDelivery)],
    ) -> Result<(), DbError> {
        let messages = opened.iter().flat_map(|(_, opened)| &opened.messages);
        let identities: Vec<MessageIdentity<'_>> = messages.filter_map(OpenedMessage::identity).collect();
        self.known.look_up(tx, self.exchange.base.trail.source(), &identities).await
    }

    /// Decides on every message of one delivery. After an error the transaction must be rolled back.
    pub(crate) async fn delivery(
        &mut self,
        tx: &mut Conn,
        context: &DeliveryContext<'_>,
        opened: OpenedDelivery,
    ) -> Result<(), SendError> {
        let mut quarantined = BTreeMap::new();
        for message in opened.messages {
            match message {
                // One row and one alarm for a delivery and reason, however many messages it holds.
                OpenedMessage::Quarantined { reason, detail } => {
                    quarantined.entry(reason).or_insert((detail, 0_u32)).1 += 1;
                }
                message => self.message(tx, context, opened.agency.as_ref(), opened.digest, message).await?,
            }
        }
        for (reason, (detail, messages)) in quarantined {
            let detail = if messages > 1 { format!("{detail} (one of {messages})") } else { detail };
            self.quarantine(tx, context, opened.agency.as_ref(), opened.digest, reason, &detail).await?;
        }
        Ok(())
    }

    /// Decides on one message: one that arrived now, or one that was held and is tried again. `digest` is the SHA-256 of the
    /// context's body. After an error the transaction must be rolled back.
    pub(crate) async fn message(
        &mut self,
        tx: &mut Conn,
        context: &DeliveryContext<'_>,
        agency: Option<&AgencyCode>,
        digest: Digest,
        message: OpenedMessage,
    ) -> Result<(), SendError> {
        match message {
            OpenedMessage::Authorized(both) => {
                let (authorized, message, contribution) = *both;
                self.accept(tx, context, digest, authorized, (message, contribution)).await
            }
            OpenedMessage::Rejected(rejected) => self.reject(tx, context, digest, *rejected).await,
            OpenedMessage::Held { unverified, reason, agency } => {
                self.hold(tx, context, digest, agency, &unverified, &reason).await
            }
            OpenedMessage::Quarantined { reason, detail } => {
                self.quarantine(tx, context, agency, digest, reason, &detail).await
            }
        }
    }

    /// Writes the gathered messages, stream numbers and signed receipts. After an error the transaction must be rolled back.
    pub(crate) async fn finish(mut self, tx: &mut Conn) -> Result<(), SendError> {
        self.known.write(tx).await?;
        project::add(tx, &self.exchange.base, std::mem::take(&mut self.in_cases), self.now).await?;
        let numbers = std::mem::take(&mut self.numbers);
        let brought: Vec<(IncomingStreamKey, Brought)> = numbers
            .iter()
            .map(|(key, arrivals)| {
                let numbers = NumberSet::of(arrivals.iter().map(|arrival| arrival.number));
                (key.clone(), Brought { numbers, announced: None })
            })
            .collect();
        let noted = self.note_streams(tx, &brought).await?;
        for ((key, arrivals), noted) in numbers.iter().zip(&noted) {
            self.check_voids(tx, key, arrivals, noted).await?;
        }
        self.receipts.sign_and_enqueue(tx, self.exchange, self.now).await
    }

    /// Acts on a message that was verified, authorised and parsed, as its class asks.
    async fn accept(
        &mut self,
        tx: &mut Conn,
        context: &DeliveryContext<'_>,
        bundle: Digest,
        authorized: Authorized,
        (message, contribution): (Message, Option<Contribution>),
    ) -> Result<(), SendError> {
        let now = self.now;
        match message.body {
            Body::Operational(body) => {
                let expired = authorized.is_expired(now);
                let outcome =
                    if expired { ReceptionOutcome::Inoperative } else { ReceptionOutcome::Operative };
                let message = VerifiedMessage::Authorized(Box::new(authorized));
                let what = (body.facet(), contribution);
                self.numbered(tx, context, bundle, &message, what, outcome).await
            }
            Body::ReceiptDelivered(receipts) => self.receipt(tx, &authorized, receipts.entries).await,
            Body::ReceiptRead(receipts) => self.receipt(tx, &authorized, receipts.entries).await,
            Body::ReceiptListed(receipts) => self.receipt(tx, &authorized, receipts.entries).await,
            Body::ReceiptRejected(receipts) => self.receipt(tx, &authorized, receipts.entries).await,
            Body::StreamStatus(status) => Ok(self.stream_status(tx, &authorized, status).await?),
            Body::StreamRequest(request) => Ok(self.stream_request(tx, &authorized, &request).await?),
            Body::LinkFault(fault) => Ok(self.link_fault(tx, &authorized, &fault).await?),
            Body::AuditCheckpoint(checkpoint) => {
                Ok(self.witness(tx, &authorized, WitnessMessage::Checkpoint(checkpoint)).await?)
            }
            Body::AuditCosignature(cosignature) => {
                Ok(self.witness(tx, &authorized, WitnessMessage::Cosignature(cosignature)).await?)
            }
        }
    }

    /// Acts on a receipt, the first time that its bytes come.
    async fn receipt<E: Into<IncomingEntry>>(
        &mut self,
        tx: &mut Conn,
        authorized: &Authorized,
        entries: Vec<E>,
    ) -> Result<(), SendError> {
        if !receipt::is_first(tx, authorized, self.now).await? {
            metrics::counter!("rovuma_duplicates_total").increment(1);
            return Ok(());
        }
        let entries = entries.into_iter().map(Into::into).collect();
        Ok(receipt::accept(tx, self.exchange, authorized, entries, self.now).await?)
    }

    /// Acts on a message with a number in a stream: stores a new one, answers a duplicate again, and reports one that
    /// conflicts with another.
    async fn numbered(
        &mut self,
        tx: &mut Conn,
        context: &DeliveryContext<'_>,
        bundle: Digest,
        message: &VerifiedMessage,
        (facet, contribution): (Option<&str>, Option<Contribution>),
        outcome: ReceptionOutcome,
    ) -> Result<(), SendError> {
        let identity = message.identity();
        self.known.look_up(tx, self.exchange.base.trail.source(), &[identity]).await?;
        match self.known.find(&identity) {
            Some(EarlierMessage::SameId(known)) if known.digest == message.digest() => {
                metrics::counter!("rovuma_duplicates_total").increment(1);
                // The sender did not get the first receipt, or the broker delivered twice: the same receipt again. Somebody on
                // the way can repeat a bundle without end, and each receipt costs a signature and the line.
                if self.may_answer_again(known.answered_at) {
                    let receipt = known.receipt(identity.id);
                    self.known.answered(&identity, self.now);
                    self.note_number(message, None);
                    self.owe_receipt(message, receipt);
                }
                return Ok(());
            }
            Some(EarlierMessage::SameId(_)) => {
                return self.conflict(tx, context, bundle, message, AlarmKind::Conflict).await;
            }
            Some(EarlierMessage::SameNumber) => {
                return self.conflict(tx, context, bundle, message, AlarmKind::NumberReused).await;
            }
            None => {}
        }
        if let ReceptionOutcome::Rejected { code, detail } = &outcome {
            let (agency, sender) = (&identity.recipient.agency, identity.sender);
            let kept_bytes = REJECTED_KEPT_MAX_BYTES.min(message.jws().unverified_payload().len());
            if !self.has_room_to_refuse(tx, message, kept_bytes).await? {
                return Ok(());
            }
            if *code == RejectionCode::Clock {
                alarm::raise(tx, agency, AlarmKind::Clock, sender.as_str(), detail, self.now).await?;
            }
        }
        let audit = self.audit_arrival(tx, message, &outcome).await?;
        let (digest, now) = (message.digest(), self.now);
        let known = KnownMessage { digest, received_at: now, answered_at: now, outcome, audit };
        let is_accepted = !matches!(known.outcome, ReceptionOutcome::Rejected { .. });
        self.note_number(message, is_accepted.then_some(identity.id));
        self.owe_receipt(message, known.receipt(identity.id));
        if matches!(known.outcome, ReceptionOutcome::Operative) {
            let (agency, kind) = (&identity.recipient.agency, EventKind::MessageReceived);
            self.exchange.base.events.record(tx, agency, kind, Some(&identity.id), 1, self.now);
        }
        // What expired on the way is stored for the record, and opens no case.
        let stands_in_case = !matches!(known.outcome, ReceptionOutcome::Inoperative);
        if let Some(contribution) = contribution.filter(|_| stands_in_case) {
            let agency = &identity.recipient.agency;
            let in_case = NewInCase::new(agency, message.header(), contribution, []);
            self.in_cases.extend(in_case.map(|new| new.delivered(self.now)));
        }
        self.known.add(NewMessage {
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
        context: &DeliveryContext<'_>,
        bundle: Digest,
        rejected: RejectedMessage,
    ) -> Result<(), SendError> {
        let RejectedMessage { message, code, detail, contribution } = rejected;
        // The detail may quote the sender's message, goes back in a receipt with up to 63 others, and is one line of text.
        let detail: String = detail.chars().take(REJECTION_DETAIL_MAX_CHARS).collect();
        let detail = quarantine::one_line(&detail);
        if message.recipient().number.is_none() || message.recipient().stream.is_none() {
            // A message without a number is never answered, so it cannot be rejected.
            return self.set_aside(tx, context, bundle, &message, (&code, detail.as_str())).await;
        }
        let outcome = ReceptionOutcome::Rejected { code, detail };
        self.numbered(tx, context, bundle, &message, (None, contribution), outcome).await
    }

    /// Whether a message that came again, and was answered then, is answered again.
    fn may_answer_again(&self, answered_at: Timestamp) -> bool {
        self.now.since(answered_at) >= self.exchange.timings.answer_again_after()
    }

    /// Whether a refusal of this message, of which `size_bytes` are kept, is recorded and answered, or only counted.
    async fn has_room_to_refuse(
        &self,
        tx: &mut Conn,
        message: &VerifiedMessage,
        size_bytes: usize,
    ) -> Result<bool, DbError> {
        let pair = (&message.recipient().agency, message.sender());
        refusals::has_room(tx, self.exchange, pair, size_bytes, self.now).await
    }

    fn note_number(&mut self, message: &VerifiedMessage, accepted: Option<MessageId>) {
        let recipient = message.recipient();
        let (Some(stream), Some(number)) = (recipient.stream, recipient.number) else { return };
        let key = IncomingStreamKey {
            recipient: recipient.agency.clone(),
            sender: message.sender().clone(),
            lane: recipient.lane,
            stream,
        };
        self.numbers.entry(key).or_default().push(Arrival { number, accepted });
    }

    fn owe_receipt(&mut self, message: &VerifiedMessage, receipt: OwedReceipt) {
        let (own, sender, lane) = (&message.recipient().agency, message.sender(), message.recipient().lane);
        match receipt {
            OwedReceipt::Delivered(entry) => self.receipts.delivered(own, sender, lane, entry),
            OwedReceipt::Rejected(entry) => self.receipts.rejected(own, sender, lane, entry),
        }
    }

    async fn audit_arrival(
        &self,
        tx: &mut Conn,
        message: &VerifiedMessage,
        outcome: &ReceptionOutcome,
    ) -> Result<AuditPosition, DbError> {
        let rejection = outcome.rejection();
        let received = rejection.is_none();
        let action = if received { AuditAction::MessageReceive } else { AuditAction::MessageReject };
        let mut record = self
            .audit_record(action)
            .agency(&message.recipient().agency)
            .object("message", message.header().id)
            .detail("from", message.sender())
            // The type of a rejected message may be any text of the sender's.
            .detail("type", message.header().message_type.chars().take(64).collect::<String>())
            .detail("digest", message.digest())
            .reference(message.header().reference.as_deref());
        if let Some((code, _)) = rejection {
            record = record.refused(code.to_string());
        }
        Ok(self.exchange.base.trail.record(tx, &record).await?)
    }

    /// An audit event about an act of the gateway itself, at the transaction's time.
    fn audit_record(&self, action: AuditAction) -> AuditRecord {
        AuditRecord::new(self.now, SYSTEM, action)
    }
}
