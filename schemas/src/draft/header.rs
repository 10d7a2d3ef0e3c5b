//! The part of a draft that every type has.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AgencyCode, CaseId, Line, MessageId, MessageType, Status, Timestamp};

/// The part of a draft beside terms and body. The gateway adds sender, id, numbers and times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DraftHeader {
    /// The type of message that the draft becomes.
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// Actual, exercise or test.
    pub status: Status,
    /// The agencies to send it to. A message that follows in a case goes to the parties of that case.
    #[serde(default)]
    #[schemars(length(min = 1, max = 32))]
    pub recipients: Vec<AgencyCode>,
    /// The case that it follows in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// The unit or post that sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Line>,
    /// The sender's own file number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Line>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<MessageId>,
    /// The transport expiry; the gateway's default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}
