//! Confirmed publishing, many in flight.

mod batch;
mod error;
mod shard;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    time::Duration,
};

use metrics::counter;
use rovuma_runtime::Shutdown;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::link::Link;

pub use error::PublishError;

/// A publication is given up after this: the broker may be blocked or a queue without a leader. It is longer
/// than a broker needs to restart.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(60);

/// Channels published on side by side, so that a queue that does not confirm holds up only its share.
const SHARDS: usize = 8;

/// Publications that wait for one channel; beyond it callers wait.
const SHARD_QUEUE: usize = 256;

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The exchange.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// The `message-id` property: names the message in errors and logs.
    pub message_id: String,
    /// The `content-type` property.
    pub content_type: String,
    /// Text headers; W3C trace context travels here.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A publication and whom to tell.
#[derive(Debug)]
struct Request {
    publication: Publication,
    answer: oneshot::Sender<Result<(), PublishError>>,
}

impl Request {
    fn answer(self, outcome: Result<(), PublishError>) {
        // Whoever asked may have given up; the outcome is then nobody's.
        let _ = self.answer.send(outcome);
    }
}

/// Hands publications to the channels.
#[derive(Debug)]
pub(crate) struct Publisher {
    shards: Vec<mpsc::Sender<Request>>,
}

impl Publisher {
    pub(crate) fn start(link: &Link, shutdown: &Shutdown, until: &CancellationToken) -> Self {
        let start_shard = |_| {
            let (sender, receiver) = mpsc::channel(SHARD_QUEUE);
            shutdown.spawn("broker publish", shard::run(link.clone(), receiver, until.clone()));
            sender
        };
        Self { shards: (0..SHARDS).map(start_shard).collect() }
    }

    pub(crate) async fn publish(&self, publication: Publication) -> Result<(), PublishError> {
        let message_id = publication.message_id.clone();
        let exchange = publication.exchange.clone();
        let outcome = match tokio::time::timeout(CONFIRM_TIMEOUT, self.hand_over(publication)).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Err(PublishError::Closed { message_id }),
            Err(_) => Err(PublishError::TimedOut { message_id, after: CONFIRM_TIMEOUT }),
        };
        let word = outcome.as_ref().map_or_else(PublishError::word, |()| "confirmed");
        counter!("rovuma_broker_published_total", "exchange" => exchange, "outcome" => word).increment(1);
        outcome
    }

    /// `None` when the channels are closed for good.
    async fn hand_over(&self, publication: Publication) -> Option<Result<(), PublishError>> {
        let (answer, outcome) = oneshot::channel();
        let shard = self.shard_of(&publication);
        shard.send(Request { publication, answer }).await.ok()?;
        outcome.await.ok()
    }

    /// One exchange and routing key always goes by the same channel, so that its order holds.
    fn shard_of(&self, publication: &Publication) -> &mpsc::Sender<Request> {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let hash = hasher.hash_one((&publication.exchange, &publication.routing_key));
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        &self.shards[index]
    }
}
