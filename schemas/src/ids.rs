//! Identifiers, each of a type of its own, so that none is mistaken for another.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::Timestamp;

/// An identifier whose text does not have the shape of its kind.
#[derive(Debug, thiserror::Error)]
#[error("not {expected}: {unverified_got:?}")]
pub struct BadId {
    expected: &'static str,
    unverified_got: String,
}

impl BadId {
    pub(crate) fn new(expected: &'static str, got: &str) -> Self {
        Self { expected, unverified_got: got.chars().take(64).collect() }
    }
}

/// Implements `Serialize` and `Deserialize` through `Display` and `FromStr`, and the JSON Schema.
macro_rules! as_text {
    ($type:ident, $pattern:literal, $what:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $what })
            }
        }
    };
}

/// A country, ISO 3166-1 alpha-2 in lower case: `mz`, `tz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CountryCode {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_lowercase() && b.is_ascii_lowercase() => Ok(Self([*a, *b])),
            _ => Err(BadId::new("a country of two lower-case letters", text)),
        }
    }
}

as_text!(CountryCode, "^[a-z]{2}$", "ISO 3166-1 alpha-2, lower case");

/// An agency: its country, a dot, its short name: `mz.prm`. `<cc>.node` is the installation itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgencyCode(String);

/// An agency's short name is at most this long, so that routing keys (255 bytes in AMQP 0-9-1) and
/// queue names stay far below their limits.
pub const AGENCY_NAME_MAX: usize = 16;

impl AgencyCode {
    /// The whole code, `mz.prm`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country before the dot.
    pub fn country(&self) -> CountryCode {
        let bytes = self.0.as_bytes();
        CountryCode([bytes[0], bytes[1]])
    }

    /// The short name after the dot, `prm`.
    pub fn name(&self) -> &str {
        &self.0[3..]
    }

    /// The agency that stands for a country's installation itself: it alone sends `audit.*` and `link.*`.
    pub fn node_of(country: CountryCode) -> Self {
        Self(format!("{country}.node"))
    }

    /// Whether this is a `<cc>.node`.
    pub fn is_node(&self) -> bool {
        self.name() == "node"
    }
}

impl fmt::Display for AgencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AgencyCode {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let fault = |expected| BadId::new(expected, text);
        let (country, name) = text
            .split_once('.')
            .ok_or_else(|| fault("an agency code such as mz.prm: it has no dot after the country"))?;
        country.parse::<CountryCode>().map_err(|_| {
            fault("an agency code such as mz.prm: it does not begin with a country of two lower-case letters")
        })?;
        if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            return Err(fault(
                "an agency code such as mz.prm: its name has other signs than lower-case letters and digits",
            ));
        }
        match name.len() {
            0..2 => Err(fault("an agency code such as mz.prm: its name is shorter than 2 letters")),
            2..=AGENCY_NAME_MAX => Ok(Self(text.to_owned())),
            _ => Err(fault("an agency code such as mz.prm: its name is longer than 16 letters")),
        }
    }
}

as_text!(AgencyCode, "^[a-z]{2}\\.[a-z0-9]{2,16}$", "agency code: country, dot, short name");

/// A message: UUIDv7 (RFC 9562), so that ids sort by the time they were drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(Uuid);

impl MessageId {
    /// Draws a new id at the instant `now`.
    pub fn draw(now: Timestamp) -> Self {
        let micros = now.as_micros().max(0).unsigned_abs();
        let seconds = micros / 1_000_000;
        let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
        Self(Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)))
    }

    /// When it was drawn, as whoever drew it says; to the millisecond.
    pub fn drawn_at(&self) -> Timestamp {
        let milliseconds = self.0.as_bytes()[..6].iter().fold(0, |time, byte| time << 8 | i64::from(*byte));
        // 48 bits of milliseconds reach the year 10889, beyond what an instant can be.
        Timestamp::from_micros(milliseconds.saturating_mul(1_000)).unwrap_or(Timestamp::LAST)
    }

    /// The 16 bytes a store keeps.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id with these 16 bytes.
    ///
    /// # Errors
    /// [`BadId`] when they are not 16 bytes of a UUIDv7.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, BadId> {
        let fault = || BadId::new("a UUIDv7", &format!("{} bytes", bytes.len()));
        let uuid = Uuid::from_slice(bytes).map_err(|_| fault())?;
        if uuid.get_version_num() == 7 { Ok(Self(uuid)) } else { Err(fault()) }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let fault = || BadId::new("a UUIDv7 in lower case with hyphens", text);
        let uuid = Uuid::try_parse(text).map_err(|_| fault())?;
        // One text per id, because signed texts are compared.
        if uuid.get_version_num() == 7 && uuid.to_string() == text { Ok(Self(uuid)) } else { Err(fault()) }
    }
}

