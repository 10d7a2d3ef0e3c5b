//! How much waits, and since when.

use rovuma_schemas::{AgencyCode, Lane, Timestamp};
use rovuma_store::RowExt;

use crate::Outbox;

/// What is not settled yet, of one recipient and lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneStats {
    /// The recipient.
    pub recipient: AgencyCode,
    /// The lane.
    pub lane: Lane,
    /// Copies that have not left.
    pub waiting: u64,
    /// When the oldest of them was put in.
    pub oldest_waiting: Option<Timestamp>,
    /// Numbered copies that have left and have no receipt.
    pub queued: u64,
    /// When the oldest of them left for the first time: the officer's *queued since*.
    pub oldest_queued: Option<Timestamp>,
}

impl Outbox {
    /// What is not settled yet, by recipient and lane; nothing for lanes where all is.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn stats(&self) -> sqlx::Result<Vec<LaneStats>> {
        let rows = sqlx::query(
            "SELECT recipient, lane,
                    COUNT(CASE WHEN state = 0 THEN 1 END) AS waiting,
                    MIN(CASE WHEN state = 0 THEN enqueued_at END) AS oldest_waiting,
                    COUNT(CASE WHEN state = 1 THEN 1 END) AS queued,
                    MIN(CASE WHEN state = 1 THEN queued_at END) AS oldest_queued
             FROM outbox_copy WHERE state = 0 OR state = 1
             GROUP BY recipient, lane ORDER BY recipient, lane",
        )
        .fetch_all(self.store().read())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(LaneStats {
                    recipient: row.parsed("recipient")?,
                    lane: row.parsed("lane")?,
                    waiting: row.count("waiting")?,
                    oldest_waiting: row.opt_instant("oldest_waiting")?,
                    queued: row.count("queued")?,
                    oldest_queued: row.opt_instant("oldest_queued")?,
                })
            })
            .collect()
    }
}
