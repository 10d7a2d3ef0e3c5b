//! Puts signed messages into the outbox.

use std::sync::Arc;

use rovuma_envelope::{Bundle, digest};
use rovuma_schemas::{AgencyCode, CountryCode, Digest, MessageId, MessageType, Timestamp};
use rovuma_store::{Conn, DeferredRows, Insert, Store};

use crate::{CopyState, Outbox, OutgoingCopy, OutgoingMessage, model::to_column};

impl Outbox {
    /// Puts a message into the outbox, in the transaction that decides to send it, which must be that of [`Store::write`].
    /// Messages for one recipient and lane leave in the order in which they are put in.
    ///
    /// When the message is in the outbox already, for the same country or with the same recipient, the transaction fails.
    pub fn enqueue(&self, tx: &mut Conn, outgoing: &OutgoingMessage, now: Timestamp) {
        let compact = outgoing.jws.to_compact().into_bytes();
        let digest = digest(&compact);
        let size_bytes = i64::try_from(Bundle::packed_len(&outgoing.jws)).unwrap_or(i64::MAX);
        for copy in &outgoing.copies {
            self.new_rows().copies.push(
                tx,
                CopyRow {
                    message: outgoing.id,
                    country: outgoing.country,
                    sender: outgoing.sender.clone(),
                    copy: copy.clone(),
                    size_bytes,
                    enqueued: now,
                    expires: outgoing.expires,
                },
            );
            self.mark(&copy.recipient, copy.lane);
        }
        self.new_rows().messages.push(
            tx,
            MessageRow {
                id: outgoing.id,
                country: outgoing.country,
                sender: outgoing.sender.clone(),
                message_type: outgoing.message_type,
                compact,
                digest,
                created: outgoing.created,
            },
        );
    }
}

/// The rows that the running transaction puts into the outbox; the store writes them at its end.
#[derive(Debug)]
pub(crate) struct NewRows {
    messages: Arc<DeferredRows<MessageRow>>,
    copies: Arc<DeferredRows<CopyRow>>,
}

struct MessageRow {
    id: MessageId,
    country: CountryCode,
    sender: AgencyCode,
    message_type: MessageType,
    compact: Vec<u8>,
    digest: Digest,
    created: Timestamp,
}

struct CopyRow {
    message: MessageId,
    country: CountryCode,
    sender: AgencyCode,
    copy: OutgoingCopy,
    size_bytes: i64,
    enqueued: Timestamp,
    expires: Option<Timestamp>,
}

const MESSAGES: Insert = Insert {
    into: "INSERT INTO outbox_message (id, country, sender, message_type, compact, digest, created_at)",
    columns: 7,
    then: "",
};

const COPIES: Insert = Insert {
    into: "INSERT INTO outbox_copy
             (message, country, sender, recipient, lane, stream, number, size_bytes, state, enqueued_at, expires_at)",
    columns: 11,
    then: "",
};

impl NewRows {
    pub(crate) fn new(store: &Store) -> Self {
        let messages = DeferredRows::new(store, MESSAGES, |query, row: &MessageRow| {
            query
                .bind(row.id.as_bytes().as_slice())
                .bind(row.country.as_str())
                .bind(row.sender.as_str())
                .bind(row.message_type.as_str())
                .bind(row.compact.as_slice())
                .bind(row.digest.as_bytes().as_slice())
                .bind(row.created.as_micros())
        });
        let copies = DeferredRows::new(store, COPIES, |query, row: &CopyRow| {
            query
                .bind(row.message.as_bytes().as_slice())
                .bind(row.country.as_str())
                .bind(row.sender.as_str())
                .bind(row.copy.recipient.as_str())
                .bind(row.copy.lane.as_str())
                .bind(row.copy.position.map(|position| position.stream.as_bytes().to_vec()))
                .bind(row.copy.position.map(|position| to_column(position.number)))
                .bind(row.size_bytes)
                .bind(CopyState::Waiting.to_column())
                .bind(row.enqueued.as_micros())
                .bind(row.expires.map(Timestamp::as_micros))
        });
        Self { messages, copies }
    }
}
