//! From a delivery's bytes to findings, without touching the store: unseal → unpack → verify → parse.
//!
//! All of it is work for the processor, done for a whole batch away from the runtime's threads.

use rovuma_broker::{Delivery, topology::names};
use rovuma_envelope::{
    Authorized, Bundle, HoldReason, Jws, KeyId, Origin, Rejectable, TrustStore, Unverified, Verified,
    VerifyContext, VerifyFailure, digest,
};
use rovuma_schemas::{
    AgencyCode, Digest, Header, Lane, Message, ParseFault, Recipient, RejectionCode, Timestamp,
};

use super::{known::Asked, quarantine::QuarantineReason};
use crate::exchange::agencies::OwnAgencies;

/// What deliveries are judged by: one moment's agencies, trust lists and time.
pub(crate) struct Judge<'a> {
    pub(crate) agencies: &'a OwnAgencies,
    pub(crate) trust: &'a TrustStore,
    pub(crate) now: Timestamp,
}

/// One delivery, opened.
pub(crate) struct Opened {
    /// Whose key opened it.
    pub(crate) agency: Option<AgencyCode>,
    /// SHA-256 of the body as it arrived.
    pub(crate) digest: Digest,
    /// What was found in it, in its order; a delivery that cannot be opened is one finding.
    pub(crate) findings: Vec<Finding>,
}

impl Opened {
    /// A delivery that fails whenever it is to be decided.
    pub(crate) fn poison(body: &[u8]) -> Self {
        let detail = "it could not be decided; the log says why".to_owned();
        let findings = vec![Finding::Quarantined { reason: QuarantineReason::Poison, detail }];
        Self { agency: None, digest: digest(body), findings }
    }
}

/// What one message turned out to be.
pub(crate) enum Finding {
    /// Verified, from an agency that may send it, and readable.
    Message(Box<(Authorized, Message)>),
    /// Verified, and to be answered with a rejection.
    Rejected(Box<Rejected>),
    /// Not verified: a trust list is missing that would decide.
    Held { agency: AgencyCode, unverified: Box<Unverified>, reason: HoldReason },
    /// Not verified, and never will be.
    Quarantined { reason: QuarantineReason, detail: String },
}

impl Finding {
    /// The message as it is looked for, when it is one that is kept.
    pub(crate) fn asked(&self) -> Option<Asked<'_>> {
        match self {
            Self::Message(both) if both.1.body.message_type().class().is_numbered() => {
                let message = &both.0;
                let (recipient, sender) = (message.recipient(), message.sender());
                Some(Asked { recipient, sender, id: message.header().id })
            }
            Self::Rejected(rejected) => Some(rejected.message.asked()),
            Self::Message(_) | Self::Held { .. } | Self::Quarantined { .. } => None,
        }
    }
}

/// A verified message that is not accepted, and why.
pub(crate) struct Rejected {
    pub(crate) message: VerifiedMessage,
    pub(crate) code: RejectionCode,
    pub(crate) detail: String,
}

/// A verified message at whatever stage its judgement ended.
pub(crate) enum VerifiedMessage {
    Rejectable(Box<Rejectable>),
    Authorized(Box<Authorized>),
}

/// What both stages know, by one name.
macro_rules! facts {
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

facts! {
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
    /// The message as it is looked for.
    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked { recipient: self.recipient(), sender: self.sender(), id: self.header().id }
    }
}

