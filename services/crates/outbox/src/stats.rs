//! Counts of unsettled copies, by recipient and lane.

use rovuma_schemas::{AgencyCode, Lane, Timestamp};
use rovuma_store::RowExt;

use crate::Outbox;

/// The unsettled copies of one recipient and lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneStats {
    /// The recipient.
    pub recipient: AgencyCode,
    /// The lane.
    pub lane: Lane,
    /// The number of copies that have not left.
    pub waiting: u64,
    /// When the oldest of them was put in.
    pub oldest_waiting: Option<Timestamp>,
    /// The number of numbered copies that have left and have no receipt.
    pub queued: u64,
    /// When the oldest of them left for the first time: what officers see as *queued since*.
    pub oldest_queued: Option<Timestamp>,
}

impl Outbox {
    /// Counts the unsettled copies by recipient and lane; lanes without any are left out.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn stats(&self) -> sqlx::Result<Vec<LaneStats>> {
        let rows = sqlx::query(UNSETTLED).fetch_all(self.store().read().aside()).await?;
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

/// Each part is answered from an index of its own, so that settled copies, by far the most, are not read.
pub(crate) const UNSETTLED: &str = "
    SELECT recipient, lane, CAST(SUM(waiting) AS BIGINT) AS waiting, MIN(oldest_waiting) AS oldest_waiting,
           CAST(SUM(queued) AS BIGINT) AS queued, MIN(oldest_queued) AS oldest_queued
    FROM (
      SELECT recipient, lane, COUNT(*) AS waiting, MIN(enqueued_at) AS oldest_waiting, 0 AS queued,
             CAST(NULL AS BIGINT) AS oldest_queued
      FROM outbox_copy WHERE state = 0 AND number IS NOT NULL GROUP BY recipient, lane
      UNION ALL
      SELECT recipient, lane, COUNT(*), MIN(enqueued_at), 0, CAST(NULL AS BIGINT)
      FROM outbox_copy WHERE state = 0 AND number IS NULL GROUP BY recipient, lane
      UNION ALL
      SELECT recipient, lane, 0, CAST(NULL AS BIGINT), COUNT(*), MIN(queued_at)
      FROM outbox_copy WHERE state = 1 GROUP BY recipient, lane
    ) AS unsettled
    GROUP BY recipient, lane ORDER BY recipient, lane";
