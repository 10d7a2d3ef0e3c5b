//! One message: its content, its receipts, its signed bytes and its way.

use rovuma_schemas::{
    AgencyCode, CountryCode, Digest, Evaluation, Header, LegalBasisCode, MessageId, PurposeCode, StreamId,
    Timestamp, UrgencyLevel, audit::AuditPosition,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{CopyView, InboxRow};

/// A message: what was signed, and what this gateway knows of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageView {
    /// `received` or `sent`.
    pub direction: String,
    /// The signed header.
    #[schema(value_type = Object)]
    pub header: Header,
    /// The codes of its terms, without free text. Absent where the type has no terms, or a rejected message
    /// could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<TermCodes>,
    /// The state of the case that it opened, now and by time alone: of an alert `active` or `expired`. Absent where
    /// the type has no terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The whole signed payload, as it was signed: header, terms and body (`schemas/json/received/`). Absent in the
    /// view `metadata`, and of a rejected message that is no JSON which can be read safely, or that is not kept whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Box<RawValue>>,
    /// The facts of its arrival; only of a received message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<ReceivedView>,
    /// The facts of its release; only of a sent message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<SentView>,
}

/// Terms without free text.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TermCodes {
    /// The urgency.
    #[schema(value_type = String)]
    pub urgency: UrgencyLevel,
    /// The purpose for which it may be used.
    #[schema(value_type = String)]
    pub purpose: PurposeCode,
    /// The law that it rests on.
    #[schema(value_type = String)]
    pub legal_basis: LegalBasisCode,
    /// The handling code.
    pub handling: String,
    /// The reliability of source and information.
    #[schema(value_type = Object)]
    pub evaluation: Evaluation,
}

/// The facts of a message's arrival.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReceivedView {
    /// As in the inbox.
    pub row: InboxRow,
    /// SHA-256 of the compact JWS.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The key that signed it (RFC 7638 thumbprint).
    pub key_id: String,
    /// The sender's stream to the agency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stream: Option<StreamId>,
    /// Its number in that stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The transport expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// The subject who read it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_by: Option<String>,
}

/// The facts of a message's release.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SentView {
    /// The subject who released it.
    pub released_by: String,
    /// The transport expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// The message that was issued in its place, to those who had not confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub replaced_by: Option<MessageId>,
    /// One signature per country.
    pub signed: Vec<Signed>,
    /// The state of each recipient's copy.
    pub copies: Vec<CopyView>,
    /// The receipts that recipients signed for it.
    pub receipts: Vec<Receipt>,
}

/// One country's signature.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Signed {
    /// The country.
    #[schema(value_type = String)]
    pub country: CountryCode,
    /// SHA-256 of the compact JWS, which receipts name.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The recipients that this signature names.
    #[schema(value_type = Vec<String>)]
    pub recipients: Vec<AgencyCode>,
}

/// One statement of one recipient.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The agency that signed it.
    #[schema(value_type = String)]
    pub recipient: AgencyCode,
    /// `delivered`, `read`, `rejected`; `listed`: the border post `post` screens with it or, of a withdrawal, no longer.
    pub kind: String,
    /// The border post, a code of `crossings`, of `listed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
    /// The instant that the receipt states, by the recipient's clock.
    #[schema(value_type = String, format = DateTime)]
    pub said_at: Timestamp,
    /// The instant at which the receipt arrived, by our clock.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// The code of the reason for which it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The position of the entry in the recipient's audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub audit: Option<AuditPosition>,
    /// The receipt's own message id: its signed bytes are under `/v1/messages/{id}/jws`.
    #[schema(value_type = String, format = "uuid")]
    pub receipt: MessageId,
}

/// A receipt's signed bytes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ReceiptJws {
    /// The receipt.
    #[schema(value_type = String, format = "uuid")]
    pub receipt: MessageId,
    /// The agency that signed it.
    #[schema(value_type = String)]
    pub signer: AgencyCode,
    /// SHA-256 of the compact serialisation, which the audit event `receipt.accept` names.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The compact JWS, exactly as received.
    pub jws: String,
}

/// The answer to marking a message as read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MarkedRead {
    /// The message.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The instant of the first read: now, or earlier. Absent where it is not a message to act on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub read_at: Option<Timestamp>,
}

/// Signed originals.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Originals {
    /// The message.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The agency that signed the message.
    #[schema(value_type = String)]
    pub signer: AgencyCode,
    /// The message: one JWS per country it was signed for; of a received message, the one received, or none when
    /// it was rejected and too large to be kept.
    pub messages: Vec<MessageJws>,
    /// The receipts that recipients signed for it; only of a sent message.
    pub receipts: Vec<ReceiptJws>,
    /// The status in which the sender had said that no message would come under this one's number; only of a received
    /// message, and only if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void: Option<VoidJws>,
}

/// The signed `stream.status` that made a number void.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VoidJws {
    /// The reason that the sender gave.
    pub reason: String,
    /// The instant at which the status arrived, by our clock.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// SHA-256 of the compact JWS, which the audit event `stream.void` names.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The compact JWS, exactly as received.
    pub jws: String,
}

/// One JWS of a message.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MessageJws {
    /// The country it was signed for.
    #[schema(value_type = String)]
    pub country: CountryCode,
    /// SHA-256 of the compact serialisation, which receipts name.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The compact serialisation (RFC 7515, section 7.1).
    pub jws: String,
}

/// A message's way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// The message.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// `received` or `sent`.
    pub direction: String,
    /// The message that it replaces: the same content, signed anew because a key was compromised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub replaces: Option<MessageId>,
    /// The message that stands in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub replaced_by: Option<MessageId>,
    /// The hops, in the order in which this gateway learned of them.
    pub hops: Vec<Hop>,
    /// The state of each recipient's copy; only of a sent message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyView>,
}

/// One step of a message's way.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Hop {
    /// `saved`, `submitted`, `released` or `reissued`, `queued`, `delivered`, `read`, `listed`, `rejected`, `contrary_receipt`, `void`
    /// at the sender;
    /// `created`, `received`, `receipt_issued`, `rejected`, `read`, `read_receipt_issued` at a recipient.
    pub hop: String,
    /// The instant of the hop, by the clock that `clock` names.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// By whose clock: `own`, or `partner` for what the other side says.
    #[schema(value_type = Clock)]
    pub clock: String,
    /// The recipient that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub agency: Option<AgencyCode>,
    /// The border post at which it took effect, a code of `crossings`, of `listed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<String>,
    /// The subject who did it, as the agency's identity provider names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The instant at which the other side's statement arrived here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub told_at: Option<Timestamp>,
    /// The code of the reason for which the copy was rejected or made void.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The position of the entry in an audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub audit: Option<AuditPosition>,
}

/// The clock that an instant comes from. Two clocks may differ, so hops of both need not be in order.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "read by the derive, to describe the member")]
enum Clock {
    Own,
    Partner,
}
