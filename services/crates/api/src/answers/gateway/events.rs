//! Domain events in order, without content.

use rovuma_schemas::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Events in order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Events {
    /// The events.
    pub items: Vec<Event>,
    /// The `after` of the next request: the number of the last event given, or `after` when there is none.
    pub next: i64,
}

/// Something that happened to the agency's messages or drafts. It holds no content.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// The event's number at this gateway: it rises, with gaps where other agencies' events lie.
    pub seq: i64,
    /// `draft.changed`: created, or its content or state changed; `message.released`: it waits in the outbox;
    /// `message.queued`: our country's broker has a copy; `message.voided`: a copy's number was made void;
    /// `message.received`: verified and stored; `message.read`: an officer of ours opened it; `receipt.delivered`,
    /// `receipt.read`, `receipt.listed`, `receipt.rejected`: a recipient's gateway stored, an officer there opened, a border post
    /// there screens with it, a gateway rejected it (the message's trace says whose); `message.held`: until a trust list comes; `delivery.quarantined`: it could not be verified;
    /// `stream.changed`: numbers are missing, or no longer; `case.changed`: a message of the case with this id was stored, or its state
    /// became another by time; `supervisor.needed`: one person released the message alone.
    pub event: String,
    /// To which message or draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid")]
    pub object: Option<MessageId>,
    /// The object's version.
    pub version: i64,
    /// The instant of the event.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}
