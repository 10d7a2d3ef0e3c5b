//! The inbox: one consumer per lane. It opens a batch on a blocking thread, decides on it in one transaction, and
//! acknowledges it after the commit. After a crash in between, the broker delivers the batch again and its messages are
//! recognised as duplicates.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rovuma_broker::{
    BatchLimits, Broker, Consumer, ConsumerConfig, Delivery, Handler, TransientError, Verdict,
    topology::names,
};
use rovuma_envelope::digest;
use rovuma_runtime::trace_context;
use rovuma_schemas::{AgencyCode, Body, CountryCode, Digest, Lane, LinkFault, Timestamp};
use rovuma_store::{FutureExt, WriteError};
use tracing::{Instrument, Span};

use super::{
    accept::{Acceptor, DeliveryContext},
    attempts,
    open::{DeliveryVerifier, OpenedDelivery, OpenedMessage},
    send::{self, SendError},
};
use crate::exchange::Exchange;

/// Maximum unacknowledged bundles of one lane that the broker delivers: urgent ones are small, bulk ones large.
const fn prefetch(lane: Lane) -> u16 {
    match lane {
        Lane::Urgent => 16,
        Lane::Normal => 8,
        Lane::Bulk => 2,
    }
}

/// Maximum messages that one transaction decides on: enough to share its commit, few enough not to delay other writers. A
/// bundle of 64 is never split.
const TRANSACTION_MAX_MESSAGES: usize = 256;

/// Maximum bytes per batch.
const BATCH_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Maximum wait for a batch to fill; imperceptible to a user.
const BATCH_MAX_WAIT: Duration = Duration::from_millis(20);

/// Minimum time between two `link.fault` messages to a partner: a forger must not make us sign without end.
const LINK_FAULT_EVERY: Duration = Duration::from_secs(60);

