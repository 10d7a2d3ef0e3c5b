//! The flow of travellers: how many were screened in which hour, at which post, with which verdict. Nothing else is kept of them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rovuma_runtime::Shutdown;
use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, FutureExt, Store};

use crate::screening::Verdict;

/// How often counts are written down. What is counted within this time is lost when the service is killed: it proves nothing.
const WRITTEN_EVERY: Duration = Duration::from_secs(10);

/// Maximum counts between two writings: posts are a code list, so there are at most a few dozen. Beyond, nothing is counted.
const COUNTED_MAX: usize = 1024;

const HOUR_US: i64 = 3_600_000_000;

type Count = (i64, String, &'static str);

/// Counts that wait to be written down.
#[derive(Debug, Default)]
pub(crate) struct Flow(Mutex<BTreeMap<Count, i64>>);

impl Flow {
    /// Counts one scan.
    pub(crate) fn count(&self, now: Timestamp, post: &str, verdict: Verdict) {
        let micros = now.as_micros();
        let count = (micros - micros.rem_euclid(HOUR_US), post.to_owned(), verdict.as_str());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < COUNTED_MAX || counts.contains_key(&count) {
            *counts.entry(count).or_default() += 1;
        }
    }

    /// Writes down what was counted, until the service stops and once more then.
    pub(crate) async fn run(watchlist: std::sync::Arc<crate::watchlist::Watchlist>, shutdown: Shutdown) {
        loop {
            let goes_on = shutdown.pause(WRITTEN_EVERY).await;
            watchlist.flow.write(&watchlist.store).await;
            if !goes_on {
                return;
            }
        }
    }

    async fn write(&self, store: &Store) {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return;
        }
        let write = store.write(move |tx| async move { add(tx, &counts).await }.boxed());
        if let Err(fault) = write.await {
            tracing::warn!(%fault, "counts of travellers could not be written down");
        }
    }
}

async fn add(tx: &mut Conn, counts: &BTreeMap<Count, i64>) -> sqlx::Result<()> {
    for ((hour, post, verdict), scans) in counts {
        sqlx::query(
            "INSERT INTO flow (hour, post, verdict, scans) VALUES ($1, $2, $3, $4)
             ON CONFLICT (hour, post, verdict) DO UPDATE SET scans = flow.scans + $4",
        )
        .bind(*hour)
        .bind(post.as_str())
        .bind(*verdict)
        .bind(*scans)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
