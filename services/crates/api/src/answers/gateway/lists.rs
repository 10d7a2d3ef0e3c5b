//! The rows of inbox and outbox, and where a message's copies stand.

use rovuma_schemas::{AgencyCode, CaseId, Lane, MessageId, StreamId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A received message without its content.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InboxRow {
    /// The message.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The message's type.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The code by which the family's messages are listed: the category of an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facet: Option<String>,
    /// `actual`, `exercise` or `test`.
    pub status: String,
    /// The agency that signed it.
    #[schema(value_type = String)]
    pub sender: AgencyCode,
    /// The lane it came by.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// The instant of the release, by the sender's clock.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// The instant at which it was stored here.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// Whether it may be acted on.
    #[schema(value_type = Disposition)]
    pub disposition: String,
    /// The code of the reason for which it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejection_code: Option<String>,
    /// The instant of the first read here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub read_at: Option<Timestamp>,
    /// The instant at which the key that signed it was found to be compromised: do not act on it without asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub compromised_at: Option<Timestamp>,
    /// The message of the same sender that it replaces: the same content, signed anew because a key was
    /// compromised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub replaces: Option<MessageId>,
    /// The message that stands in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub replaced_by: Option<MessageId>,
    /// The case that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub case: Option<CaseId>,
    /// The sender's own count of its messages in the case, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub in_reply_to: Option<MessageId>,
    /// The instant at which its content was erased at the end of its case's retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub erased_at: Option<Timestamp>,
}

/// A sent message without its content.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SentRow {
    /// The message.
    #[schema(value_type = String, format = "uuid")]
    pub id: MessageId,
    /// The message's type.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The code by which the family's messages are listed: the category of an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facet: Option<String>,
    /// `actual`, `exercise` or `test`.
    pub status: String,
    /// The lane it travels in.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// The instant of the release.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// The transport expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires: Option<Timestamp>,
    /// The subject who released it.
    pub released_by: String,
    /// The message that it replaces: the same content, signed anew because a key was compromised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub replaces: Option<MessageId>,
    /// The message that was issued in its place, to those who had not confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub replaced_by: Option<MessageId>,
    /// The case that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub case: Option<CaseId>,
    /// The sender's own count of its messages in the case, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub in_reply_to: Option<MessageId>,
    /// The instant at which its content was erased at the end of its case's retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub erased_at: Option<Timestamp>,
    /// The state of each recipient's copy.
    pub copies: Vec<CopyView>,
}

/// The state of one recipient's copy: waiting → queued → delivered → read, or rejected, or void.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Copy)]
pub struct CopyView {
    /// The recipient.
    #[schema(value_type = String)]
    pub recipient: AgencyCode,
    /// The lane it travels in.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// `waiting`, `queued`, `delivered`, `read`, `rejected` or `void`.
    pub state: String,
    /// The instant since which it is in this state; by the recipient's clock where the recipient's receipt says so.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The code of the reason for which it was rejected or made void.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The number of times that the broker has confirmed it; more than one when it was published again for want of a receipt.
    pub attempts: u64,
    /// The stream to that recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub stream: Option<StreamId>,
    /// The copy's number in that stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

/// Whether a received message may be acted on.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Disposition {
    /// It may be acted on.
    Operative,
    /// The message had expired on the way: stored as a fact, not to be acted on.
    Inoperative,
    /// Verified and rejected; the sender has a receipt that says why.
    Rejected,
}

/// The state of a sent message's copy.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum CopyState {
    /// Not yet confirmed by the country's broker.
    Waiting,
    /// Confirmed by the broker, without a receipt.
    Queued,
    /// Stored by the recipient's gateway, not yet read.
    Delivered,
    /// Opened by an officer.
    Read,
    /// Rejected by the recipient's gateway.
    Rejected,
    /// Expired before it left.
    Void,
}
