//! Since when partners have not cosigned.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rovuma_schemas::Timestamp;
use rovuma_store::{Readers, RowExt};

use crate::error::DbError;

/// How long a checkpoint may wait for its cosignatures before it counts as unwitnessed: a slow line is no alarm.
const GRACE: Duration = Duration::from_secs(15);

/// Since when the log has had no settled checkpoint. Clones share the value.
#[derive(Clone, Debug, Default)]
pub(crate) struct WitnessStatus(Arc<Mutex<Option<Timestamp>>>);

impl WitnessStatus {
    /// Since when checkpoints wait for cosignatures; `None` while they come in time.
    pub(crate) fn unwitnessed_since(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the store since when checkpoints wait.
    pub(crate) async fn refresh(&self, pool: &Readers, now: Timestamp) -> Result<(), DbError> {
        let row = sqlx::query(
            "SELECT MIN(c.made_at) AS since FROM checkpoint c JOIN tree t ON t.origin = c.origin
             WHERE c.settled_at IS NULL AND t.abandoned_at IS NULL AND c.size >
               (SELECT COALESCE(MAX(g.size), -1) FROM checkpoint g
                WHERE g.origin = c.origin AND g.settled_at IS NOT NULL)",
        )
        .fetch_one(pool)
        .await?;
        let since = row.opt_instant("since")?.filter(|since| now.since(*since) >= GRACE);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
        metrics::gauge!("rovuma_audit_unwitnessed").set(if since.is_some() { 1.0 } else { 0.0 });
        Ok(())
    }

    /// Whether the log has been unwitnessed for `bound` or longer.
    pub(crate) fn exceeds(&self, bound: Option<Duration>, now: Timestamp) -> bool {
        bound.zip(self.unwitnessed_since()).is_some_and(|(bound, since)| now.since(since) >= bound)
    }
}
