//! Putting a signed message into the outbox.

use rovuma_envelope::{Bundle, digest};
use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, Insert};

use crate::{CopyState, Outbox, Outgoing, model::to_column};

impl Outbox {
    /// Puts a message into the outbox, in the transaction that decided to send it. It leaves in the order
    /// in which messages for one recipient and lane are put in.
    ///
    /// # Errors
    /// [`sqlx::Error`]: a unique violation when the message is in already, for the same country or with
    /// the same recipient; otherwise that the store does not answer.
    pub async fn enqueue(&self, tx: &mut Conn, outgoing: &Outgoing, now: Timestamp) -> sqlx::Result<()> {
        let compact = outgoing.jws.to_compact().into_bytes();
        let digest = digest(&compact);
        sqlx::query(
            "INSERT INTO outbox_message (id, country, sender, message_type, compact, digest, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(outgoing.id.as_bytes().as_slice())
        .bind(outgoing.country.as_str())
        .bind(outgoing.sender.as_str())
        .bind(outgoing.message_type.as_str())
        .bind(compact)
        .bind(digest.as_bytes().as_slice())
        .bind(outgoing.created.as_micros())
        .execute(&mut *tx)
        .await?;
        insert_copies(tx, outgoing, now).await?;
        for copy in &outgoing.copies {
            self.mark(&copy.recipient, copy.lane);
        }
        Ok(())
    }
}

const COPIES: Insert = Insert {
    into: "INSERT INTO outbox_copy
             (message, country, sender, recipient, lane, stream, number, size_bytes, state, enqueued_at, expires_at)",
    columns: 11,
    then: "",
};

async fn insert_copies(tx: &mut Conn, outgoing: &Outgoing, now: Timestamp) -> sqlx::Result<()> {
    let size_bytes = i64::try_from(Bundle::packed_len(&outgoing.jws)).unwrap_or(i64::MAX);
    let insert = COPIES.rows(tx, &outgoing.copies, |query, copy| {
        query
            .bind(outgoing.id.as_bytes().as_slice())
            .bind(outgoing.country.as_str())
            .bind(outgoing.sender.as_str())
            .bind(copy.recipient.as_str())
            .bind(copy.lane.as_str())
            .bind(copy.place.map(|place| place.stream.as_bytes().to_vec()))
            .bind(copy.place.map(|place| to_column(place.number)))
            .bind(size_bytes)
            .bind(CopyState::Waiting.to_column())
            .bind(now.as_micros())
            .bind(outgoing.expires.map(Timestamp::as_micros))
    });
    insert.await
}
