//! One event with its exact bytes.

use rovuma_envelope::digest;
use rovuma_schemas::{
    Digest,
    audit::{AuditEvent, REFERENCE_DETAIL},
};

/// An audit event with the exact bytes that its source wrote. It is never serialised again, because the
/// next event names the digest of these bytes.
#[derive(Clone, Debug)]
pub(crate) struct LogEvent {
    bytes: String,
    digest: Digest,
    event: AuditEvent,
}

/// Why bytes are no audit event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadEvent {
    /// They are not JSON of an event's shape.
    #[error("not an audit event: {0}")]
    Shape(#[from] serde_json::Error),
    /// A sequence is at least 1, and a store holds it as a signed 64-bit number.
    #[error("sequence {0} is out of range")]
    Sequence(u64),
}

impl LogEvent {
    /// Parses an event.
    pub(crate) fn parse(bytes: String) -> Result<Self, BadEvent> {
        let event: AuditEvent = serde_json::from_str(&bytes)?;
        if event.sequence == 0 || i64::try_from(event.sequence).is_err() {
            return Err(BadEvent::Sequence(event.sequence));
        }
        Ok(Self { digest: digest(bytes.as_bytes()), bytes, event })
    }

    /// The exact bytes.
    pub(crate) fn bytes(&self) -> &str {
        &self.bytes
    }

    /// The SHA-256 of the bytes.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// The parsed event.
    pub(crate) fn event(&self) -> &AuditEvent {
        &self.event
    }

    /// The event's position within (source, epoch), from 1.
    pub(crate) fn sequence(&self) -> u64 {
        self.event.sequence
    }

    /// The message that the event is about: its object, if that is a message or a draft, or else the detail
    /// `message`.
    pub(crate) fn message_id(&self) -> Option<&str> {
        match &self.event.object {
            // A draft's id becomes the id of the message that it is sent as.
            Some(object) if object.kind == "message" || object.kind == "draft" => Some(&object.id),
            _ => self.event.details.get("message").map(String::as_str),
        }
    }

    /// The reference of the message that the event is about, in its sender's own files.
    pub(crate) fn reference(&self) -> Option<&str> {
        self.event.details.get(REFERENCE_DETAIL).map(String::as_str)
    }
}
