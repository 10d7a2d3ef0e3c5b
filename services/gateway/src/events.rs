//! Domain events: what happened to an agency's messages, in order, without content.
//!
//! The table is authoritative and read by `GET /v1/events?after=`; the `events` exchange and the
//! live streams only wake those who read it.

use std::sync::Arc;

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, DeferredRows, Insert, Store};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// A draft was created or changed hands.
    DraftChanged,
    /// A message was released and waits in the outbox.
    MessageReleased,
    /// A copy was confirmed by the country's broker.
    MessageQueued,
    /// A copy expired before it left; its number is void.
    MessageVoided,
    /// A message was verified and stored.
    MessageReceived,
    /// A message was opened by an officer of ours.
    MessageRead,
    /// A recipient's gateway has it.
    ReceiptDelivered,
    /// A recipient's officer opened it.
    ReceiptRead,
    /// A recipient's gateway refused it.
    ReceiptRejected,
    /// A message waits for a trust list.
    MessageHeld,
    /// A delivery could not be verified.
    DeliveryQuarantined,
    /// Numbers of a stream are missing, or no longer are.
    StreamChanged,
}

impl EventKind {
    /// The event's word: the CloudEvents `type` after `rovuma.`, and the end of the routing key.
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
            Self::ReceiptRejected => "receipt.rejected",
            Self::MessageHeld => "message.held",
            Self::DeliveryQuarantined => "delivery.quarantined",
            Self::StreamChanged => "stream.changed",
        }
    }
}

const ROWS: Insert =
    Insert { into: "INSERT INTO domain_event (agency, event, object_id, version, at)", columns: 5, then: "" };

/// The events of one store: recorded in the transaction of what happened, written at its end.
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

    /// Records an event in the caller's transaction, which is that of [`Store::write`]. Whoever commits wakes the
    /// followers afterwards.
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
