//! Receipts: what happened to a message at its recipient, signed by the agency that it was addressed to.
//!
//! A receipt has one sender and one recipient, many entries, no stream number, and is never
//! receipted itself. An entry names its message by id and by the SHA-256 of the compact JWS: it
//! counts only when both match and its signer is a recipient named in that message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Digest, MessageId, RejectionCode, Text, Timestamp, audit::AuditPosition, subjects::CrossingCode,
};

/// The body of a receipt: 1 to 64 entries of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipts<E> {
    /// The messages answered.
    #[schemars(length(min = 1, max = 64))]
    pub entries: Vec<E>,
}

/// One message verified and stored (`receipt.delivered`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveredEntry {
    /// The message.
    pub id: MessageId,
    /// SHA-256 of its compact JWS.
    pub digest: Digest,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// The position of the audit event about it in the recipient's audit log.
    pub audit: AuditPosition,
}

/// One message opened by an officer (`receipt.read`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadEntry {
    /// The message.
    pub id: MessageId,
    /// SHA-256 of its compact JWS.
    pub digest: Digest,
    /// When it was opened for the first time.
    pub read_at: Timestamp,
}

/// One message verified but not accepted (`receipt.rejected`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedEntry {
    /// The message.
    pub id: MessageId,
    /// SHA-256 of its compact JWS.
    pub digest: Digest,
    /// The reason why it was not accepted.
    pub code: RejectionCode,
    /// Details for the sender's technicians; no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Text>,
    /// When it was rejected.
    pub rejected_at: Timestamp,
    /// The position of the audit event about it in the recipient's audit log.
    pub audit: AuditPosition,
}

/// One message that took effect at a border post (`receipt.listed`): with an alert's content, what crosses there is screened for it
/// since then; with its withdrawal, it no longer is. A post says so once of each message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedEntry {
    /// The message.
    pub id: MessageId,
    /// SHA-256 of its compact JWS.
    pub digest: Digest,
    /// The border post.
    pub post: CrossingCode,
    /// Since when.
    pub listed_at: Timestamp,
}

/// `receipt.delivered`.
pub type Delivered = Receipts<DeliveredEntry>;
/// `receipt.read`.
pub type Read = Receipts<ReadEntry>;
/// `receipt.listed`.
pub type Listed = Receipts<ListedEntry>;
/// `receipt.rejected`.
pub type Rejected = Receipts<RejectedEntry>;
