//! The relay: brings what waits in the outbox to the broker, sealed in bundles, and again until it is
//! answered.
//!
//! One worker serves one recipient and lane at a time, so that order holds, and several lanes are served
//! side by side. A lane is looked at after a commit that put something into it or settled something of it, by
//! this process or another that shares the store, and on every tick, for what has come due or expired.

mod aside;
mod backoff;
mod choose;
mod host;
mod lanes;
pub(crate) mod lease;
pub(crate) mod mark;
mod measure;
mod pass;
pub(crate) mod read;
mod seal;
pub(crate) mod void;

use std::{panic, sync::Arc};

use rovuma_broker::Broker;
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::Lane;
use rovuma_store::FutureExt;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::{JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tracing::{debug, error, warn};

pub use host::{MovedCopy, RelayHost};
pub use seal::BUNDLE_CONTENT_TYPE;

use crate::{Outbox, model::LaneKey};
use lanes::Lanes;
use lease::Leases;
use measure::Gauges;
use pass::Trouble;

/// Bundles of one lane's kind in hand at the same time, over all recipients: bounds memory. Each kind has
/// its own turns, so that an urgent bundle never waits for a bulk one.
const TURNS: usize = 4;

/// Serves the lanes of one outbox.
pub struct Relay {
    outbox: Outbox,
    broker: Broker,
    clock: SharedClock,
    host: Arc<dyn RelayHost>,
    leases: Leases,
    turns: [Semaphore; Lane::ALL.len()],
}

impl Relay {
    /// A relay from `outbox` to `broker`.
    pub fn new(outbox: Outbox, broker: Broker, clock: SharedClock, host: Arc<dyn RelayHost>) -> Self {
        let turns = std::array::from_fn(|_| Semaphore::new(TURNS));
        Self { outbox, broker, clock, host, leases: Leases::new(), turns }
    }

    /// Runs until a soft shutdown, then finishes what is in hand. Spawn it on the service's shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        self.take_over().await;
        let relay = Arc::new(self);
        let mut supervisor = Supervisor {
            relay: Arc::clone(&relay),
            lanes: Lanes::default(),
            gauges: Gauges::default(),
            workers: JoinSet::new(),
            others: 0,
        };
        supervisor.run(&shutdown).await;
        while supervisor.workers.join_next().await.is_some() {}
        if let Err(fault) = relay.leases.release(relay.outbox.store()).await {
            warn!(%fault, "leases end by themselves");
        }
    }

    /// In a store that no other process can have open, leases that are left over are a dead process's.
    async fn take_over(&self) {
        let store = self.outbox.store();
        if store.is_exclusive()
            && let Err(fault) = store.write(|tx| lease::expire(tx, None).boxed()).await
        {
            warn!(%fault, "leases of a former process end by themselves");
        }
    }

    async fn turn(&self, lane: Lane) -> Option<SemaphorePermit<'_>> {
        let place = Lane::ALL.iter().position(|known| *known == lane)?;
        // Never closed: a turn always comes.
        self.turns[place].acquire().await.ok()
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("outbox", &self.outbox).finish_non_exhaustive()
    }
}

struct Supervisor {
    relay: Arc<Relay>,
    lanes: Lanes,
    gauges: Gauges,
    workers: JoinSet<(LaneKey, Result<(), Trouble>)>,
    /// Commits of other processes that were looked at.
    others: u64,
}

impl Supervisor {
    async fn run(&mut self, shutdown: &Shutdown) {
        let mut commits = self.relay.outbox.commits();
        let mut ticks = interval(self.relay.outbox.settings().tick());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let rested = self.lanes.next_ready();
            tokio::select! {
                biased;
                () = shutdown.soft() => return,
                Some(ended) = self.workers.join_next() => self.ended(ended),
                Ok(()) = commits.changed() => {
                    let others = commits.borrow_and_update().others;
                    self.committed(others).await;
                }
                () = sleep_until(rested.unwrap_or_else(Instant::now)), if rested.is_some() => {}
                _ = ticks.tick() => self.tick().await,
            }
            self.start_workers(shutdown);
        }
    }

    fn start_workers(&mut self, shutdown: &Shutdown) {
        for lane in self.lanes.take_ready(Instant::now()) {
            let (relay, shutdown) = (Arc::clone(&self.relay), shutdown.clone());
            self.workers.spawn(async move {
                let outcome = relay.serve(&lane, &shutdown).await;
                (lane, outcome)
            });
        }
    }

    /// Looks for what a commit has brought: our own say so by marks, those of other processes do not.
    async fn committed(&mut self, others: u64) {
        for lane in self.relay.outbox.take_marks() {
            self.lanes.want(lane);
        }
        if others != self.others {
            self.others = others;
            self.look_for_work().await;
        }
    }

    async fn look_for_work(&mut self) {
        match self.relay.outbox.lanes_with_work(self.relay.clock.now()).await {
            Ok(lanes) => lanes.into_iter().for_each(|lane| self.lanes.want(lane)),
            Err(fault) => warn!(%fault, "looking for what has come due"),
        }
    }

    /// Looks for what time alone has brought.
    async fn tick(&mut self) {
        let (outbox, now) = (&self.relay.outbox, self.relay.clock.now());
        match outbox.void_expired(&self.relay.host, now).await {
            Ok(0) => {}
            Ok(copies) => warn!(copies, "expired before they could leave: their numbers are void"),
            Err(fault) => warn!(%fault, "looking for what has expired"),
        }
        self.look_for_work().await;
        let (outbox, now) = (&self.relay.outbox, self.relay.clock.now());
        if let Err(fault) = self.gauges.measure(outbox, now, Instant::now()).await {
            warn!(%fault, "counting what waits");
        }
    }

    fn ended(&mut self, ended: Result<(LaneKey, Result<(), Trouble>), JoinError>) {
        match ended {
            Ok((lane, outcome)) => {
                if let Err(trouble) = &outcome {
                    report(&lane, trouble);
                }
                self.lanes.ended(&lane, outcome.is_err(), Instant::now());
            }
            // A relay that lost a worker must not look alive.
            Err(fault) if fault.is_panic() => panic::resume_unwind(fault.into_panic()),
            Err(_) => {}
        }
    }
}

fn report(lane: &LaneKey, trouble: &Trouble) {
    let (agency, word) = (lane.recipient.as_str(), trouble.word());
    metrics::counter!("rovuma_outbox_trouble_total", "agency" => agency.to_owned(), "reason" => word)
        .increment(1);
    match trouble {
        Trouble::Stopping => debug!(agency, lane = %lane.lane, "stopping: it goes again after the start"),
        trouble if trouble.is_alarming() => {
            error!(agency, lane = %lane.lane, reason = word, "nothing leaves on this lane: {trouble}");
        }
        trouble => warn!(agency, lane = %lane.lane, reason = word, "this lane rests: {trouble}"),
    }
}