as_text!(
    MessageId,
    "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "message id: UUIDv7 (RFC 9562)"
);

/// A random 128-bit name, drawn when a store is created or restored: stream ids and audit epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(Uuid);

/// The stream id of a sender's store: it changes when the store is restored, so that a number is
/// never used twice within one stream.
pub type StreamId = StoreId;

/// The epoch of an audit source: it changes when the source's store is restored.
pub type Epoch = StoreId;

impl StoreId {
    /// Draws a new random name.
    pub fn draw() -> Self {
        Self(Uuid::new_v4())
    }

    /// The 16 bytes a store keeps.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The name with these 16 bytes.
    ///
    /// # Errors
    /// [`BadId`] when they are not 16 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, BadId> {
        Uuid::from_slice(bytes)
            .map(Self)
            .map_err(|_| BadId::new("16 bytes", &format!("{} bytes", bytes.len())))
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_simple())
    }
}

impl FromStr for StoreId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let fault = || BadId::new("32 lower-case hexadecimal digits", text);
        let id = Uuid::try_parse(text).map(Self).map_err(|_| fault())?;
        if id.to_string() == text { Ok(id) } else { Err(fault()) }
    }
}

as_text!(StoreId, "^[0-9a-f]{32}$", "128 random bits in hexadecimal");

/// A SHA-256 digest, base64url without padding on the wire (as in JOSE).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest with these bytes.
    ///
    /// # Errors
    /// [`BadId`] when they are not 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, BadId> {
        bytes.try_into().map(Self).map_err(|_| BadId::new("32 bytes", &format!("{} bytes", bytes.len())))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let fault = || BadId::new("a SHA-256 digest in base64url", text);
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| fault())?;
        Self::from_slice(&bytes).map_err(|_| fault())
    }
}

as_text!(Digest, "^[A-Za-z0-9_-]{43}$", "SHA-256 digest, base64url without padding");

/// A lane: each has a queue of its own, so that an urgent alert never waits behind a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Urgent messages, their receipts, and the stream messages that report missing numbers.
    Urgent,
    /// Everything else.
    Normal,
    /// Large messages, and those that can wait.
    Bulk,
}

impl Lane {
    /// All lanes, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::Bulk];

    /// The lane's name in routing keys, queue names and stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Normal => "normal",
            Self::Bulk => "bulk",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Lane {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        Self::ALL
            .into_iter()
            .find(|lane| lane.as_str() == text)
            .ok_or_else(|| BadId::new("a lane (urgent, normal, bulk)", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agency_codes_know_their_country() {
        let prm: AgencyCode = "mz.prm".parse().expect("an agency code");
        assert_eq!(prm.country().as_str(), "mz");
        assert_eq!(prm.name(), "prm");
        assert!(AgencyCode::node_of(prm.country()).is_node());
    }

    #[test]
    fn misshapen_agency_codes_are_refused() {
        for text in ["", "mz", "mz.", "mz.p", "MZ.prm", "mz.prm.x", "mz.*", "mz.#", "m.prm", "mz.prm\n"] {
            assert!(text.parse::<AgencyCode>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_message_id_has_one_text_and_is_version_7() {
        let now = Timestamp::from_micros(1_795_457_669_000_123).expect("in range");
        let id = MessageId::draw(now);
        assert_eq!(id.to_string().parse::<MessageId>().expect("reads back"), id);
        assert!(id.to_string().to_uppercase().parse::<MessageId>().is_err());
        assert!(Uuid::new_v4().to_string().parse::<MessageId>().is_err());
    }
}
