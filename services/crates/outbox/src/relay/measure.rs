//! Metrics of unsettled copies.

use std::{collections::BTreeSet, time::Duration};

use rovuma_schemas::Timestamp;
use tokio::time::Instant;

use crate::{LaneStats, Outbox, model::RecipientLane};

/// How often copies are counted: counting a long backlog takes a moment.
const EVERY: Duration = Duration::from_secs(30);

/// The gauges `rovuma_outbox_waiting`, `rovuma_outbox_queued` and `rovuma_outbox_oldest_seconds`, by agency
/// and lane.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    measured_at: Option<Instant>,
    /// The lanes of the last count. Those that are empty now are set to zero.
    shown: BTreeSet<RecipientLane>,
}

impl Gauges {
    /// Counts, unless the last count was less than [`EVERY`] ago.
    pub(crate) async fn measure(&mut self, outbox: &Outbox, now: Timestamp, at: Instant) -> sqlx::Result<()> {
        if self.measured_at.is_some_and(|before| at < before + EVERY) {
            return Ok(());
        }
        self.measured_at = Some(at);
        let stats = outbox.stats().await?;
        let present: BTreeSet<RecipientLane> =
            stats.iter().map(|lane| RecipientLane::new(&lane.recipient, lane.lane)).collect();
        for lane in self.shown.difference(&present) {
            set(lane, 0, 0, Duration::ZERO);
        }
        for lane in &stats {
            let key = RecipientLane::new(&lane.recipient, lane.lane);
            set(&key, lane.waiting, lane.queued, age_of_oldest(lane, now));
        }
        self.shown = present;
        Ok(())
    }
}

fn age_of_oldest(lane: &LaneStats, now: Timestamp) -> Duration {
    let oldest = lane.oldest_waiting.into_iter().chain(lane.oldest_queued).min();
    oldest.map_or(Duration::ZERO, |oldest| now.since(oldest))
}

fn set(lane: &RecipientLane, waiting: u64, queued: u64, oldest: Duration) {
    let labels = [("agency", lane.recipient.to_string()), ("lane", lane.lane.to_string())];
    metrics::gauge!("rovuma_outbox_waiting", &labels).set(as_gauge(waiting));
    metrics::gauge!("rovuma_outbox_queued", &labels).set(as_gauge(queued));
    metrics::gauge!("rovuma_outbox_oldest_seconds", &labels).set(oldest.as_secs_f64());
}

/// A gauge is a float; counts beyond `u32` are not worth telling apart.
fn as_gauge(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