impl Judge<'_> {
    /// Opens a delivery. It cannot fail: what is wrong with it is a finding.
    pub(crate) fn open(&self, delivery: &Delivery) -> Opened {
        let (agency, lane) = self.addressee(&delivery.routing_key).unzip();
        let findings = match self.unpack(delivery, agency.as_ref()) {
            Ok((origin, agency, messages)) => messages
                .into_iter()
                .map(|message| in_its_lane(self.judge_segment(message, origin, &agency), lane))
                .collect(),
            Err(finding) => vec![finding],
        };
        Opened { agency, digest: digest(&delivery.body), findings }
    }

    /// Judges one message: also those that were held and are tried again.
    pub(crate) fn judge(&self, jws: Jws, origin: Origin, agency: &AgencyCode) -> Finding {
        let context = VerifyContext { now: self.now, origin, opened_for: agency };
        match self.trust.verify(Unverified::new(jws), &context) {
            Ok(verified) => self.read(verified),
            Err(VerifyFailure::Held { reason, unverified }) => {
                Finding::Held { agency: agency.clone(), unverified, reason }
            }
            Err(VerifyFailure::Refused { reason, .. }) => {
                Finding::Quarantined { reason: reason_of(&reason), detail: reason.log_code().to_owned() }
            }
            Err(VerifyFailure::Rejected(rejectable)) => rejected(rejectable),
        }
    }

    /// The door a delivery came in by; only brokers write this field, publishers cannot.
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

    #[expect(clippy::type_complexity, reason = "the three facts that judging needs, used once")]
    fn unpack(
        &self,
        delivery: &Delivery,
        agency: Option<&AgencyCode>,
    ) -> Result<(Origin, AgencyCode, Vec<Result<Jws, rovuma_envelope::BadSegment>>), Finding> {
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

    fn judge_segment(
        &self,
        segment: Result<Jws, rovuma_envelope::BadSegment>,
        origin: Origin,
        agency: &AgencyCode,
    ) -> Finding {
        match segment {
            Ok(jws) => self.judge(jws, origin, agency),
            Err(fault) => quarantined(QuarantineReason::Bundle, &fault),
        }
    }

    fn read(&self, verified: Verified) -> Finding {
        let authorized = match verified.authorize_sender(self.trust) {
            Ok(authorized) => authorized,
            Err(rejectable) => return rejected(rejectable),
        };
        let fault = match Message::parse(authorized.payload()) {
            Ok(message) => match misnumbered(&authorized, &message) {
                None => return Finding::Message(Box::new((authorized, message))),
                Some(detail) => (RejectionCode::Schema, detail.to_owned()),
            },
            Err(fault) => (fault.rejection(), describe(&fault)),
        };
        Finding::Rejected(Box::new(Rejected {
            message: VerifiedMessage::Authorized(Box::new(authorized)),
            code: fault.0,
            detail: fault.1,
        }))
    }
}

/// A message goes by the lane that its sender signed: by another one, somebody on the way could let what is
/// urgent wait behind what is bulky.
fn in_its_lane(finding: Finding, lane: Option<Lane>) -> Finding {
    match &finding {
        Finding::Message(both) if lane != Some(both.0.recipient().lane) => {
            quarantined(QuarantineReason::Misrouted, "not the lane that was signed")
        }
        _ => finding,
    }
}

/// Alerts have a place in a stream; receipts, stream and link messages have none.
fn misnumbered(authorized: &Authorized, message: &Message) -> Option<&'static str> {
    let recipient = authorized.recipient();
    let has_place = recipient.stream.is_some() && recipient.number.is_some_and(|number| number > 0);
    let has_none = recipient.stream.is_none() && recipient.number.is_none();
    match message.body.message_type().class().is_numbered() {
        true if !has_place => Some("a message of this type needs a stream and a number from 1"),
        false if !has_none => Some("a message of this type has no place in a stream"),
        _ => None,
    }
}

/// The first fault in words: enough for the sender to find it, and no content of ours.
fn describe(fault: &ParseFault) -> String {
    match fault.faults() {
        [] => fault.to_string(),
        [first, rest @ ..] => format!("{}: {} ({} more)", first.pointer, first.message, rest.len()),
    }
}

fn rejected(rejectable: Box<Rejectable>) -> Finding {
    let (code, detail) = (rejectable.rejection().code(), rejectable.rejection().to_string());
    Finding::Rejected(Box::new(Rejected { message: VerifiedMessage::Rejectable(rejectable), code, detail }))
}

fn quarantined(reason: QuarantineReason, detail: &(impl std::fmt::Display + ?Sized)) -> Finding {
    Finding::Quarantined { reason, detail: detail.to_string() }
}

fn reason_of(refusal: &rovuma_envelope::Refusal) -> QuarantineReason {
    match refusal {
        rovuma_envelope::Refusal::Origin { .. } | rovuma_envelope::Refusal::NotARecipient { .. } => {
            QuarantineReason::Misrouted
        }
        _ => QuarantineReason::Signature,
    }
}
