//! The shipper: sends audit events to the audit service, and again until it has acknowledged them.

mod ack;
mod batch;
mod progress;
mod settings;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rovuma_broker::{
    BatchLimits, Broker, BrokerState, Consumer, ConsumerConfig, Publication, PublishError, topology::names,
};
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::Epoch;
use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tracing::{debug, error, warn};

use crate::{ShipperKeys, Trail, backlog::EventRun};
use ack::AckHandler;
use batch::{BatchError, seal_batch};
use progress::Progress;

pub use ack::{BadAck, verify_ack};
pub use settings::ShipperSettings;

/// The content type of a sealed batch.
pub const AUDIT_BATCH_CONTENT_TYPE: &str = "application/vnd.rovuma.audit-batch";

/// How long an event may wait for others to share its batch: signing and sealing cost the same for one and for many.
const GATHER: Duration = Duration::from_millis(100);

/// The first and the longest pause after a batch could not be published.
const REST_FIRST: Duration = Duration::from_millis(500);
const REST_MAX: Duration = Duration::from_secs(60);

/// How long a publication may still take once the service is stopping. A batch that is not confirmed by then leaves again
/// after the start.
const LAST_PUBLISH: Duration = Duration::from_secs(4);

/// The number of the duty to ship: of the processes that share a store, only one ships.
const SHIPPING: u8 = 1;

/// How often the age of the oldest unacknowledged event is measured.
const MEASURE: Duration = Duration::from_secs(10);

/// Maximum acknowledgements handled at once: they are small.
const ACKS: BatchLimits =
    BatchLimits { max_messages: 64, max_bytes: 64 * 1024, max_wait: Duration::from_millis(20) };

/// Ships the events of one trail.
pub struct Shipper {
    trail: Trail,
    broker: Broker,
    clock: SharedClock,
    keys: ShipperKeys,
    shared: Arc<Shared>,
}

/// The progress of shipping, shared by the shipper and the consumer of acknowledgements.
#[derive(Debug)]
pub(crate) struct Shared {
    progress: Mutex<Progress>,
    acknowledged: Notify,
}

