//! Hands one batch to the handler, again while the handler fails, and settles it.

use std::{sync::Arc, time::Duration};

use lapin::{
    Acker,
    options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions},
};
use metrics::counter;
use tokio::time::Instant;
use tracing::{error, warn};

use super::{
    ConsumerState, Handler, Verdict,
    task::{ConsumerTask, SubscriptionEnd},
};
use crate::{Delivery, backoff::Backoff, link::answered};

/// The first and the longest wait between attempts at the same batch.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MOST: Duration = Duration::from_secs(30);

/// Messages of one subscription, in the order of the queue.
#[derive(Default)]
pub(super) struct Batch {
    deliveries: Vec<Delivery>,
    ackers: Vec<Acker>,
    size_bytes: usize,
}

impl Batch {
    pub(super) fn add(&mut self, mut frame: lapin::message::Delivery) {
        let delivery = Delivery::take(&mut frame);
        self.size_bytes += delivery.body.len();
        self.deliveries.push(delivery);
        self.ackers.push(frame.acker);
    }

    pub(super) fn len(&self) -> usize {
        self.deliveries.len()
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

impl<H: Handler> ConsumerTask<H> {
    /// Hands the batch over until the handler gives verdicts, then settles it.
    pub(super) async fn handle_and_settle(&self, batch: Batch) -> Result<(), SubscriptionEnd> {
        let deliveries: Arc<[Delivery]> = batch.deliveries.into();
        self.report_header_faults(&deliveries);
        let give_up_at = Instant::now() + self.handler.retry_limit();
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MOST);
        loop {
            match self.handler.handle(Arc::clone(&deliveries)).await {
                Ok(verdicts) if verdicts.len() == deliveries.len() => {
                    self.state.send_replace(ConsumerState::Consuming);
                    return self.settle(&deliveries, &batch.ackers, &verdicts).await;
                }
                Ok(verdicts) => {
                    error!(
                        expected = deliveries.len(),
                        got = verdicts.len(),
                        "the handler returned another number of verdicts than messages"
                    );
                }
                Err(failure) => {
                    warn!(queue = %self.config.queue, batch = deliveries.len(), %failure, "a batch was not handled: trying again");
                }
            }
            self.state.send_replace(ConsumerState::Retrying);
            self.wait_to_retry(backoff.next(), give_up_at, &batch.ackers).await?;
        }
    }

    fn report_header_faults(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            let Some(fault) = delivery.header_fault else { continue };
            let queue = self.config.queue.clone();
            warn!(%queue, exchange = %delivery.exchange, %fault, "the headers of a message were not read");
            counter!("rovuma_broker_unread_headers_total", "queue" => queue, "fault" => fault.as_str())
                .increment(1);
        }
    }

    async fn wait_to_retry(
        &self,
        pause: Duration,
        give_up_at: Instant,
        ackers: &[Acker],
    ) -> Result<(), SubscriptionEnd> {
        let retry_at = Instant::now() + pause;
        if retry_at > give_up_at {
            self.requeue(ackers).await?;
            return Err(SubscriptionEnd::GaveUp);
        }
        if self.stop.run_until_cancelled(tokio::time::sleep_until(retry_at)).await.is_none() {
            self.requeue(ackers).await?;
            return Err(SubscriptionEnd::Stopped);
        }
        // A lost channel cannot settle its messages any more, and the broker has put them back into the queue.
        if ackers.iter().any(Acker::poisoned) { Err(SubscriptionEnd::Cancelled) } else { Ok(()) }
    }

    async fn requeue(&self, ackers: &[Acker]) -> Result<(), SubscriptionEnd> {
        if let Some(last) = ackers.last() {
            answered(last.nack(BasicNackOptions { multiple: true, requeue: true })).await?;
        }
        self.count("requeued", ackers.len());
        Ok(())
    }

    async fn settle(
        &self,
        batch: &[Delivery],
        ackers: &[Acker],
        verdicts: &[Verdict],
    ) -> Result<(), SubscriptionEnd> {
        let mut last_accepted = None;
        let mut rejected = 0;
        for ((delivery, acker), verdict) in batch.iter().zip(ackers).zip(verdicts) {
            match verdict {
                Verdict::Accept => last_accepted = Some(acker),
                Verdict::DeadLetter { reason } => {
                    warn!(queue = %self.config.queue, message.id = %delivery.message_id, reason, "dead-lettered");
                    answered(acker.reject(BasicRejectOptions { requeue: false })).await?;
                    rejected += 1;
                }
            }
        }
        // Rejected messages are settled already, so acknowledging all up to here acknowledges the accepted ones only.
        if let Some(acker) = last_accepted {
            answered(acker.ack(BasicAckOptions { multiple: true })).await?;
        }
        self.count("accepted", batch.len() - rejected);
        self.count("dead_lettered", rejected);
        Ok(())
    }

    fn count(&self, outcome: &'static str, messages: usize) {
        let queue = self.config.queue.clone();
        counter!("rovuma_broker_consumed_total", "queue" => queue, "outcome" => outcome)
            .increment(messages as u64);
    }
}
