//! The state of each copy of a message, with the times of its changes.

use std::collections::HashMap;

use rovuma_schemas::{AgencyCode, CountryCode, Lane, MessageId, Timestamp};
use rovuma_store::{RowExt, padded_list, with_list};
use sqlx::{Row, any::AnyRow};

use crate::{CopyState, Outbox, StreamPosition};

/// The history of one copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyTrace {
    /// The recipient.
    pub recipient: AgencyCode,
    /// The country whose signature it carries.
    pub country: CountryCode,
    /// The lane.
    pub lane: Lane,
    /// Its position in the stream.
    pub position: Option<StreamPosition>,
    /// Its state.
    pub state: CopyState,
    /// When it was put into the outbox.
    pub enqueued_at: Timestamp,
    /// How often the broker has confirmed it.
    pub attempts: u64,
    /// When the broker confirmed it for the first time.
    pub queued_at: Option<Timestamp>,
    /// When the broker confirmed it for the last time.
    pub sent_at: Option<Timestamp>,
    /// When the recipient stored it, by its clock.
    pub delivered_at: Option<Timestamp>,
    /// When an officer opened it, by the recipient's clock.
    pub read_at: Option<Timestamp>,
    /// When the recipient refused it, by its clock.
    pub rejected_at: Option<Timestamp>,
    /// The reason why it was refused, or made void.
    pub code: Option<String>,
    /// When the receipt of delivery or refusal came, by our clock.
    pub settled_at: Option<Timestamp>,
    /// When its number was made void.
    pub voided_at: Option<Timestamp>,
}

impl Outbox {
    /// The copies of a message, by recipient.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn copies_of(&self, id: MessageId) -> sqlx::Result<Vec<CopyTrace>> {
        let rows = sqlx::query(
            "SELECT recipient, country, lane, stream, number, state, enqueued_at, attempts, queued_at, sent_at,
                    delivered_at, read_at, rejected_at, code, settled_at, voided_at
             FROM outbox_copy WHERE message = $1 ORDER BY recipient",
        )
        .bind(id.as_bytes().as_slice())
        .fetch_all(self.store().read())
        .await?;
        rows.iter().map(read).collect()
    }

    /// The copies of each of these messages, by recipient. A message without copies is absent.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn copies_of_each(
        &self,
        messages: &[MessageId],
    ) -> sqlx::Result<HashMap<MessageId, Vec<CopyTrace>>> {
        let mut copies: HashMap<MessageId, Vec<CopyTrace>> = HashMap::new();
        if messages.is_empty() {
            return Ok(copies);
        }
        let text = with_list(
            "SELECT message, recipient, country, lane, stream, number, state, enqueued_at, attempts, queued_at,
                    sent_at, delivered_at, read_at, rejected_at, code, settled_at, voided_at
             FROM outbox_copy WHERE message IN ({}) ORDER BY message, recipient",
            1,
            messages.len(),
        );
        let query =
            padded_list(messages).fold(sqlx::query(text), |query, id| query.bind(id.as_bytes().to_vec()));
        for row in &query.fetch_all(self.store().read()).await? {
            copies.entry(row.message_id("message")?).or_default().push(read(row)?);
        }
        Ok(copies)
    }
}

fn read(row: &AnyRow) -> sqlx::Result<CopyTrace> {
    let position = match (row.opt_store_id("stream")?, row.opt_count("number")?) {
        (Some(stream), Some(number)) => Some(StreamPosition { stream, number }),
        _ => None,
    };
    Ok(CopyTrace {
        recipient: row.parsed("recipient")?,
        country: row.parsed("country")?,
        lane: row.parsed("lane")?,
        position,
        state: CopyState::from_column(row.try_get("state")?)?,
        enqueued_at: row.instant("enqueued_at")?,
        attempts: row.count("attempts")?,
        queued_at: row.opt_instant("queued_at")?,
        sent_at: row.opt_instant("sent_at")?,
        delivered_at: row.opt_instant("delivered_at")?,
        read_at: row.opt_instant("read_at")?,
        rejected_at: row.opt_instant("rejected_at")?,
        code: row.try_get("code")?,
        settled_at: row.opt_instant("settled_at")?,
        voided_at: row.opt_instant("voided_at")?,
    })
}
