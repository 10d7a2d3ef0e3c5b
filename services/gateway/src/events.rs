//! Domain events: the changes of an agency's drafts, messages and streams, in order, without content.
//!
//! The table is authoritative; `GET /v1/events?after=` reads it. The `events` exchange only wakes the readers; the live streams
//! get new events from the [`feed`].

pub(crate) mod feed;

use std::sync::Arc;

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, DeferredRows, Insert, Store};

/// The kind of a domain event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// A draft was created, or its content or state changed.
    DraftChanged,
    /// A message was released and waits in the outbox.
    MessageReleased,
    /// Our country's broker confirmed a copy.
    MessageQueued,
    /// A copy's number was made void: it expired before it left, was replaced by a reissue, or its stored bytes were damaged.
    MessageVoided,
    /// A message was verified and stored.
    MessageReceived,
    /// An officer of ours opened a message.
    MessageRead,
    /// A recipient's gateway has stored a message.
    ReceiptDelivered,
    /// A recipient's officer opened a message.
    ReceiptRead,
    /// A message took effect at a recipient's border post.
    ReceiptListed,
    /// A recipient's gateway rejected a message.
    ReceiptRejected,
    /// A message is held until a trust list comes.
    MessageHeld,
    /// A delivery could not be verified.
    DeliveryQuarantined,
    /// Numbers of a stream are missing, or no longer are.
    StreamChanged,
    /// One person released alone what a supervisor must look at: an emergency, or what could not wait. The object is the message.
    SupervisorNeeded,
    /// A message of a case was stored, and its state folded again. The object is the id of the case.
    CaseChanged,
}

impl EventKind {
    /// The name of the kind: the CloudEvents `type` after `rovuma.`, and the end of the routing key.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::DraftChanged => "draft.changed",
            Self::MessageReleased => "message.released",
            Self::MessageQueued => "message.queued",
            Self::MessageVoided => "message.voided",
            Self::MessageReceived => "message.received",
            Self::MessageRead => "message.read",
            Self::ReceiptDelivered => "receipt.delivered",
            Self::ReceiptRead => "receipt.read",
            Self::ReceiptListed => "receipt.listed",
            Self::ReceiptRejected => "receipt.rejected",
            Self::MessageHeld => "message.held",
            Self::DeliveryQuarantined => "delivery.quarantined",
            Self::StreamChanged => "stream.changed",
            Self::SupervisorNeeded => "supervisor.needed",
            Self::CaseChanged => "case.changed",
        }
    }
}

const ROWS: Insert =
    Insert { into: "INSERT INTO domain_event (agency, event, object_id, version, at)", columns: 5, then: "" };

/// Records the domain events of one store, in the transaction of the change; inserts them at its end.
#[derive(Clone, Debug)]
pub(crate) struct Events(Arc<DeferredRows<Event>>);

#[derive(Clone, Debug)]
struct Event {
    agency: AgencyCode,
    kind: EventKind,
    object: Option<MessageId>,
    version: i64,
    at: Timestamp,
}

impl Events {
    /// The events of `store`.
    pub(crate) fn of(store: &Store) -> Self {
        Self(DeferredRows::new(store, ROWS, |query, event: &Event| {
            query
                .bind(event.agency.as_str())
                .bind(event.kind.as_str())
                .bind(event.object.map(|id| id.as_bytes().to_vec()))
                .bind(event.version)
                .bind(event.at.as_micros())
        }))
    }

    /// Records an event in the caller's transaction, which must be one of [`Store::write`]. The commit wakes the feed.
    pub(crate) fn record(
        &self,
        tx: &mut Conn,
        agency: &AgencyCode,
        kind: EventKind,
        object: Option<&MessageId>,
        version: i64,
        now: Timestamp,
    ) {
        let event = Event { agency: agency.clone(), kind, object: object.copied(), version, at: now };
        self.0.push(tx, event);
    }
}
