//! Publishes with confirms, many at a time.

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

/// How long a publication may wait for its confirm: the broker may be blocked, or a queue without a leader. Longer than a
/// broker takes to restart.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(60);

/// The number of channels used side by side, so that a queue that does not confirm holds up only its share.
const SHARDS: usize = 8;

/// Maximum publications in the queue of one channel. When it is full, callers wait for room.
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

/// A publication and the channel for its outcome.
#[derive(Debug)]
struct PublishRequest {
    publication: Publication,
    reply: oneshot::Sender<Result<(), PublishError>>,
}

impl PublishRequest {
    fn reply(self, outcome: Result<(), PublishError>) {
        // Fails when the caller has given up: then nobody waits for the outcome.
        let _ = self.reply.send(outcome);
    }
}

/// Hands publications to the channels.
#[derive(Debug)]
pub(crate) struct Publisher {
    shards: Vec<mpsc::Sender<PublishRequest>>,
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
        let outcome = match tokio::time::timeout(CONFIRM_TIMEOUT, self.submit(publication)).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Err(PublishError::Closed { message_id }),
            Err(_) => Err(PublishError::TimedOut { message_id, after: CONFIRM_TIMEOUT }),
        };
        let label = outcome.as_ref().map_or_else(PublishError::label, |()| "confirmed");
        counter!("rovuma_broker_published_total", "exchange" => exchange, "outcome" => label).increment(1);
        outcome
    }

    /// Hands a publication to its channel and waits for the outcome; `None` when the channels are closed for good.
    async fn submit(&self, publication: Publication) -> Option<Result<(), PublishError>> {
        let (reply, outcome) = oneshot::channel();
        let shard = self.shard_of(&publication);
        shard.send(PublishRequest { publication, reply }).await.ok()?;
        outcome.await.ok()
    }

    /// The channel of a publication: always the same for one exchange and routing key, so that their order holds.
    fn shard_of(&self, publication: &Publication) -> &mpsc::Sender<PublishRequest> {
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let hash = hasher.hash_one((&publication.exchange, &publication.routing_key));
        let index = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        &self.shards[index]
    }
}