/// Starts the consumers of this gateway's three inboxes.
pub(crate) fn start(exchange: &Arc<Exchange>, broker: &Broker) -> Vec<Consumer> {
    let faults = Arc::new(LinkFaultTimes::default());
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

/// Why deciding on a batch failed.
#[derive(Debug, thiserror::Error)]
enum BatchFault {
    #[error(transparent)]
    Write(#[from] WriteError<SendError>),
    /// Opening panicked on one of the deliveries.
    #[error("opening: {0}")]
    Open(#[from] tokio::task::JoinError),
}

impl BatchFault {
    /// Whether the same batch may succeed later without a change.
    fn is_transient(&self) -> bool {
        match self {
            Self::Write(WriteError::Job(fault)) => fault.is_transient(),
            Self::Write(fault) => fault.is_transient(),
            Self::Open(fault) => fault.is_cancelled(),
        }
    }
}

/// Handles the deliveries of one lane.
pub(crate) struct Inbox {
    exchange: Arc<Exchange>,
    queue: String,
    faults: Arc<LinkFaultTimes>,
}

impl Handler for Inbox {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        // What comes again may have ended the process the last time: see `attempts`.
        if batch.iter().any(|delivery| delivery.redelivered) {
            return self.one_by_one(&batch).await;
        }
        match self.decide(batch.clone()).await {
            Ok(()) => Ok(vec![Verdict::Accept; batch.len()]),
            Err(fault) if fault.is_transient() => Err(TransientError::new(fault.to_string())),
            Err(_) => self.one_by_one(&batch).await,
        }
    }
}

impl Inbox {
    /// The inbox of one lane without its consumer.
    pub(crate) fn of(exchange: &Arc<Exchange>, lane: Lane) -> Self {
        let queue = names::inbox_queue(&exchange.base.name, lane);
        Self { exchange: Arc::clone(exchange), queue, faults: Arc::default() }
    }

    /// Opens a batch, decides on it and commits, in transactions of at most [`TRANSACTION_MAX_MESSAGES`]. Then reports to
    /// partners the deliveries that could not be verified.
    async fn decide(&self, batch: Arc<[Delivery]>) -> Result<(), BatchFault> {
        let now = self.exchange.base.now();
        let opened = self.open(batch.clone(), now).await?;
        let faults = self.faults_to_report(&batch, &opened, now);
        let reported: Vec<CountryCode> = faults.iter().map(|(country, _)| *country).collect();
        for part in parts(opened) {
            self.write(batch.clone(), part, now).await?;
        }
        for (country, digest) in faults {
            self.send_link_fault(country, digest, now).await?;
        }
        self.faults.record(reported, now);
        Ok(())
    }

    async fn write(
        &self,
        batch: Arc<[Delivery]>,
        part: Vec<(usize, OpenedDelivery)>,
        now: Timestamp,
    ) -> Result<(), BatchFault> {
        let (exchange, queue) = (self.exchange.clone(), self.queue.clone());
        let write = self.exchange.base.store.write(move |tx| {
            async move {
                let mut acceptor = Acceptor::new(&exchange, now);
                acceptor.look_up(tx, &part).await?;
                for (index, opened) in part {
                    let delivery = &batch[index];
                    let span = span_of(delivery, &queue, opened.agency.as_ref());
                    let context = DeliveryContext::of(delivery, &queue);
                    acceptor.delivery(tx, &context, opened).instrument(span).await?;
                }
                acceptor.finish(tx).await
            }
            .boxed()
        });
        Ok(write.await?)
    }

    async fn send_link_fault(
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

    /// Decides on each delivery alone, after a failure of the batch that is not transient, or when some came again: so the
    /// others are accepted, and only the delivery that causes the failure goes to the broker's dead letters.
    async fn one_by_one(&self, batch: &[Delivery]) -> Result<Vec<Verdict>, TransientError> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for delivery in batch {
            let counted = if delivery.redelivered { Some(digest(&delivery.body)) } else { None };
            let verdict = match counted {
                Some(digest) if self.begin_attempt(digest).await? > attempts::ATTEMPTS_MAX => {
                    tracing::error!(%digest, queue = self.queue, "the gateway ended each time it read a delivery: quarantined");
                    self.quarantine_poison(delivery).await
                }
                _ => self.decide_alone(delivery).await,
            };
            if let Some(digest) = counted {
                self.end_attempt(digest).await?;
            }
            verdicts.push(verdict?);
        }
        Ok(verdicts)
    }

    async fn decide_alone(&self, delivery: &Delivery) -> Result<Verdict, TransientError> {
        match self.decide(Arc::from([delivery.clone()])).await {
            Ok(()) => Ok(Verdict::Accept),
            Err(fault) if fault.is_transient() => Err(TransientError::new(fault.to_string())),
            Err(fault) => {
                tracing::error!(message.id = delivery.message_id, %fault, "a delivery fails each time: quarantined");
                self.quarantine_poison(delivery).await
            }
        }
    }

    async fn begin_attempt(&self, digest: Digest) -> Result<i64, TransientError> {
        let queue = self.queue.clone();
        let begun = self
            .exchange
            .base
            .store
            .write(move |tx| async move { attempts::begin(tx, &queue, digest).await }.boxed());
        begun.await.map_err(|fault| TransientError::new(fault.to_string()))
    }

    async fn end_attempt(&self, digest: Digest) -> Result<(), TransientError> {
        let queue = self.queue.clone();
        let ended = self
            .exchange
            .base
            .store
            .write(move |tx| async move { attempts::end(tx, &queue, digest).await }.boxed());
        ended.await.map_err(|fault| TransientError::new(fault.to_string()))
    }

    /// Quarantines a delivery on which deciding fails, in a transaction of its own.
    async fn quarantine_poison(&self, delivery: &Delivery) -> Result<Verdict, TransientError> {
        let (exchange, queue, now) = (self.exchange.clone(), self.queue.clone(), self.exchange.base.now());
        let delivery = delivery.clone();
        let write = self.exchange.base.store.write::<_, SendError, _>(move |tx| {
            async move {
                let opened = OpenedDelivery::undecidable(&delivery.body);
                // The acceptor need not be finished: a quarantined delivery has no number and gets no receipt.
                let mut acceptor = Acceptor::new(&exchange, now);
                acceptor.delivery(tx, &DeliveryContext::of(&delivery, &queue), opened).await
            }
            .boxed()
        });
        write.await.map_err(|fault| TransientError::new(fault.to_string()))?;
        Ok(Verdict::DeadLetter { reason: "poison" })
    }

    /// Opens a batch on a blocking thread: unsealing and verifying would delay the runtime's other tasks.
    async fn open(
        &self,
        batch: Arc<[Delivery]>,
        now: Timestamp,
    ) -> Result<Vec<OpenedDelivery>, tokio::task::JoinError> {
        let exchange = self.exchange.clone();
        let work = move || {
            let trust = exchange.trust.current();
            let verifier = DeliveryVerifier { agencies: &exchange.agencies, trust: &trust, now };
            batch.iter().map(|delivery| verifier.open(delivery)).collect()
        };
        tokio::task::spawn_blocking(work).await
    }

    /// The partners that get a `link.fault`, each with the digest of a delivery that could not be verified. Only deliveries
    /// over the partner's own ingress count: nobody else can make us send to it.
    fn faults_to_report(
        &self,
        batch: &[Delivery],
        opened: &[OpenedDelivery],
        now: Timestamp,
    ) -> Vec<(CountryCode, Digest)> {
        let is_unverified = |opened: &OpenedDelivery| {
            opened.messages.iter().any(|message| matches!(message, OpenedMessage::Quarantined { .. }))
        };
        let mut faults = BTreeMap::new();
        for (delivery, opened) in batch.iter().zip(opened) {
            let Some(country) = names::ingress_country(&delivery.exchange) else { continue };
            if is_unverified(opened) && self.faults.is_due(country, now) {
                faults.entry(country).or_insert(opened.digest);
            }
        }
        let node = AgencyCode::node_of(self.exchange.base.country);
        if self.exchange.agencies.serves(&node) { faults.into_iter().collect() } else { Vec::new() }
    }
}

/// The span of one delivery. Its parent comes from the delivery's headers, which nobody verified: it serves to follow a
/// message through two installations, and nothing else.
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

/// Cuts opened deliveries into transactions of at most [`TRANSACTION_MAX_MESSAGES`], each with its index in the
/// batch.
fn parts(opened: Vec<OpenedDelivery>) -> Vec<Vec<(usize, OpenedDelivery)>> {
    let (mut parts, mut size): (Vec<Vec<_>>, usize) = (Vec::new(), 0);
    for (index, opened) in opened.into_iter().enumerate() {
        size += opened.messages.len();
        match parts.last_mut() {
            Some(part) if size <= TRANSACTION_MAX_MESSAGES => part.push((index, opened)),
            _ => {
                size = opened.messages.len();
                parts.push(vec![(index, opened)]);
            }
        }
    }
    parts
}

/// When each partner was last sent a `link.fault`.
#[derive(Default)]
struct LinkFaultTimes(Mutex<BTreeMap<CountryCode, Timestamp>>);

impl LinkFaultTimes {
    fn is_due(&self, country: CountryCode, now: Timestamp) -> bool {
        let last = self.last().get(&country).copied();
        last.is_none_or(|last| now.since(last) >= LINK_FAULT_EVERY)
    }

    fn record(&self, countries: Vec<CountryCode>, now: Timestamp) {
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
