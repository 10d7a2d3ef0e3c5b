//! Receipts: those that we sign for messages received, and those that partners signed for messages sent.

mod incoming;

use std::collections::BTreeMap;

use rovuma_schemas::{
    AgencyCode, Body, DeliveredEntry, Lane, ListedEntry, MessageId, ReadEntry, Receipts, RejectedEntry,
    Timestamp, limits::RECEIPT_ENTRIES_MAX,
};
use rovuma_store::{Conn, RowExt};

pub(crate) use incoming::{IncomingEntry, accept, is_first};

use super::send::{self, SendError};
use crate::{events::EventKind, exchange::Exchange};

/// The signer of a receipt, its recipient, and its lane: the lane of the message that it answers, so that the receipt of an
/// urgent alert is urgent.
type Route = (AgencyCode, AgencyCode, Lane);

/// The receipt entries that one transaction must send, gathered so that many entries share a signature.
#[derive(Default)]
pub(crate) struct PendingReceipts {
    delivered: BTreeMap<Route, Vec<DeliveredEntry>>,
    rejected: BTreeMap<Route, Vec<RejectedEntry>>,
    listed: BTreeMap<Route, Vec<ListedEntry>>,
}

impl PendingReceipts {
    /// Adds an entry that reports to `to` that `from` has stored its message.
    pub(crate) fn delivered(
        &mut self,
        from: &AgencyCode,
        to: &AgencyCode,
        lane: Lane,
        entry: DeliveredEntry,
    ) {
        self.delivered.entry((from.clone(), to.clone(), lane)).or_default().push(entry);
    }

    /// Adds an entry that reports to `to` that `from` does not accept its message.
    pub(crate) fn rejected(&mut self, from: &AgencyCode, to: &AgencyCode, lane: Lane, entry: RejectedEntry) {
        self.rejected.entry((from.clone(), to.clone(), lane)).or_default().push(entry);
    }

    /// Adds an entry that reports to `to` that its message took effect at a border post of `from`.
    pub(crate) fn listed(&mut self, from: &AgencyCode, to: &AgencyCode, lane: Lane, entry: ListedEntry) {
        self.listed.entry((from.clone(), to.clone(), lane)).or_default().push(entry);
    }

    /// Signs the receipts and puts them into the outbox. After an error the transaction must be rolled back.
    pub(crate) async fn sign_and_enqueue(
        self,
        tx: &mut Conn,
        exchange: &Exchange,
        now: Timestamp,
    ) -> Result<(), SendError> {
        for (route, entries) in self.delivered {
            for chunk in entries.chunks(RECEIPT_ENTRIES_MAX) {
                let body = Body::ReceiptDelivered(Receipts { entries: chunk.to_vec() });
                send_receipt(tx, exchange, &route, body, now).await?;
            }
        }
        for (route, entries) in self.rejected {
            for chunk in entries.chunks(RECEIPT_ENTRIES_MAX) {
                let body = Body::ReceiptRejected(Receipts { entries: chunk.to_vec() });
                send_receipt(tx, exchange, &route, body, now).await?;
            }
        }
        for (route, entries) in self.listed {
            for chunk in entries.chunks(RECEIPT_ENTRIES_MAX) {
                let body = Body::ReceiptListed(Receipts { entries: chunk.to_vec() });
                send_receipt(tx, exchange, &route, body, now).await?;
            }
        }
        Ok(())
    }
}

async fn send_receipt(
    tx: &mut Conn,
    exchange: &Exchange,
    (from, to, lane): &Route,
    body: Body,
    now: Timestamp,
) -> Result<(), SendError> {
    let outgoing = send::transport(exchange, from, to, *lane, body, now)?;
    exchange.outbox.enqueue(tx, &outgoing, now);
    Ok(())
}

/// Records that an officer of ours has opened a message and sends `receipt.read`, the first time only. After an error the
/// transaction must be rolled back.
pub(crate) async fn mark_read(
    tx: &mut Conn,
    exchange: &Exchange,
    message: &ReadMessage<'_>,
    now: Timestamp,
) -> Result<(), SendError> {
    let row = sqlx::query(
        "UPDATE received SET read_at = $1, read_by = $2
         WHERE recipient = $3 AND sender = $4 AND id = $5 AND read_at IS NULL AND disposition = 'operative'
         RETURNING digest, lane",
    )
    .bind(now.as_micros())
    .bind(message.reader)
    .bind(message.recipient.as_str())
    .bind(message.sender.as_str())
    .bind(message.id.as_bytes().to_vec())
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let entry = ReadEntry { id: message.id, digest: row.digest("digest")?, read_at: now };
    let route = (message.recipient.clone(), message.sender.clone(), row.parsed("lane")?);
    send_receipt(tx, exchange, &route, Body::ReceiptRead(Receipts { entries: vec![entry] }), now).await?;
    exchange.base.events.record(tx, message.recipient, EventKind::MessageRead, Some(&message.id), 1, now);
    Ok(())
}

/// A received message that an officer opened.
pub(crate) struct ReadMessage<'a> {
    /// The agency that received it.
    pub(crate) recipient: &'a AgencyCode,
    /// The agency that sent it.
    pub(crate) sender: &'a AgencyCode,
    /// The message.
    pub(crate) id: MessageId,
    /// The officer who opened it.
    pub(crate) reader: &'a str,
}
