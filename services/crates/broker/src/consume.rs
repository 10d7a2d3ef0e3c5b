//! Consumes queues in batches. Messages that the handler accepts are acknowledged, messages that it refuses go to the
//! quarantine, and while the handler fails its batch is kept and handed over again.

mod batch;
mod session;
mod task;

use std::{fmt, sync::Arc, time::Duration};

use rovuma_runtime::Shutdown;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::task_tracker::TaskTrackerToken};

use crate::{Delivery, link::Link};

/// The queue of a consumer, and the sizes of its batches.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// The queue.
    pub queue: String,
    /// Maximum unacknowledged messages that the broker hands out; a batch is never larger.
    pub prefetch: u16,
    /// The limits at which a batch is full.
    pub batch: BatchLimits,
}

/// The limits at which a batch is full, whichever is reached first.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Maximum messages.
    pub max_messages: usize,
    /// Bytes of bodies from which on the batch is full; the last message may exceed them.
    pub max_bytes: usize,
    /// Maximum time since the first message of the batch.
    pub max_wait: Duration,
}

/// Handles batches. Only a hard shutdown cancels a handler. It must bear to get the same messages again, since an
/// acknowledgement can be lost.
pub trait Handler: Send + Sync + 'static {
    /// Handles a batch, in the order of the queue, and returns one verdict for each message once its effects are durable.
    ///
    /// # Errors
    /// [`TransientError`] when no message of the batch can be handled now. The same batch is handed over again, with
    /// back-off, for [`Handler::retry_limit`]; then it goes back to the queue, and the consumer pauses before it
    /// subscribes again.
    fn handle(
        &self,
        batch: Arc<[Delivery]>,
    ) -> impl Future<Output = Result<Vec<Verdict>, TransientError>> + Send;

    /// How long a batch is kept in memory while [`Handler::handle`] fails: five minutes by default.
    fn retry_limit(&self) -> Duration {
        RETRY_LIMIT
    }
}

/// Well below RabbitMQ's consumer timeout of 30 minutes, after which the broker would close the channel.
const RETRY_LIMIT: Duration = Duration::from_secs(5 * 60);

/// The handler's decision on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its effects are durable: acknowledge it.
    Accept,
    /// It can never be accepted: reject it, so that it goes unchanged to the queue `quarantine`.
    DeadLetter {
        /// The reason, as a short code for logs and metrics.
        reason: &'static str,
    },
}

/// A failure that may be gone at the next attempt: a locked database, a full disk.
#[derive(Debug)]
pub struct TransientError(Box<dyn std::error::Error + Send + Sync>);

impl TransientError {
    /// Marks a failure as transient.
    pub fn new(failure: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(failure.into())
    }
}

impl fmt::Display for TransientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The state of a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerState {
    /// Not subscribed: no connection, no queue, or pausing after failures.
    Waiting,
    /// Subscribed.
    Consuming,
    /// Subscribed, and its handler fails: the batch is handed over again.
    Retrying,
    /// Ended.
    Stopped,
}

/// A running consumer. Dropping it does not stop it.
#[derive(Debug)]
pub struct Consumer {
    stop: CancellationToken,
    state: watch::Receiver<ConsumerState>,
}

impl Consumer {
    /// The present state.
    pub fn state(&self) -> ConsumerState {
        *self.state.borrow()
    }

    /// Waits until it is in a state. `false` when it has ended and never will be.
    pub async fn reached(&self, goal: ConsumerState) -> bool {
        self.state.clone().wait_for(|state| *state == goal).await.is_ok()
    }

    /// Lets the handler finish its batch, settles it, returns other messages to the queue, and ends.
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
