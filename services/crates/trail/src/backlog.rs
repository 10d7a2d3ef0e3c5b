//! The events that the audit service has not acknowledged yet.

use std::time::Duration;

use rovuma_schemas::{Epoch, Timestamp};
use rovuma_store::RowExt;
use sqlx::Row;

use crate::{Trail, chain_end::to_column};

/// Maximum events of one batch: a batch is one transaction of the audit service.
pub(crate) const BATCH_EVENTS_MAX: u32 = 256;

/// Maximum bytes of one batch, before sealing.
pub(crate) const BATCH_BYTES_MAX: usize = 512 * 1024;

/// Consecutive events of one epoch, as many as a batch takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventRun {
    pub(crate) epoch: Epoch,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) events: Vec<String>,
}

impl Trail {
    /// The time of the oldest event that the audit service has not acknowledged.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn oldest_unacknowledged(&self) -> sqlx::Result<Option<Timestamp>> {
        let row = sqlx::query(
            "SELECT MIN(first_at) AS oldest FROM (
               SELECT (SELECT e.time_at FROM trail_event e WHERE e.source = h.source AND e.epoch = h.epoch
                       ORDER BY e.sequence LIMIT 1) AS first_at
               FROM trail_end h WHERE h.source = $1) AS firsts",
        )
        .bind(self.source())
        .fetch_one(self.store().read())
        .await?;
        row.opt_instant("oldest")
    }

    /// Whether some event has waited for its acknowledgement longer than `limit`. Then a service must refuse to do what it
    /// could not account for (fail closed).
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn is_overdue(&self, now: Timestamp, limit: Duration) -> sqlx::Result<bool> {
        Ok(self.oldest_unacknowledged().await?.is_some_and(|oldest| now.since(oldest) > limit))
    }

    /// The number of events that wait for their acknowledgement.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn unacknowledged(&self) -> sqlx::Result<u64> {
        let query = sqlx::query("SELECT COUNT(*) AS waiting FROM trail_event WHERE source = $1");
        query.bind(self.source()).fetch_one(self.store().read()).await?.count("waiting")
    }

    /// Waits until all events are acknowledged, for a program that records and then ends. It may wait for ever: give it a
    /// time limit.
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

    /// All epochs of the source, former ones included.
    pub(crate) async fn epochs(&self) -> sqlx::Result<Vec<Epoch>> {
        let query = sqlx::query("SELECT epoch FROM trail_end WHERE source = $1 ORDER BY epoch");
        let rows = query.bind(self.source()).fetch_all(self.store().read()).await?;
        rows.iter().map(|row| row.store_id("epoch")).collect()
    }

    /// The next events of an epoch after sequence `after`, as many as a batch takes.
    pub(crate) async fn events_after(&self, epoch: Epoch, after: u64) -> sqlx::Result<Option<EventRun>> {
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
        let mut run: Option<EventRun> = None;
        let mut bytes = 0;
        for row in &rows {
            let (sequence, body): (u64, String) = (row.count("sequence")?, row.try_get("body")?);
            bytes += body.len();
            match &mut run {
                None => run = Some(EventRun { epoch, first: sequence, last: sequence, events: vec![body] }),
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