impl Shared {
    pub(crate) fn acknowledged(&self, epoch: Epoch, sequence: u64, now: Instant) {
        self.progress().acknowledged(epoch, sequence, now);
        self.acknowledged.notify_one();
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch could not be sent.
#[derive(Debug, thiserror::Error)]
enum ShipError {
    #[error("reading the trail: {0}")]
    Read(#[from] sqlx::Error),
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl Shipper {
    /// A shipper of `trail` over `broker`, with the default settings.
    pub fn new(trail: Trail, broker: Broker, clock: SharedClock, keys: ShipperKeys) -> Self {
        Self::with_settings(trail, broker, clock, keys, ShipperSettings::default())
    }

    /// A shipper with these settings.
    pub fn with_settings(
        trail: Trail,
        broker: Broker,
        clock: SharedClock,
        keys: ShipperKeys,
        settings: ShipperSettings,
    ) -> Self {
        let shared = Shared { progress: Mutex::new(Progress::new(settings)), acknowledged: Notify::new() };
        Self { trail, broker, clock, keys, shared: Arc::new(shared) }
    }

    /// Ships events and handles acknowledgements until a soft shutdown, whenever this process has the duty to. Spawn it on
    /// the service's shutdown.
    pub async fn run(self, shutdown: Shutdown) {
        tokio::join!(self.ship_on_duty(&shutdown), self.measure(&shutdown));
    }

    async fn ship_on_duty(&self, shutdown: &Shutdown) {
        loop {
            let mut duty = tokio::select! {
                duty = self.trail.store().take_duty(SHIPPING) => duty,
                () = shutdown.soft() => return,
            };
            // Another process may have shipped in the meantime, and this one did not see what.
            self.shared.progress().reset();
            let acks = self.consume_acks();
            tokio::select! {
                _ = async { tokio::join!(self.ship(shutdown), self.watch_broker(shutdown)) } => return,
                () = duty.lost() => warn!("another process may ship audit events by now"),
            }
            acks.stop().await;
        }
    }

    fn consume_acks(&self) -> Consumer {
        let acks =
            ConsumerConfig { queue: names::audit_ack_queue(self.trail.source()), prefetch: 64, batch: ACKS };
        let handler = AckHandler {
            trail: self.trail.clone(),
            acknowledger: self.keys.acknowledger,
            shared: Arc::clone(&self.shared),
        };
        self.broker.consume(acks, handler)
    }

    async fn ship(&self, shutdown: &Shutdown) {
        let mut commits = self.trail.store().commits();
        let mut rest = REST_FIRST;
        while !shutdown.is_stopping() {
            // Before reading the trail, so that a commit while a batch is on its way is not missed.
            commits.mark_unchanged();
            match self.ship_all(shutdown).await {
                Ok(()) => rest = REST_FIRST,
                Err(fault) => {
                    report(&fault);
                    shutdown.pause(rest).await;
                    rest = (rest * 2).min(REST_MAX);
                    continue;
                }
            }
            let resend_at = self.shared.progress().resend_at();
            tokio::select! {
                () = shutdown.soft() => {}
                Ok(()) = commits.changed() => { shutdown.pause(GATHER).await; }
                () = self.shared.acknowledged.notified() => {}
                () = sleep_until(resend_at.unwrap_or_else(Instant::now)), if resend_at.is_some() => {
                    debug!("no acknowledgement in time: sending again");
                    self.shared.progress().resend_overdue(Instant::now());
                }
            }
        }
    }

    /// Ships all events that the windows allow: a batch of each epoch in turn, so that a long backlog of one epoch holds up
    /// no other.
    async fn ship_all(&self, shutdown: &Shutdown) -> Result<(), ShipError> {
        loop {
            let mut shipped = false;
            for epoch in self.trail.epochs().await? {
                if shutdown.is_stopping() {
                    return Ok(());
                }
                shipped |= self.ship_one(epoch, shutdown).await?;
            }
            if !shipped {
                return Ok(());
            }
        }
    }

    /// Ships one batch of an epoch; `false` when none may leave now.
    async fn ship_one(&self, epoch: Epoch, shutdown: &Shutdown) -> Result<bool, ShipError> {
        if !self.shared.progress().may_send(epoch) {
            return Ok(false);
        }
        let after = self.shared.progress().sent_through(epoch);
        let Some(run) = self.trail.events_after(epoch, after).await? else { return Ok(false) };
        let last = run.last;
        let confirmed = self.publish(run, shutdown).await?;
        if confirmed {
            self.shared.progress().sent(epoch, last, Instant::now());
        }
        Ok(confirmed)
    }

    /// Publishes a batch; `false` when the service stops before the broker has confirmed.
    async fn publish(&self, run: EventRun, shutdown: &Shutdown) -> Result<bool, ShipError> {
        let source = self.trail.source();
        let message_id = format!("{}.{}-{}", run.epoch, run.first, run.last);
        let publication = Publication {
            exchange: names::AUDIT.to_owned(),
            routing_key: names::audit_event_key(source),
            message_id,
            content_type: AUDIT_BATCH_CONTENT_TYPE.to_owned(),
            headers: BTreeMap::new(),
            body: seal_batch(source.to_owned(), run, self.keys.clone()).await?,
        };
        let too_late = async {
            shutdown.soft().await;
            tokio::time::sleep(LAST_PUBLISH).await;
        };
        tokio::select! {
            confirmed = self.broker.publish(publication) => { confirmed?; Ok(true) }
            () = too_late => Ok(false),
        }
    }

    /// Keeps the age of the oldest unacknowledged event in the metrics.
    async fn measure(&self, shutdown: &Shutdown) {
        let age = metrics::gauge!("rovuma_trail_oldest_unacknowledged_seconds");
        let mut ticks = interval(MEASURE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.soft() => return,
                _ = ticks.tick() => {}
            }
            match self.trail.oldest_unacknowledged().await {
                Ok(oldest) => {
                    age.set(oldest.map_or(0.0, |oldest| self.clock.now().since(oldest).as_secs_f64()))
                }
                Err(fault) => warn!(%fault, "the oldest unacknowledged event is not known"),
            }
        }
    }

    async fn watch_broker(&self, shutdown: &Shutdown) {
        let mut state = self.broker.state();
        while state != BrokerState::Closed {
            tokio::select! {
                () = shutdown.soft() => return,
                next = self.broker.state_after(state) => state = next,
            }
            if state == BrokerState::Connected {
                self.shared.progress().reconnected(Instant::now());
                self.shared.acknowledged.notify_one();
            }
        }
    }
}

impl std::fmt::Debug for Shipper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shipper").field("trail", &self.trail).finish_non_exhaustive()
    }
}

fn report(fault: &ShipError) {
    metrics::counter!("rovuma_trail_trouble_total").increment(1);
    match fault {
        ShipError::Publish(refused) if !refused.is_transient() => {
            error!("audit events do not leave: {refused}");
        }
        fault => warn!("audit events wait: {fault}"),
    }
}
