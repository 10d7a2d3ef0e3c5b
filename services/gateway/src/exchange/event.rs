//! Domain events: what happened to an agency's messages, in order, without content.
//!
//! The table is authoritative and read by `GET /v1/events?after=`; the `events` exchange and the
//! live streams only wake those who read it.

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use sqlx::AnyConnection;

use crate::error::DbError;

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

/// Writes an event in the caller's transaction. Whoever commits wakes the followers afterwards.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn record(
    tx: &mut AnyConnection,
    agency: &AgencyCode,
    kind: EventKind,
    object: Option<&MessageId>,
    version: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO domain_event (agency, event, object_id, version, at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(agency.as_str())
    .bind(kind.as_str())
    .bind(object.map(|id| id.as_bytes().to_vec()))
    .bind(version)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}
