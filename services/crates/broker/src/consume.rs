//! Consuming in batches: what a handler accepts is acknowledged, what it gives up goes to the quarantine,
//! and while it fails the batch is kept and tried again.

mod batch;
mod session;
mod task;

use std::{fmt, sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use crate::{Delivery, link::Link};

/// What to consume, and how much at a time.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// The queue.
    pub queue: String,
    /// Unacknowledged messages that the broker hands out at most; a batch is never larger.
    pub prefetch: u16,
    /// When a batch is full.
    pub batch: BatchLimits,
}

/// When a batch is full: whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// So many messages.
    pub max_messages: usize,
    /// So many bytes of bodies; one message may be larger by itself.
    pub max_bytes: usize,
    /// So long after the first.
    pub max_wait: Duration,
}

/// Takes batches. A handler is never cancelled but by a hard shutdown; it must stand being handed the same
/// messages again, for an acknowledgement can be lost.
pub trait Handler: Send + Sync + 'static {
    /// Takes a batch, in the order of the queue, and returns one verdict for each message once its effects
    /// are durable.
    ///
    /// # Errors
    /// [`TransientError`] when nothing can be said of any of them now. The same batch is handed over again
    /// with back-off for as long as [`Handler::retry_limit`] says, five minutes unless told otherwise; then it
    /// goes back to the queue, and the consumer pauses before it subscribes again.
    fn handle(
        &self,
        batch: Arc<[Delivery]>,
    ) -> impl Future<Output = Result<Vec<Verdict>, TransientError>> + Send;

    /// How long a batch is kept in memory while [`Handler::handle`] fails.
    fn retry_limit(&self) -> Duration {
        PATIENCE
    }
}

/// Well below RabbitMQ's consumer timeout of 30 minutes, after which the broker would close the channel.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its effects are durable: acknowledge it.
    Accept,
    /// It can never be taken: reject it, so that it goes to the queue `quarantine` as it came.
    DeadLetter {
        /// Why, as a short code for logs and metrics.
        reason: &'static str,
    },
}

/// A failure that may be gone when tried again: a database that is locked, a disk that is full.
#[derive(Debug)]
pub struct TransientError(Box<dyn std::error::Error + Send + Sync>);

impl TransientError {
    /// Says of a failure that it is transient.
    pub fn new(failure: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(failure.into())
    }
}

impl fmt::Display for TransientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a consumer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerState {
    /// Not subscribed: no connection, no queue, or pausing after failures.
    Waiting,
    /// Subscribed.
    Consuming,
    /// Subscribed, and its handler fails: the batch in hand is tried again.
    Retrying,
    /// Over.
    Stopped,
}

/// A running consumer. Dropping it does not stop it.
#[derive(Debug)]
pub struct Consumer {
    stop: CancellationToken,
    state: watch::Receiver<ConsumerState>,
}

impl Consumer {
    /// Where it stands.
    pub fn state(&self) -> ConsumerState {
        *self.state.borrow()
    }

    /// Waits until it stands there. `false` when it has stopped and never will.
    pub async fn reached(&self, wanted: ConsumerState) -> bool {
        self.state.clone().wait_for(|state| *state == wanted).await.is_ok()
    }

    /// Finishes and settles the batch in hand, gives the rest back to the queue, and ends.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.reached(ConsumerState::Stopped).await;
    }
}

/// Starts a consumer that ends at a soft shutdown; `in_flight` keeps the connection open until then.
pub(crate) fn start(
    config: ConsumerConfig,
    link: Link,
    handler: impl Handler,
    shutdown: &Shutdown,
    in_flight: TaskTrackerToken,
) -> Consumer {
    let stop = shutdown.soft_token().child_token();
    let (sender, state) = watch::channel(ConsumerState::Waiting);
    let task = task::ConsumerTask { config, link, handler, stop: stop.clone(), state: sender };
    shutdown.spawn("broker consumer", async move {
        task.run().await;
        drop(in_flight);
    });
    Consumer { stop, state }
}
