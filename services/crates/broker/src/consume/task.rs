//! What a consumer's task owns, and how each of its subscriptions ends.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{ConsumerConfig, ConsumerState};
use crate::link::{Link, NoChannel};

/// A consumer's task: `session` subscribes for it again and again, `batch` hands batches to its handler.
pub(super) struct ConsumerTask<H> {
    pub(super) config: ConsumerConfig,
    pub(super) link: Link,
    pub(super) handler: H,
    /// Cancelled when the consumer is to end.
    pub(super) stop: CancellationToken,
    pub(super) state: watch::Sender<ConsumerState>,
}

/// Why a subscription ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum SubscriptionEnd {
    #[error("stopped")]
    Stopped,
    #[error("the broker cancelled the consumer: its queue was deleted or moved")]
    Cancelled,
    #[error("the handler kept failing")]
    GaveUp,
    #[error(transparent)]
    Lost(#[from] lapin::Error),
    #[error("the name of the queue is longer than 255 bytes")]
    QueueName,
}

impl From<NoChannel> for SubscriptionEnd {
    fn from(fault: NoChannel) -> Self {
        match fault {
            NoChannel::Closed => Self::Stopped,
            NoChannel::Failed(failure) => Self::Lost(failure),
        }
    }
}
