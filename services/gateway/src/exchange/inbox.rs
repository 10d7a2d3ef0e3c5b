//! The inbox: one consumer per lane. A batch is opened away from the runtime's threads, decided in one
//! transaction, and acknowledged after the commit; a copy that is acknowledged twice is a duplicate.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rovuma_broker::{
    BatchLimits, Broker, Consumer, ConsumerConfig, Delivery, Handler, TransientError, Verdict,
    topology::names,
};
use rovuma_runtime::trace_context;
use rovuma_schemas::{AgencyCode, Body, CountryCode, Digest, Lane, LinkFault, Timestamp};
use rovuma_store::{FutureExt, WriteError};
use tracing::{Instrument, Span};

use super::{
    accept::{Decisions, Door},
    open::{Finding, Judge, Opened},
    send::{self, SendError},
};
use crate::exchange::Exchange;

/// Bundles of one lane that the broker hands out unacknowledged: many small urgent ones, few large ones.
const fn prefetch(lane: Lane) -> u16 {
    match lane {
        Lane::Urgent => 16,
        Lane::Normal => 8,
        Lane::Bulk => 2,
    }
}

/// Messages that one transaction decides on: enough to share its commit, few enough not to hold up the others
/// that write. A bundle of 64 is never cut.
const TRANSACTION_MAX_FINDINGS: usize = 256;

/// A batch takes so much from the broker at most.
const BATCH_MAX_BYTES: usize = 4 * 1024 * 1024;

/// A batch waits so long for company: less than an officer notices.
const BATCH_MAX_WAIT: Duration = Duration::from_millis(20);

/// At most one `link.fault` per partner and minute: a forger must not make us sign without end.
const LINK_FAULT_EVERY: Duration = Duration::from_secs(60);

/// Starts the consumers of this gateway's three inboxes.
pub(crate) fn start(exchange: &Arc<Exchange>, broker: &Broker) -> Vec<Consumer> {
    let faults = Arc::new(FaultClock::default());
    Lane::ALL
        .into_iter()
        .map(|lane| {
            let queue = names::inbox_queue(&exchange.base.name, lane);
            let config = ConsumerConfig {
                queue: queue.clone(),
                prefetch: prefetch(lane),
                batch: BatchLimits {
                    max_messages: usize::from(prefetch(lane)),
                    max_bytes: BATCH_MAX_BYTES,
                    max_wait: BATCH_MAX_WAIT,
                },
            };
            broker.consume(config, Inbox { exchange: exchange.clone(), queue, faults: faults.clone() })
        })
        .collect()
}

/// Why a batch was not decided.
#[derive(Debug, thiserror::Error)]
enum Undecided {
    #[error(transparent)]
    Write(#[from] WriteError<SendError>),
    /// Opening panicked: on something in the batch.
    #[error("opening: {0}")]
    Open(#[from] tokio::task::JoinError),
}

impl Undecided {
    /// Whether the same batch may be decided later without a change.
    fn is_transient(&self) -> bool {
        match self {
            Self::Write(WriteError::Job(fault)) => fault.is_transient(),
            Self::Write(fault) => fault.is_transient(),
            Self::Open(fault) => fault.is_cancelled(),
        }
    }
}

/// Takes the deliveries of one lane.
pub(crate) struct Inbox {
    exchange: Arc<Exchange>,
    queue: String,
    faults: Arc<FaultClock>,
}

impl Handler for Inbox {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        match self.decide(batch.clone()).await {
            Ok(()) => Ok(vec![Verdict::Accept; batch.len()]),
            Err(fault) if fault.is_transient() => Err(TransientError::new(fault.to_string())),
            Err(_) => self.one_by_one(&batch).await,
        }
    }
}

impl Inbox {
    /// The inbox of one lane by itself, with no partner told of a fault yet.
    pub(crate) fn of(exchange: &Arc<Exchange>, lane: Lane) -> Self {
        let queue = names::inbox_queue(&exchange.base.name, lane);
        Self { exchange: Arc::clone(exchange), queue, faults: Arc::default() }
    }

    /// Opens, decides and commits: in one transaction, or in several when there is more than one should hold.
    async fn decide(&self, batch: Arc<[Delivery]>) -> Result<(), Undecided> {
        let now = self.exchange.base.now();
        let opened = self.open(batch.clone(), now).await?;
        let faults = self.faults_to_tell(&batch, &opened, now);
        let told: Vec<CountryCode> = faults.iter().map(|(country, _)| *country).collect();
        for part in parts(opened) {
            self.write(batch.clone(), part, now).await?;
        }
        for (country, digest) in faults {
            self.tell_fault(country, digest, now).await?;
        }
        self.faults.told(told, now);
        Ok(())
    }

    async fn write(
        &self,
        batch: Arc<[Delivery]>,
        part: Vec<(usize, Opened)>,
        now: Timestamp,
    ) -> Result<(), Undecided> {
        let (exchange, queue) = (self.exchange.clone(), self.queue.clone());
        let write = self.exchange.base.store.write(move |tx| {
            async move {
                let mut decisions = Decisions::new(&exchange, now);
                decisions.look_up(tx, &part).await?;
                for (place, opened) in part {
                    let delivery = &batch[place];
                    let span = span_of(delivery, &queue, opened.agency.as_ref());
                    let door = Door::of(delivery, &queue);
                    decisions.delivery(tx, &door, opened).instrument(span).await?;
                }
                decisions.finish(tx).await
            }
            .boxed()
        });
        Ok(write.await?)
    }

