//! The consumer of `audit.witness`: what partners' audit services say.

use std::{sync::Arc, time::Duration};

use rovuma_broker::{
    BatchLimits, Broker, ConsumerConfig, Delivery, Handler, TransientError, Verdict,
    topology::names::AUDIT_WITNESS,
};
use rovuma_runtime::SharedClock;
use rovuma_schemas::audit::{WitnessPost, WitnessWord};
use rovuma_store::WriteError;

use super::{answer::Witness, ask::publication, reply::Replies};
use crate::error::DbError;

/// Words that are taken at a time: each is judged by itself, in the order in which they came.
const BATCH_MAX: u16 = 16;

/// Takes what partners say.
pub(crate) struct WitnessIntake {
    pub(crate) witness: Witness,
    pub(crate) replies: Replies,
    /// By which answers leave.
    pub(crate) broker: Broker,
    pub(crate) clock: SharedClock,
}

/// How much is taken at a time.
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
            match serde_json::from_slice::<WitnessPost>(&delivery.body) {
                Ok(post) => {
                    if let Err(fault) = self.take(post).await {
                        // One that cannot be taken does not hold up the others: it will be said again.
                        tracing::error!(%fault, "a partner's word was not taken");
                    }
                }
                Err(fault) => {
                    tracing::error!(%fault, "what came for the witness is none of a partner's words")
                }
            }
        }
        Ok(vec![Verdict::Accept; batch.len()])
    }
}

impl WitnessIntake {
    async fn take(&self, post: WitnessPost) -> Result<(), WriteError<DbError>> {
        let now = self.clock.now();
        match post.word {
            WitnessWord::Cosignature(reply) => self.replies.take(post.partner, &reply, now).await,
            WitnessWord::Checkpoint(asked) => {
                let answer = self.witness.answer(post.partner, &asked, now).await?;
                let Some(answer) = answer else { return Ok(()) };
                let post = WitnessPost { partner: post.partner, word: WitnessWord::Cosignature(answer) };
                let Some(publication) = publication(&post, now) else { return Ok(()) };
                if let Err(fault) = self.broker.publish(publication).await {
                    tracing::warn!(%fault, "an answer to a partner did not leave; it will be asked again");
                }
                Ok(())
            }
        }
    }
}
