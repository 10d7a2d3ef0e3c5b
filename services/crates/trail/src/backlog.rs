//! What the audit service has not acknowledged yet.

use std::time::Duration;

use rovuma_schemas::{Epoch, Timestamp};
use rovuma_store::RowExt;
use sqlx::Row;

use crate::{Trail, head::to_column};

/// Events of one batch at most: a batch is one transaction of the audit service.
pub(crate) const BATCH_EVENTS_MAX: u32 = 256;

/// Bytes of one batch at most, before sealing.
pub(crate) const BATCH_BYTES_MAX: usize = 512 * 1024;

/// Consecutive events of one epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) epoch: Epoch,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) events: Vec<String>,
}

impl Trail {
    /// When the oldest event happened that the audit service has not acknowledged.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn oldest_unacknowledged(&self) -> sqlx::Result<Option<Timestamp>> {
        let row = sqlx::query(
            "SELECT MIN(first_at) AS oldest FROM (
               SELECT (SELECT e.time_at FROM trail_event e WHERE e.source = h.source AND e.epoch = h.epoch
                       ORDER BY e.sequence LIMIT 1) AS first_at
               FROM trail_head h WHERE h.source = $1) AS firsts",
        )
        .bind(self.source())
        .fetch_one(self.store().read())
        .await?;
        row.opt_instant("oldest")
    }

    /// Whether some event has waited for its acknowledgement longer than `limit`: then what must not go
    /// unseen must not be done (fail closed).
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn is_overdue(&self, now: Timestamp, limit: Duration) -> sqlx::Result<bool> {
        Ok(self.oldest_unacknowledged().await?.is_some_and(|oldest| now.since(oldest) > limit))
    }

    /// How many events wait for their acknowledgement.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn unacknowledged(&self) -> sqlx::Result<u64> {
        let query = sqlx::query("SELECT COUNT(*) AS waiting FROM trail_event WHERE source = $1");
        query.bind(self.source()).fetch_one(self.store().read()).await?.count("waiting")
    }

    /// Waits until nothing waits for its acknowledgement: for a program that records and then ends. Give
    /// it a time limit.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn until_acknowledged(&self) -> sqlx::Result<()> {
        let mut commits = self.store().commits();
        while self.oldest_unacknowledged().await?.is_some() {
            if commits.changed().await.is_err() {
                return Err(sqlx::Error::PoolClosed);
            }
        }
        Ok(())
    }

    /// The epochs that have ever begun.
    pub(crate) async fn epochs(&self) -> sqlx::Result<Vec<Epoch>> {
        let query = sqlx::query("SELECT epoch FROM trail_head WHERE source = $1 ORDER BY epoch");
        let rows = query.bind(self.source()).fetch_all(self.store().read()).await?;
        rows.iter().map(|row| row.store_id("epoch")).collect()
    }

    /// The next events of an epoch after number `after`, as many as a batch takes.
    pub(crate) async fn run_after(&self, epoch: Epoch, after: u64) -> sqlx::Result<Option<Run>> {
        let rows = sqlx::query(
            "SELECT sequence, body FROM trail_event
             WHERE source = $1 AND epoch = $2 AND sequence > $3 ORDER BY sequence LIMIT $4",
        )
        .bind(self.source())
        .bind(epoch.as_bytes().as_slice())
        .bind(to_column(after))
        .bind(i64::from(BATCH_EVENTS_MAX))
        .fetch_all(self.store().read())
        .await?;
        let mut run: Option<Run> = None;
        let mut bytes = 0;
        for row in &rows {
            let (sequence, body): (u64, String) = (row.count("sequence")?, row.try_get("body")?);
            bytes += body.len();
            match &mut run {
                None => run = Some(Run { epoch, first: sequence, last: sequence, events: vec![body] }),
                Some(run) if bytes <= BATCH_BYTES_MAX && sequence == run.last + 1 => {
                    run.last = sequence;
                    run.events.push(body);
                }
                Some(_) => break,
            }
        }
        Ok(run)
    }
}
