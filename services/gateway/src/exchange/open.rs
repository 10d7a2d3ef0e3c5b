//! Opens deliveries without touching the store: unseal → unpack → verify → parse.
//!
//! All of it is work for the processor; the inbox does it for a whole batch on a blocking thread.

use rovuma_broker::{Delivery, topology::names};
use rovuma_envelope::{
    Authorized, Bundle, HoldReason, Jws, KeyId, Origin, Rejectable, TrustStore, Unverified, Verified,
    VerifyContext, VerifyFailure, digest,
};
use rovuma_schemas::{
    AgencyCode, Body, Digest, Header, Lane, Message, ParseFault, Recipient, RejectionCode, Timestamp,
    limits::{HEADER_MAX_BYTES, MESSAGE_MAX_BYTES},
};

use super::{known::MessageIdentity, quarantine::QuarantineReason};
use crate::{cases::kept::Contribution, exchange::agencies::OwnAgencies};

/// A snapshot of own agencies, trust lists and time, against which deliveries are verified.
pub(crate) struct DeliveryVerifier<'a> {
    pub(crate) agencies: &'a OwnAgencies,
    pub(crate) trust: &'a TrustStore,
    pub(crate) now: Timestamp,
}

/// One delivery after opening.
pub(crate) struct OpenedDelivery {
    /// The agency that the delivery is addressed to, when it is one of ours.
    pub(crate) agency: Option<AgencyCode>,
    /// SHA-256 of the body as it arrived.
    pub(crate) digest: Digest,
    /// Its messages in their order. A delivery that cannot be opened counts as one message for the quarantine.
    pub(crate) messages: Vec<OpenedMessage>,
}

impl OpenedDelivery {
    /// A delivery on which the gateway fails each time: it goes to the quarantine whole.
    pub(crate) fn undecidable(body: &[u8]) -> Self {
        let detail = "the gateway failed to process it; the log says why".to_owned();
        let messages = vec![OpenedMessage::Quarantined { reason: QuarantineReason::Poison, detail }];
        Self { agency: None, digest: digest(body), messages }
    }
}

/// The result of verifying one message.
pub(crate) enum OpenedMessage {
    /// Verified, from an agency that may send it, and parsed; with what it contributes to its case, if it stands in one.
    Authorized(Box<(Authorized, Message, Option<Contribution>)>),
    /// Verified, but to be answered with a rejection.
    Rejected(Box<RejectedMessage>),
    /// Not verified, because the trust list that would decide is missing.
    Held { agency: AgencyCode, unverified: Box<Unverified>, reason: HoldReason },
    /// Cannot be verified, with any trust list.
    Quarantined { reason: QuarantineReason, detail: String },
}

impl OpenedMessage {
    /// The identity under which the store keeps the message, if it keeps messages of this kind.
    pub(crate) fn identity(&self) -> Option<MessageIdentity<'_>> {
        match self {
            Self::Authorized(message) if message.1.body.message_type().class().is_numbered() => {
                let message = &message.0;
                let (recipient, sender) = (message.recipient(), message.sender());
                Some(MessageIdentity { recipient, sender, id: message.header().id })
            }
            Self::Rejected(rejected) => Some(rejected.message.identity()),
            Self::Authorized(_) | Self::Held { .. } | Self::Quarantined { .. } => None,
        }
    }
}

/// A verified message that we do not accept, and the reason.
pub(crate) struct RejectedMessage {
    pub(crate) message: VerifiedMessage,
    pub(crate) code: RejectionCode,
    pub(crate) detail: String,
    /// What it contributes to its case all the same: a message of a type that is not known here stands there unread.
    pub(crate) contribution: Option<Contribution>,
}

/// A verified message, whether or not the sender's right to send it was established.
pub(crate) enum VerifiedMessage {
    Rejectable(Box<Rejectable>),
    Authorized(Box<Authorized>),
}

