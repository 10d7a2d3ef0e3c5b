//! The relay: publishes the copies in the outbox to the broker, sealed in bundles, and again until receipts answer them.
//!
//! One worker at a time serves one recipient and lane, so that order holds; several lanes are served side by side. The
//! relay looks at a lane after each commit that put a copy into it or settled one, by this process or another that
//! shares the store, and on every tick, for copies that have come due or expired.

mod backoff;
mod choose;
mod host;
mod lanes;
pub(crate) mod lease;
mod measure;
pub(crate) mod published;
mod publisher;
pub(crate) mod read;
mod seal;
mod serve;
mod unsendable;
pub(crate) mod void;

use std::{panic, sync::Arc};

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
pub use publisher::Publisher;
pub use seal::BUNDLE_CONTENT_TYPE;

use crate::{Outbox, model::RecipientLane};
use lanes::Lanes;
use lease::Leases;
use measure::Gauges;
use serve::LaneFailure;

/// Maximum bundles that are loaded and sealed at the same time, for each of urgent, normal and bulk, over all recipients. Each
/// of the three has its own turns, so that an urgent bundle never waits for a bulk one. A sealed bundle keeps no turn while it
/// is published, so that slow partners hold up nobody; there is at most one, of at most 1 MiB, for each recipient and lane.
const TURNS: usize = 4;

/// Serves the lanes of one outbox.
pub struct Relay {
    outbox: Outbox,
    publisher: Box<dyn Publisher>,
    clock: SharedClock,
    host: Arc<dyn RelayHost>,
    leases: Leases,
    turns: [Semaphore; Lane::ALL.len()],
}

impl Relay {
    /// A relay from `outbox` to `publisher`, a [`Broker`](rovuma_broker::Broker).
    pub fn new(
        outbox: Outbox,
        publisher: impl Publisher,
        clock: SharedClock,
        host: Arc<dyn RelayHost>,
    ) -> Self {
        let turns = std::array::from_fn(|_| Semaphore::new(TURNS));
        Self { outbox, publisher: Box::new(publisher), clock, host, leases: Leases::new(), turns }
    }

    /// Runs until a soft shutdown, then finishes the bundles in hand. Spawn it on the service's shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        self.expire_leftover_leases().await;
        let relay = Arc::new(self);
        let mut supervisor = Supervisor {
            relay: Arc::clone(&relay),
            lanes: Lanes::default(),
            gauges: Gauges::default(),
            workers: JoinSet::new(),
            seen_others: 0,
        };
        supervisor.run(&shutdown).await;
        while supervisor.workers.join_next().await.is_some() {}
        if let Err(fault) = relay.leases.release(relay.outbox.store()).await {
            warn!(%fault, "leases were not released: they expire by themselves");
        }
    }

    /// Ends the leases of a former process, in a store that no other process can have open.
    async fn expire_leftover_leases(&self) {
        let store = self.outbox.store();
        if store.is_exclusive()
            && let Err(fault) = store.write(|tx| lease::expire(tx, None).boxed()).await
        {
            warn!(%fault, "leases of a former process were not ended: they expire by themselves");
        }
    }

    async fn turn(&self, lane: Lane) -> Option<SemaphorePermit<'_>> {
        let index = Lane::ALL.iter().position(|known| *known == lane)?;
        // The semaphore is never closed, so a turn always comes.
        self.turns[index].acquire().await.ok()
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
    workers: JoinSet<(RecipientLane, Result<(), LaneFailure>)>,
    /// The count of other processes' commits at the last look for work.
    seen_others: u64,
}

impl Supervisor {
    async fn run(&mut self, shutdown: &Shutdown) {
        let mut commits = self.relay.outbox.commits();
        let mut ticks = interval(self.relay.outbox.settings().tick());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let ready_at = self.lanes.next_ready();
            tokio::select! {
                biased;
                () = shutdown.soft() => return,
                Some(ended) = self.workers.join_next() => self.worker_ended(ended),
                Ok(()) = commits.changed() => {
                    let others = commits.borrow_and_update().others;
                    self.after_commit(others).await;
                }
                () = sleep_until(ready_at.unwrap_or_else(Instant::now)), if ready_at.is_some() => {}
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

    /// Requests the lanes that a commit has changed. Jobs of this process mark their lanes; for commits of other processes
    /// the relay asks the store.
    async fn after_commit(&mut self, others: u64) {
        for lane in self.relay.outbox.take_marks() {
            self.lanes.request(lane);
        }
        if others != self.seen_others {
            self.seen_others = others;
            self.request_lanes_with_work().await;
        }
    }

    async fn request_lanes_with_work(&mut self) {
        match self.relay.outbox.lanes_with_work(self.relay.clock.now()).await {
            Ok(lanes) => lanes.into_iter().for_each(|lane| self.lanes.request(lane)),
            Err(fault) => warn!(%fault, "reading which lanes have copies to send"),
        }
    }

    /// Does what time alone makes due: voids expired copies, requests lanes with due copies, measures.
    async fn tick(&mut self) {
        let (outbox, now) = (&self.relay.outbox, self.relay.clock.now());
        match outbox.void_expired(&self.relay.host, now).await {
            Ok(0) => {}
            Ok(copies) => warn!(copies, "expired before they could leave: their numbers are void"),
            Err(fault) => warn!(%fault, "making expired copies void"),
        }
        self.request_lanes_with_work().await;
        let (outbox, now) = (&self.relay.outbox, self.relay.clock.now());
        if let Err(fault) = self.gauges.measure(outbox, now, Instant::now()).await {
            warn!(%fault, "counting unsettled copies");
        }
    }

    fn worker_ended(&mut self, ended: Result<(RecipientLane, Result<(), LaneFailure>), JoinError>) {
        match ended {
            Ok((lane, outcome)) => {
                if let Err(failure) = &outcome {
                    report(&lane, failure);
                }
                self.lanes.ended(&lane, outcome.is_err(), Instant::now());
            }
            // A relay that lost a worker must not look alive: the panic ends the service.
            Err(fault) if fault.is_panic() => panic::resume_unwind(fault.into_panic()),
            Err(_) => {}
        }
    }
}

fn report(lane: &RecipientLane, failure: &LaneFailure) {
    let (agency, reason) = (lane.recipient.as_str(), failure.reason());
    metrics::counter!("rovuma_outbox_trouble_total", "agency" => agency.to_owned(), "reason" => reason)
        .increment(1);
    match failure {
        LaneFailure::Stopping => {
            debug!(agency, lane = %lane.lane, "stopping: the bundle leaves again after the start");
        }
        failure if failure.is_alarming() => {
            error!(agency, lane = %lane.lane, reason, "nothing leaves on this lane: {failure}");
        }
        failure => warn!(agency, lane = %lane.lane, reason, "this lane rests: {failure}"),
    }
}
