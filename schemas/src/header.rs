//! The routing facts that every message carries, whatever its type.

use std::{collections::BTreeMap, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    AgencyCode, BadId, Lane, Line, MessageId, StreamId, Timestamp, limits::NUMBER_MAX, words::is_code,
};

/// Maximum length of the name of a message type, known here or not.
const TYPE_MAX_CHARS: usize = 64;

/// The version of a message type: a newer minor may add fields, a newer major may change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Increased when a reader of the older version would misunderstand a message.
    pub major: u16,
    /// Increased when fields or codes are added.
    pub minor: u16,
}

impl Version {
    /// The version this build writes for every type.
    pub const CURRENT: Self = Self { major: 1, minor: 1 };
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

/// Whether a message is real, or part of an exercise or test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Real.
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

impl FromStr for Status {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let known =
            [Self::Actual, Self::Exercise, Self::Test].into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| BadId::new("actual, exercise or test", text))
    }
}

/// The sender. The signature proves the agency; the agency vouches for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sender {
    /// The agency whose key signed the message.
    pub agency: AgencyCode,
    /// The unit or post within the agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub unit: Option<String>,
    /// The officer, by the identifier that the agency's identity provider uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub officer: Option<String>,
}

/// One recipient, and for a numbered message its position in the stream to that recipient.
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
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "stream_number")]
    #[schemars(range(min = 1, max = NUMBER_MAX))]
    pub number: Option<u64>,
}

/// The routing facts of a message: all that is needed to verify, route and number it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// The message's own id.
    pub id: MessageId,
    /// The message type as received: possibly a type that this version does not know.
    #[serde(rename = "type", deserialize_with = "type_name")]
    #[schemars(regex(pattern = "^[A-Za-z0-9_.-]{1,64}$"))]
    pub message_type: String,
    /// The version of that type.
    pub version: Version,
    /// Actual, exercise or test.
    pub status: Status,
    /// The sender.
    pub sender: Sender,
    /// The recipients, all of one country.
    #[schemars(length(min = 1, max = 32))]
    pub recipients: Vec<Recipient>,
    /// When the message was released.
    pub created: Timestamp,
    /// The transport expiry; absent for types that do not expire on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The sender's own file number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Line>")]
    pub reference: Option<String>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<MessageId>,
    /// The message that this one replaces: same content under a new id, after a key was compromised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<MessageId>,
    /// When the content was first signed; only with `replaces`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_created: Option<Timestamp>,
    /// The case that the message belongs to. An opener without it opens its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// The sender's own count of its messages in the case, from 1. It orders them, which neither clocks nor arrival can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = NUMBER_MAX))]
    pub turn: Option<u64>,
    /// For each other party of the case, the turn up to which the sender had every message when it released this one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<AgencyCode, SeenTurn>", extend("maxProperties" = 64))]
    pub seen: BTreeMap<AgencyCode, u64>,
}

/// The schema of a turn that was seen.
struct SeenTurn;

impl JsonSchema for SeenTurn {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SeenTurn".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": 0, "maximum": NUMBER_MAX })
    }
}

/// The name of a case: an alert, a request or a hit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct CaseId {
    /// The family of the message that opened it. A reader keeps the name of a family that it does not know.
    #[serde(deserialize_with = "code_word")]
    #[schemars(regex(pattern = "^[A-Za-z0-9_.-]{1,48}$"))]
    pub kind: String,
    /// The agency that opened it.
    pub owner: AgencyCode,
    /// The id of the message that opened it.
    pub id: MessageId,
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.owner, self.id)
    }
}

impl FromStr for CaseId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let mut parts = text.splitn(3, '/');
        let mut part = || parts.next().unwrap_or_default();
        let (kind, owner, id) = (part(), part(), part());
        if !is_code(kind) {
            return Err(BadId::new("a case such as alert/mz.prm/<id>", text));
        }
        Ok(Self { kind: kind.to_owned(), owner: owner.parse()?, id: id.parse()? })
    }
}

/// Reads a number in a stream. A header whose number not every reader keeps exactly is not read at all, whatever the rest of the
/// message: a rejected message's number is stored too.
fn stream_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<u64>::deserialize(deserializer)?;
    match number {
        Some(number) if number > NUMBER_MAX => {
            Err(de::Error::custom(BadId::new("a number up to 2^53 - 1", &number.to_string())))
        }
        _ => Ok(number),
    }
}

/// Reads the kind of a case.
fn code_word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if is_code(&text) { Ok(text) } else { Err(de::Error::custom(BadId::new("a code word", &text))) }
}

/// Reads the name of a message type. One that is not known here may be longer than a code.
fn type_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    // An empty one has no sender who may send it; the schema refuses it too.
    let has_form = text.len() <= TYPE_MAX_CHARS
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if has_form { Ok(text) } else { Err(de::Error::custom(BadId::new("the name of a message type", &text))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_case_is_a_code_word_in_json_and_in_text_alike() {
        let (owner, id) = ("mz.prm", "0199c5a1-7b3e-7001-8a10-000000000001");
        let longest = "k".repeat(48);
        let kinds =
            ["alert", "a.newer-kind_2", &longest, "", "two words", "nul\0", "line\n", &"k".repeat(49)];
        for (index, kind) in kinds.into_iter().enumerate() {
            let json = serde_json::json!({ "kind": kind, "owner": owner, "id": id });
            let read = serde_json::from_value::<CaseId>(json);
            let parsed = format!("{kind}/{owner}/{id}").parse::<CaseId>();
            assert_eq!((read.is_ok(), parsed.is_ok()), (index < 3, index < 3), "{kind:?}");
        }
    }

    #[test]
    fn the_name_of_an_unknown_type_is_read_and_a_misshapen_one_is_not() {
        let mut header = serde_json::json!({
            "id": "0199c5a1-7b3e-7001-8a10-000000000001", "version": "1.9", "status": "test",
            "sender": { "agency": "mz.prm" }, "created": "2025-03-14T05:10:00Z",
            "recipients": [{ "agency": "tz.tpf", "lane": "normal" }]
        });
        let longest = "t".repeat(64);
        let names = ["request.submit", &longest, "alert.issue\0", "alert issue", &"t".repeat(65)];
        for (index, name) in names.into_iter().enumerate() {
            header["type"] = name.into();
            let read = serde_json::from_value::<Header>(header.clone());
            let by_schema = Header::from_payload(
                &serde_json::to_vec(&serde_json::json!({ "header": header })).expect("JSON"),
            );
            assert_eq!((read.is_ok(), by_schema.is_ok()), (index < 2, index < 2), "{name:?}");
        }
    }
}
