//! Subscribes a consumer, gathers its batches, and subscribes again when the subscription ends.

use std::time::Duration;

use futures::StreamExt;
use lapin::{
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use metrics::counter;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{
    ConsumerState, Handler,
    batch::Batch,
    task::{ConsumerTask, SubscriptionEnd},
};
use crate::{
    backoff::Backoff,
    link::{LiveChannel, STATUS_EVERY, answered},
};

/// The first and the longest wait before subscribing again. A deleted queue stays away until an operator restores it.
const RESUBSCRIBE_FIRST: Duration = Duration::from_millis(200);
const RESUBSCRIBE_MOST: Duration = Duration::from_secs(15);

impl<H: Handler> ConsumerTask<H> {
    /// Consumes until stopped.
    pub(super) async fn run(self) {
        let mut backoff = Backoff::new(RESUBSCRIBE_FIRST, RESUBSCRIBE_MOST);
        loop {
            let end = self.subscribe(&mut backoff).await;
            if matches!(end, SubscriptionEnd::Stopped) {
                break;
            }
            self.state.send_replace(ConsumerState::Waiting);
            warn!(queue = %self.config.queue, reason = %end, "consumer ended: subscribing again");
            counter!("rovuma_broker_resubscribes_total", "queue" => self.config.queue.clone()).increment(1);
            if self.stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                break;
            }
        }
        info!(queue = %self.config.queue, "consumer stopped");
        self.state.send_replace(ConsumerState::Stopped);
    }

    async fn subscribe(&self, backoff: &mut Backoff) -> SubscriptionEnd {
        let opened = self.stop.run_until_cancelled(self.open()).await;
        let (channel, mut consumer) = match opened {
            None => return SubscriptionEnd::Stopped,
            Some(Err(end)) => return end,
            Some(Ok(opened)) => opened,
        };
        self.state.send_replace(ConsumerState::Consuming);
        info!(queue = %self.config.queue, "consuming");
        let end = loop {
            let Some(gathered) = self.stop.run_until_cancelled(self.gather(&channel, &mut consumer)).await
            else {
                break SubscriptionEnd::Stopped;
            };
            match gathered {
                Err(end) => break end,
                Ok(batch) => match self.handle_and_settle(batch).await {
                    Err(end) => break end,
                    Ok(()) => backoff.reset(),
                },
            }
        };
        close(&channel, consumer.tag()).await;
        end
    }

    async fn open(&self) -> Result<(LiveChannel, lapin::Consumer), SubscriptionEnd> {
        let queue =
            ShortString::try_new(self.config.queue.as_str()).map_err(|_| SubscriptionEnd::QueueName)?;
        let channel = self.link.channel().await?;
        answered(channel.basic_qos(self.config.prefetch, BasicQosOptions::default())).await?;
        let (tag, options) = (ShortString::default(), BasicConsumeOptions::default());
        let consume = channel.basic_consume(queue, tag, options, FieldTable::default());
        let consumer = answered(consume).await?;
        Ok((channel, consumer))
    }

    /// Waits for a first message, then for others until the batch is full.
    async fn gather(
        &self,
        channel: &LiveChannel,
        consumer: &mut lapin::Consumer,
    ) -> Result<Batch, SubscriptionEnd> {
        let limits = self.config.batch;
        let mut batch = Batch::default();
        batch.add(first(channel, consumer).await?);
        let full_at = Instant::now() + limits.max_wait;
        while batch.len() < limits.max_messages && batch.size_bytes() < limits.max_bytes {
            match tokio::time::timeout_at(full_at, consumer.next()).await {
                Ok(delivery) => batch.add(delivery.ok_or(SubscriptionEnd::Cancelled)??),
                Err(_) => break,
            }
        }
        Ok(batch)
    }
}

/// Waits for a message for as long as the channel is alive. A channel whose connection dies during the subscription may
/// never report that: a broker that was killed left a consumer waiting for ever.
async fn first(
    channel: &LiveChannel,
    consumer: &mut lapin::Consumer,
) -> Result<lapin::message::Delivery, SubscriptionEnd> {
    while channel.is_alive() {
        if let Ok(delivery) = tokio::time::timeout(STATUS_EVERY, consumer.next()).await {
            return Ok(delivery.ok_or(SubscriptionEnd::Cancelled)??);
        }
    }
    Err(SubscriptionEnd::Cancelled)
}

/// Closes the subscription; the broker returns messages that are not settled to the queue.
async fn close(channel: &LiveChannel, tag: ShortString) {
    if channel.is_alive() {
        let _ = answered(channel.basic_cancel(tag, BasicCancelOptions::default())).await;
        let _ = answered(channel.close(200, "consumer ended".into())).await;
    }
}
