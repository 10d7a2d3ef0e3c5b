//! What every message carries, whatever its type.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{AgencyCode, BadId, Lane, MessageId, StreamId, Timestamp};

/// A message type known to this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageType {
    /// A new alert, or its first version.
    AlertIssue,
    /// Verified and stored by the recipient's gateway.
    ReceiptDelivered,
    /// Opened by an officer.
    ReceiptRead,
    /// Verified, but not accepted; a code says why.
    ReceiptRejected,
    /// The last number of each stream, and numbers made void.
    StreamStatus,
    /// Numbers that a recipient is missing.
    StreamRequest,
    /// A delivery that could not be verified.
    LinkFault,
    /// A new head of a country's audit log.
    AuditCheckpoint,
    /// The other country's answer to one.
    AuditCosignature,
}

impl MessageType {
    /// Every type this version knows.
    pub const ALL: [Self; 9] = [
        Self::AlertIssue,
        Self::ReceiptDelivered,
        Self::ReceiptRead,
        Self::ReceiptRejected,
        Self::StreamStatus,
        Self::StreamRequest,
        Self::LinkFault,
        Self::AuditCheckpoint,
        Self::AuditCosignature,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlertIssue => "alert.issue",
            Self::ReceiptDelivered => "receipt.delivered",
            Self::ReceiptRead => "receipt.read",
            Self::ReceiptRejected => "receipt.rejected",
            Self::StreamStatus => "stream.status",
            Self::StreamRequest => "stream.request",
            Self::LinkFault => "link.fault",
            Self::AuditCheckpoint => "audit.checkpoint",
            Self::AuditCosignature => "audit.cosignature",
        }
    }

    /// Whether messages of this type are numbered in a stream and answered with a receipt.
    /// Receipts, stream, link and audit messages are not: they would never come to an end.
    pub const fn is_numbered(self) -> bool {
        matches!(self, Self::AlertIssue)
    }

    /// Whether messages of this type carry terms: why, on what basis, how to handle them.
    pub const fn is_operational(self) -> bool {
        matches!(self, Self::AlertIssue)
    }

    /// Whether this is one of the receipts.
    pub const fn is_receipt(self) -> bool {
        matches!(self, Self::ReceiptDelivered | Self::ReceiptRead | Self::ReceiptRejected)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MessageType {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| BadId::new("a message type of this version", text))
    }
}

impl Serialize for MessageType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for MessageType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for MessageType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MessageType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = Self::ALL.iter().map(|known| known.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

/// The version of a message type: a newer minor may add fields, a newer major may change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Raised when a reader of the older version would misunderstand.
    pub major: u16,
    /// Raised when fields or codes are added.
    pub minor: u16,
}

impl Version {
    /// The version this build writes for every type.
    pub const CURRENT: Self = Self { major: 1, minor: 0 };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let parse = || {
            let (major, minor) = text.split_once('.')?;
            let version = Self { major: major.parse().ok()?, minor: minor.parse().ok()? };
            (version.to_string() == text).then_some(version)
        };
        parse().ok_or_else(|| BadId::new("a version such as 1.0", text))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Version {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{1,5}\\.[0-9]{1,5}$" })
    }
}

/// Whether a message is meant in earnest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In earnest.
    Actual,
    /// Part of an exercise: marked on every screen and never counted in statistics.
    Exercise,
    /// A technical trial.
    Test,
}

impl Status {
    /// The word on the wire and in stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Actual => "actual",
            Self::Exercise => "exercise",
            Self::Test => "test",
        }
    }
}

/// Who sends: the agency is proven by the signature, the rest is the agency's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sender {
    /// The agency whose key signed the message.
    pub agency: AgencyCode,
    /// The unit or post within the agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub unit: Option<String>,
    /// The officer, by the identifier that the agency's identity provider uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub officer: Option<String>,
}

/// One recipient, and for a numbered message its place in the stream to that recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recipient {
    /// The agency addressed.
    pub agency: AgencyCode,
    /// The lane the copy travels in.
    pub lane: Lane,
    /// The sender's stream; absent where messages of the type are not numbered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamId>,
    /// The number within (sender, stream, recipient, lane), from 1 and without gaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub number: Option<u64>,
}

/// The routing facts of a message: all that is needed to verify, route and number it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// The message's own id.
    pub id: MessageId,
    /// What kind of message it is, as the wire says it: possibly a type this version does not know.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The version of that type.
    pub version: Version,
    /// In earnest, exercise or test.
    pub status: Status,
    /// Who sends.
    pub sender: Sender,
    /// To whom, within one country.
    #[schemars(length(min = 1, max = 32))]
    pub recipients: Vec<Recipient>,
    /// When it was released.
    pub created: Timestamp,
    /// When it stops being worth transporting; absent for what never expires on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The agency's own case reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub case_reference: Option<String>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<MessageId>,
    /// The message that this one replaces: same content under a new id, after a key was compromised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<MessageId>,
}
