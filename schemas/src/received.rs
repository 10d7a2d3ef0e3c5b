//! Reads messages that somebody else wrote: open for fields and codes of a newer minor version.

mod rules;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    Body, Fault, Header, Locale, Message, MessageType, RejectionCode, Terms, Version,
    fault::{self, FaultCode, Finding},
    json, limits,
    pointer::Pointer,
    schema,
    view::View,
};

/// The major versions that this build reads, of every type.
pub const ACCEPTED_MAJORS: &[u16] = &[1];

/// Why a payload is not a message that this build can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseFault {
    /// Not JSON, or JSON that is not safe to read: too deep, or a name twice in one object.
    #[error("not acceptable JSON")]
    NotJson(Vec<Fault>),
    /// Larger than a message may be.
    #[error("{size_bytes} bytes, at most {} are read", limits::MESSAGE_MAX_BYTES)]
    TooLarge {
        /// The size.
        size_bytes: usize,
    },
    /// A type that this build does not know.
    #[error("unknown message type {unverified_type:?}")]
    UnknownType {
        /// The type as the header has it.
        unverified_type: String,
    },
    /// A major version that this build does not read.
    #[error("{message_type} {version} is not read here")]
    UnsupportedVersion {
        /// The type.
        message_type: MessageType,
        /// The version as the header has it.
        version: Version,
    },
    /// The content does not meet the schema of its type.
    #[error("{} faults against the schema", .0.len())]
    Schema(Vec<Fault>),
}

impl ParseFault {
    /// The code with which a *verified* message of this kind is rejected.
    pub const fn rejection(&self) -> RejectionCode {
        match self {
            Self::NotJson(_) | Self::Schema(_) => RejectionCode::Schema,
            Self::TooLarge { .. } => RejectionCode::TooLarge,
            Self::UnknownType { .. } | Self::UnsupportedVersion { .. } => RejectionCode::UnsupportedVersion,
        }
    }

    /// The single faults, where there are any.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::NotJson(faults) | Self::Schema(faults) => faults,
            _ => &[],
        }
    }
}

impl Header {
    /// Reads only the header, which is all that verifying needs. It may have an unknown type or version.
    ///
    /// # Errors
    /// [`ParseFault::TooLarge`], [`ParseFault::NotJson`], or [`ParseFault::Schema`] when the header
    /// itself is missing or misshapen.
    pub fn from_payload(payload: &[u8]) -> Result<Self, ParseFault> {
        header_of(&read(payload)?)
    }
}

impl Message {
    /// Reads a whole message. Unknown fields are ignored: a newer minor version may have added them.
    ///
    /// # Errors
    /// [`ParseFault`]; with [`ParseFault::Schema`] all the faults at once.
    pub fn parse(payload: &[u8]) -> Result<Self, ParseFault> {
        Self::parse_with_json(payload).map(|(message, _)| message)
    }

    /// Reads a whole message as [`parse`](Self::parse) does, and returns it with the JSON that it was read from: that has the fields,
    /// too, which this version does not know.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with_json(payload: &[u8]) -> Result<(Self, Value), ParseFault> {
        let value = read(payload)?;
        let message_type = readable(&value)?;
        let mut found = schema::received_faults(message_type, &value);
        let header: Result<Header, ParseFault> = part(&value, "header");
        if let Ok(header) = &header {
            rules::check(header, message_type, &View::root(&value), &mut found);
        }
        if !found.is_empty() {
            return Err(refuse(found));
        }
        let header = header?;
        let terms = match message_type.class().is_operational() {
            true => Some(part::<Terms>(&value, "terms")?),
            false => None,
        };
        let at = Pointer::default().field("body");
        let body = value.get("body").unwrap_or(&Value::Null);
        let body = Body::read(message_type, body, &at).map_err(|finding| refuse(vec![finding]))?;
        Ok((Self { header, terms, body }, value))
    }
}

/// The type, when this build reads it in that version. To name an unknown type or version, the header must be valid; for a
/// known one, the schema of the type reports the header's faults too.
fn readable(value: &Value) -> Result<MessageType, ParseFault> {
    let header = View::root(value).field("header");
    let known = header.field("type").parsed::<MessageType>();
    let version = header.field("version").parsed::<Version>();
    match known.zip(version) {
        Some((known, version)) if ACCEPTED_MAJORS.contains(&version.major) => Ok(known),
        _ => Err(unreadable(header_of(value)?)),
    }
}

fn unreadable(header: Header) -> ParseFault {
    match header.message_type.parse() {
        Ok(message_type) => ParseFault::UnsupportedVersion { message_type, version: header.version },
        Err(_) => ParseFault::UnknownType { unverified_type: header.message_type },
    }
}

fn read(payload: &[u8]) -> Result<Value, ParseFault> {
    if payload.len() > limits::MESSAGE_MAX_BYTES {
        return Err(ParseFault::TooLarge { size_bytes: payload.len() });
    }
    json::read(payload).map_err(|found| ParseFault::NotJson(fault::in_words(found, Locale::En)))
}

fn refuse(found: Vec<Finding>) -> ParseFault {
    ParseFault::Schema(fault::in_words(found, Locale::En))
}

fn header_of(value: &Value) -> Result<Header, ParseFault> {
    let found = schema::header_faults(value);
    if found.is_empty() { part(value, "header") } else { Err(refuse(found)) }
}

/// The typed part `name` of a message. The schema was checked before; a value that the schema accepts and the type refuses is a
/// fault all the same.
fn part<T: DeserializeOwned>(message: &Value, name: &str) -> Result<T, ParseFault> {
    let at = Pointer::default().field(name);
    let Some(value) = message.get(name) else {
        return Err(refuse(vec![Finding::with(&at, FaultCode::MissingField, name)]));
    };
    schema::typed(value, &at).map_err(|finding| refuse(vec![finding]))
}
