//! Putting a signed message into the outbox.

use rovuma_envelope::{Bundle, digest};
use rovuma_schemas::Timestamp;
use rovuma_store::Conn;

use crate::{Outbox, Outgoing, OutgoingCopy, model::to_column};

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
        for copy in &outgoing.copies {
            insert_copy(tx, outgoing, copy, now).await?;
            self.mark(&copy.recipient, copy.lane);
        }
        Ok(())
    }
}

async fn insert_copy(
    tx: &mut Conn,
    outgoing: &Outgoing,
    copy: &OutgoingCopy,
    now: Timestamp,
) -> sqlx::Result<()> {
    let size_bytes = i64::try_from(Bundle::packed_len(&outgoing.jws)).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO outbox_copy
           (message, country, sender, recipient, lane, stream, number, size_bytes, state, enqueued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)",
    )
    .bind(outgoing.id.as_bytes().as_slice())
    .bind(outgoing.country.as_str())
    .bind(outgoing.sender.as_str())
    .bind(copy.recipient.as_str())
    .bind(copy.lane.as_str())
    .bind(copy.place.map(|place| place.stream.as_bytes().to_vec()))
    .bind(copy.place.map(|place| to_column(place.number)))
    .bind(size_bytes)
    .bind(now.as_micros())
    .bind(outgoing.expires.map(Timestamp::as_micros))
    .execute(tx)
    .await?;
    Ok(())
}
