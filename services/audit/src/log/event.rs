//! One event by its exact bytes.

use rovuma_envelope::digest;
use rovuma_schemas::{
    Digest,
    audit::{AuditEvent, CASE_DETAIL},
};

/// An audit event: the exact bytes that its source wrote, and what they say. Nothing is ever serialised
/// again: the digest that the next event names is over these bytes.
#[derive(Clone, Debug)]
pub(crate) struct LogEvent {
    bytes: String,
    digest: Digest,
    event: AuditEvent,
}

/// Bytes that are no audit event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadEvent {
    /// Not JSON of an event's shape.
    #[error("not an audit event: {0}")]
    Shape(#[from] serde_json::Error),
    /// Sequences count from 1, and a store holds them as signed 64-bit numbers.
    #[error("sequence {0} is out of range")]
    Sequence(u64),
}

impl LogEvent {
    /// Reads an event.
    ///
    /// # Errors
    /// [`BadEvent`] when the bytes are not an event.
    pub(crate) fn read(bytes: String) -> Result<Self, BadEvent> {
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

    /// Their SHA-256.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// What they say.
    pub(crate) fn event(&self) -> &AuditEvent {
        &self.event
    }

    /// The number within (source, epoch), from 1.
    pub(crate) fn sequence(&self) -> u64 {
        self.event.sequence
    }

    /// The message that the event is about: its object, be it still a draft (whose id the message keeps), or the
    /// detail `message` where the object is something else.
    pub(crate) fn message_id(&self) -> Option<&str> {
        match &self.event.object {
            // A draft's id becomes the id of the message that it is sent as.
            Some(object) if object.kind == "message" || object.kind == "draft" => Some(&object.id),
            _ => self.event.details.get("message").map(String::as_str),
        }
    }

    /// The case that it belongs to, as the agency calls it.
    pub(crate) fn case_reference(&self) -> Option<&str> {
        self.event.details.get(CASE_DETAIL).map(String::as_str)
    }
}