/// Generates accessors that both variants of [`VerifiedMessage`] answer.
macro_rules! accessors {
    ($($(#[$doc:meta])* $fact:ident: $type:ty;)*) => {
        impl VerifiedMessage {
            $($(#[$doc])* pub(crate) fn $fact(&self) -> $type {
                match self {
                    Self::Rejectable(message) => message.$fact(),
                    Self::Authorized(message) => message.$fact(),
                }
            })*
        }
    };
}

accessors! {
    /// The signed header.
    header: &Header;
    /// The agency that signed.
    sender: &AgencyCode;
    /// The signed recipient that the bundle was opened for.
    recipient: &Recipient;
    /// SHA-256 of the compact serialisation.
    digest: Digest;
    /// The segments as received.
    jws: &Jws;
    /// The key that signed.
    signer: &KeyId;
}

impl VerifiedMessage {
    /// The identity under which the store keeps the message.
    pub(crate) fn identity(&self) -> MessageIdentity<'_> {
        MessageIdentity { recipient: self.recipient(), sender: self.sender(), id: self.header().id }
    }
}

impl DeliveryVerifier<'_> {
    /// Opens a delivery. A delivery that cannot be opened becomes one message for the quarantine.
    pub(crate) fn open(&self, delivery: &Delivery) -> OpenedDelivery {
        let (agency, lane) = self.addressee(&delivery.routing_key).unzip();
        let messages = match self.unpack(delivery, agency.as_ref()) {
            Ok((origin, agency, segments)) => segments
                .into_iter()
                .map(|segment| match segment {
                    Ok(jws) => check_lane(self.verify_message(jws, origin, &agency), lane),
                    Err(fault) => quarantined(QuarantineReason::Bundle, &fault),
                })
                .collect(),
            Err(unopened) => vec![unopened],
        };
        OpenedDelivery { agency, digest: digest(&delivery.body), messages }
    }

    /// Verifies one message: one that arrived now, or one that was held and is tried again.
    pub(crate) fn verify_message(&self, jws: Jws, origin: Origin, agency: &AgencyCode) -> OpenedMessage {
        // A bundle of one line may unpack to a megabyte. Nothing of that size is held, stored or answered, whoever signed it.
        let size = jws.unverified_payload().len();
        if size > MESSAGE_MAX_BYTES {
            return quarantined(QuarantineReason::TooLarge, &format_args!("{size} bytes"));
        }
        let context = VerifyContext { now: self.now, origin, opened_for: agency };
        match self.trust.verify(Unverified::new(jws), &context) {
            Ok(verified) => self.authorize(verified),
            Err(VerifyFailure::Held { reason, unverified }) => {
                OpenedMessage::Held { agency: agency.clone(), unverified, reason }
            }
            Err(VerifyFailure::Refused { reason, .. }) => OpenedMessage::Quarantined {
                reason: quarantine_reason(&reason),
                detail: reason.log_code().to_owned(),
            },
            Err(VerifyFailure::Rejected(rejectable)) => rejected(rejectable),
        }
    }

    /// Where a delivery came from, by the exchange that it was published to. The broker writes that field; a publisher
    /// cannot forge it.
    pub(crate) fn origin_of(&self, exchange: &str) -> Option<Origin> {
        if exchange == names::OUTBOUND {
            return Some(Origin::Domestic);
        }
        names::ingress_country(exchange).map(Origin::Ingress)
    }

    /// The agency and lane of a routing key `<country>.<agency>.<lane>`, when the agency is ours.
    fn addressee(&self, unverified_key: &str) -> Option<(AgencyCode, Lane)> {
        names::parse_lane_key(unverified_key).filter(|(agency, _)| self.agencies.serves(agency))
    }

    #[expect(clippy::type_complexity, reason = "the three facts that verifying needs, used once")]
    fn unpack(
        &self,
        delivery: &Delivery,
        agency: Option<&AgencyCode>,
    ) -> Result<(Origin, AgencyCode, Vec<Result<Jws, rovuma_envelope::BadSegment>>), OpenedMessage> {
        if let Some(fault) = delivery.header_fault {
            return Err(quarantined(QuarantineReason::Header, &fault));
        }
        let origin = self
            .origin_of(&delivery.exchange)
            .ok_or_else(|| quarantined(QuarantineReason::UnknownExchange, &delivery.exchange))?;
        let own = agency.and_then(|agency| Some((agency, self.agencies.get(agency)?)));
        let (agency, keys) =
            own.ok_or_else(|| quarantined(QuarantineReason::NotOurs, "no agency of ours"))?;
        let bundle = rovuma_envelope::open(
            &delivery.body,
            &keys.sealing.iter().collect::<Vec<_>>(),
            rovuma_envelope::BUNDLE_PACKED_MAX,
        )
        .map_err(|fault| quarantined(QuarantineReason::Unsealing, &fault))?;
        let messages = Bundle::unpack(&bundle, self.trust.policy().minimum_bundle_format)
            .map_err(|fault| quarantined(QuarantineReason::Bundle, &fault))?;
        Ok((origin, agency.clone(), messages))
    }

    /// Checks the sender's right to send the message, and parses it.
    fn authorize(&self, verified: Verified) -> OpenedMessage {
        let authorized = match verified.authorize_sender(self.trust) {
            Ok(authorized) => authorized,
            Err(rejectable) => return rejected(rejectable),
        };
        let (code, detail, is_of_unknown_type) = match Message::parse_with_json(authorized.payload()) {
            Ok((message, payload)) => match numbering_fault(&authorized, &message) {
                None => {
                    let contribution = contribution(&authorized, Some(&message), &payload);
                    return OpenedMessage::Authorized(Box::new((authorized, message, contribution)));
                }
                Some(detail) => (RejectionCode::Schema, detail.to_owned(), false),
            },
            Err(fault) => {
                let is_of_unknown_type = matches!(fault, ParseFault::UnknownType { .. });
                (fault.rejection(), describe_first(&fault), is_of_unknown_type)
            }
        };
        let payload = is_of_unknown_type.then(|| serde_json::from_slice(authorized.payload()).ok()).flatten();
        let contribution = payload.and_then(|payload| contribution(&authorized, None, &payload));
        let message = VerifiedMessage::Authorized(Box::new(authorized));
        rejected_message(message, code, detail, contribution)
    }
}

