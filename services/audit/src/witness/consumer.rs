//! The consumer of `audit.witness`: messages of partners' audit services.

use std::{sync::Arc, time::Duration};

use rovuma_broker::{
    BatchLimits, Broker, ConsumerConfig, Delivery, Handler, TransientError, Verdict,
    topology::names::AUDIT_WITNESS,
};
use rovuma_runtime::SharedClock;
use rovuma_schemas::audit::{RelayedWitnessMessage, WitnessMessage};
use rovuma_store::WriteError;

use super::{reply::ReplyHandler, request::publication, respond::Witness};
use crate::error::DbError;

/// Maximum number of messages taken at once. Each is handled by itself, in the order in which they came.
const BATCH_MAX: u16 = 16;

/// Handles messages of partners.
pub(crate) struct WitnessIntake {
    pub(crate) witness: Witness,
    pub(crate) replies: ReplyHandler,
    /// Publishes the responses.
    pub(crate) broker: Broker,
    pub(crate) clock: SharedClock,
}

/// The consumer's queue and batch limits.
pub(crate) fn consumer_config() -> ConsumerConfig {
    ConsumerConfig {
        queue: AUDIT_WITNESS.to_owned(),
        prefetch: BATCH_MAX,
        batch: BatchLimits {
            max_messages: usize::from(BATCH_MAX),
            max_bytes: 1024 * 1024,
            max_wait: Duration::ZERO,
        },
    }
}

impl Handler for WitnessIntake {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        for delivery in batch.iter() {
            match serde_json::from_slice::<RelayedWitnessMessage>(&delivery.body) {
                Ok(post) => {
                    if let Err(fault) = self.handle_post(post).await {
                        // One failure does not hold up the other messages: the partner will send this one again.
                        tracing::error!(%fault, "a partner's message was not handled");
                    }
                }
                Err(fault) => {
                    tracing::error!(%fault, "a delivery to the witness is not a partner's message")
                }
            }
        }
        Ok(vec![Verdict::Accept; batch.len()])
    }
}

impl WitnessIntake {
    async fn handle_post(&self, post: RelayedWitnessMessage) -> Result<(), WriteError<DbError>> {
        let now = self.clock.now();
        match post.message {
            WitnessMessage::Cosignature(reply) => self.replies.handle(post.partner, &reply, now).await,
            WitnessMessage::Checkpoint(request) => {
                let response = self.witness.respond(post.partner, &request, now).await?;
                let Some(response) = response else { return Ok(()) };
                let post = RelayedWitnessMessage {
                    partner: post.partner,
                    message: WitnessMessage::Cosignature(response),
                };
                let Some(publication) = publication(&post, now) else { return Ok(()) };
                if let Err(fault) = self.broker.publish(publication).await {
                    tracing::warn!(%fault, "a response to a partner was not published; the partner will ask again");
                }
                Ok(())
            }
        }
    }
}