    async fn tell_fault(
        &self,
        country: CountryCode,
        digest: Digest,
        now: Timestamp,
    ) -> Result<(), WriteError<SendError>> {
        let Ok(queue) = self.queue.parse() else { return Ok(()) };
        let body = Body::LinkFault(LinkFault { bundle_digest: digest, seen_at: now, queue });
        let (from, to) = (AgencyCode::node_of(self.exchange.base.country), AgencyCode::node_of(country));
        let outgoing =
            send::transport(&self.exchange, &from, &to, Lane::Normal, body, now).map_err(WriteError::Job)?;
        send::enqueue(&self.exchange, outgoing, now).await
    }

    /// After a failure that trying again does not mend: finds the delivery that it comes from, so that its
    /// neighbours go on and it alone goes to the broker's quarantine.
    async fn one_by_one(&self, batch: &[Delivery]) -> Result<Vec<Verdict>, TransientError> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for delivery in batch {
            verdicts.push(match self.decide(Arc::from([delivery.clone()])).await {
                Ok(()) => Verdict::Accept,
                Err(fault) if fault.is_transient() => return Err(TransientError::new(fault.to_string())),
                Err(fault) => {
                    tracing::error!(message.id = delivery.message_id, %fault, "poison");
                    self.write_down(delivery)
                        .await
                        .map_err(|fault| TransientError::new(fault.to_string()))?;
                    Verdict::DeadLetter { reason: "poison" }
                }
            });
        }
        Ok(verdicts)
    }

    /// Keeps, audits and alarms a delivery that cannot be decided, in a transaction of its own.
    async fn write_down(&self, delivery: &Delivery) -> Result<(), WriteError<SendError>> {
        let (exchange, queue, now) = (self.exchange.clone(), self.queue.clone(), self.exchange.base.now());
        let delivery = delivery.clone();
        let write = self.exchange.base.store.write(move |tx| {
            async move {
                let opened = Opened::poison(&delivery.body);
                let mut decisions = Decisions::new(&exchange, now);
                decisions.delivery(tx, &Door::of(&delivery, &queue), opened).await
            }
            .boxed()
        });
        write.await
    }

    /// Opens a batch where it does not hold up the runtime.
    async fn open(
        &self,
        batch: Arc<[Delivery]>,
        now: Timestamp,
    ) -> Result<Vec<Opened>, tokio::task::JoinError> {
        let exchange = self.exchange.clone();
        let work = move || {
            let trust = exchange.trust.current();
            let judge = Judge { agencies: &exchange.agencies, trust: &trust, now };
            batch.iter().map(|delivery| judge.open(delivery)).collect()
        };
        tokio::task::spawn_blocking(work).await
    }

    /// The partners to be told that a delivery of theirs could not be verified, each with the delivery's
    /// digest. Only deliveries that came in by the partner's own door: nobody else can make us speak to it.
    fn faults_to_tell(
        &self,
        batch: &[Delivery],
        opened: &[Opened],
        now: Timestamp,
    ) -> Vec<(CountryCode, Digest)> {
        let unverified = |opened: &Opened| {
            opened.findings.iter().any(|finding| matches!(finding, Finding::Quarantined { .. }))
        };
        let mut faults = BTreeMap::new();
        for (delivery, opened) in batch.iter().zip(opened) {
            let Some(country) = names::ingress_country(&delivery.exchange) else { continue };
            if unverified(opened) && self.faults.may_tell(country, now) {
                faults.entry(country).or_insert(opened.digest);
            }
        }
        let node = AgencyCode::node_of(self.exchange.base.country);
        if self.exchange.agencies.serves(&node) { faults.into_iter().collect() } else { Vec::new() }
    }
}

/// The span of one delivery. Where it goes on from is the sender's word, which nobody verified: good for
/// following a message through two installations, and for nothing else.
fn span_of(delivery: &Delivery, queue: &str, agency: Option<&AgencyCode>) -> Span {
    let span = tracing::info_span!(
        "delivery",
        message.id = delivery.message_id,
        exchange = delivery.exchange,
        queue,
        agency = agency.map(tracing::field::display),
        redelivered = delivery.redelivered,
    );
    trace_context::extract(&delivery.headers, &span);
    span
}

/// Cuts opened deliveries into transactions of at most [`TRANSACTION_MAX_FINDINGS`], each with its place in the
/// batch.
fn parts(opened: Vec<Opened>) -> Vec<Vec<(usize, Opened)>> {
    let (mut parts, mut size): (Vec<Vec<_>>, usize) = (Vec::new(), 0);
    for (place, opened) in opened.into_iter().enumerate() {
        size += opened.findings.len();
        match parts.last_mut() {
            Some(part) if size <= TRANSACTION_MAX_FINDINGS => part.push((place, opened)),
            _ => {
                size = opened.findings.len();
                parts.push(vec![(place, opened)]);
            }
        }
    }
    parts
}

/// When each partner was last told of a fault.
#[derive(Default)]
struct FaultClock(Mutex<BTreeMap<CountryCode, Timestamp>>);

impl FaultClock {
    fn may_tell(&self, country: CountryCode, now: Timestamp) -> bool {
        let last = self.last().get(&country).copied();
        last.is_none_or(|last| now.since(last) >= LINK_FAULT_EVERY)
    }

    fn told(&self, countries: Vec<CountryCode>, now: Timestamp) {
        let mut last = self.last();
        for country in countries {
            last.insert(country, now);
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, BTreeMap<CountryCode, Timestamp>> {
        // A map of instants is never half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