/// What a message with this payload contributes to its case; without the parsed message its type is not known here.
fn contribution(
    authorized: &Authorized,
    message: Option<&Message>,
    payload: &serde_json::Value,
) -> Option<Contribution> {
    let said = match message {
        None => None,
        Some(Message { terms: Some(terms), body: Body::Operational(body), .. }) => Some((terms, body)),
        Some(_) => return None,
    };
    Contribution::of(authorized.header(), said, payload)
}

/// Quarantines a message that arrived in another lane than the one its sender signed: otherwise somebody on the way could
/// make urgent messages wait behind bulk ones. That we reject the message makes no difference: its receipt goes back in the lane
/// that was signed. Of a message that is held nothing is verified yet; it is checked when it is tried again.
pub(crate) fn check_lane(message: OpenedMessage, lane: Option<Lane>) -> OpenedMessage {
    let signed = match &message {
        OpenedMessage::Authorized(authorized) => authorized.0.recipient().lane,
        OpenedMessage::Rejected(rejected) => rejected.message.recipient().lane,
        OpenedMessage::Held { .. } | OpenedMessage::Quarantined { .. } => return message,
    };
    if lane == Some(signed) {
        return message;
    }
    quarantined(QuarantineReason::Misrouted, "not the lane that was signed")
}

/// The fault in a message's numbering: operational messages have a number in a stream, all others have none.
fn numbering_fault(authorized: &Authorized, message: &Message) -> Option<&'static str> {
    let recipient = authorized.recipient();
    let is_numbered = recipient.stream.is_some() && recipient.number.is_some_and(|number| number > 0);
    let is_unnumbered = recipient.stream.is_none() && recipient.number.is_none();
    match message.body.message_type().class().is_numbered() {
        true if !is_numbered => Some("a message of this type needs a stream and a number from 1"),
        false if !is_unnumbered => Some("a message of this type has no number in a stream"),
        _ => None,
    }
}

/// The first fault as a sentence: enough for the sender to find it, without content of ours.
fn describe_first(fault: &ParseFault) -> String {
    match fault.faults() {
        [] => fault.to_string(),
        [first, rest @ ..] => format!("{}: {} ({} more)", first.pointer, first.message, rest.len()),
    }
}

fn rejected(rejectable: Box<Rejectable>) -> OpenedMessage {
    let (code, detail) = (rejectable.rejection().code(), rejectable.rejection().to_string());
    rejected_message(VerifiedMessage::Rejectable(rejectable), code, detail, None)
}

/// A rejection of a verified message. Its header is kept and shown, but no rule of a schema has bounded that header yet.
fn rejected_message(
    message: VerifiedMessage,
    code: RejectionCode,
    detail: String,
    contribution: Option<Contribution>,
) -> OpenedMessage {
    let size = serde_json::to_vec(message.header()).map_or(usize::MAX, |header| header.len());
    if size > HEADER_MAX_BYTES {
        return quarantined(QuarantineReason::TooLarge, &format_args!("its header has {size} bytes"));
    }
    OpenedMessage::Rejected(Box::new(RejectedMessage { message, code, detail, contribution }))
}

fn quarantined(reason: QuarantineReason, detail: &(impl std::fmt::Display + ?Sized)) -> OpenedMessage {
    OpenedMessage::Quarantined { reason, detail: detail.to_string() }
}

fn quarantine_reason(refusal: &rovuma_envelope::Refusal) -> QuarantineReason {
    match refusal {
        rovuma_envelope::Refusal::Origin { .. } | rovuma_envelope::Refusal::NotARecipient { .. } => {
            QuarantineReason::Misrouted
        }
        _ => QuarantineReason::Signature,
    }
}
