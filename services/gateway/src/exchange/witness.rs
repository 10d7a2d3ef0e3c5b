//! Between the country's audit service and the partners': the gateway that serves `<cc>.node` signs what the audit service
//! says to them, and hands it what they say.
//!
//! Nothing is kept for it here: who asks for a cosignature asks again, and what is said proves itself with keys that the
//! audit services have pinned.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use rovuma_broker::{
    BatchLimits, Broker, Consumer, ConsumerConfig, Delivery, Handler, Publication, TransientError, Verdict,
    topology::names,
};
use rovuma_runtime::Shutdown;
use rovuma_schemas::{
    AgencyCode, Body, CountryCode, Lane, MessageId,
    audit::{WitnessPost, WitnessWord},
};
use rovuma_store::WriteError;
use tokio::sync::Notify;

use super::send::{self, SendError};
use crate::exchange::Exchange;

/// Words of partners that wait for the broker at most; the oldest go first. Two a second come while all is well.
const WAITING_MAX: usize = 64;

/// Words of the audit service that are taken at a time.
const BATCH_MAX: u16 = 16;

/// What the audit service says is small: a head, a proof of at most 63 hashes.
const BATCH_MAX_BYTES: usize = 256 * 1024;

/// Words of partners on their way to the audit service.
#[derive(Debug, Default)]
pub(crate) struct WitnessDesk {
    waiting: Mutex<Vec<WitnessPost>>,
    wake: Notify,
}

impl WitnessDesk {
    /// Hands over what a partner's node said. It may be said before the caller's transaction commits, and said again.
    pub(crate) fn offer(&self, partner: CountryCode, word: WitnessWord) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            waiting.remove(0);
        }
        waiting.push(WitnessPost { partner, word });
        drop(waiting);
        self.wake.notify_one();
    }

    fn take(&self) -> Vec<WitnessPost> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Hands words of partners to the audit service until a soft shutdown.
pub(super) async fn hand_in(exchange: Arc<Exchange>, broker: Broker, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.soft() => return,
            () = exchange.witness.wake.notified() => {}
        }
        let posts = exchange.witness.take();
        let publish = posts.iter().filter_map(|post| publication(&exchange, post)).map(async |publication| {
            if let Err(fault) = broker.publish(publication).await {
                tracing::warn!(%fault, "a partner's word to the audit service was lost; it will be said again");
            }
        });
        tokio::select! {
            () = shutdown.soft() => return,
            _ = join_all(publish) => {}
        }
    }
}

fn publication(exchange: &Exchange, post: &WitnessPost) -> Option<Publication> {
    let body = serde_json::to_vec(post).inspect_err(|fault| tracing::error!(%fault, "not JSON")).ok()?;
    Some(Publication {
        exchange: names::AUDIT.to_owned(),
        routing_key: names::AUDIT_WITNESS_KEY.to_owned(),
        message_id: MessageId::draw(exchange.base.now()).to_string(),
        content_type: "application/json".to_owned(),
        headers: BTreeMap::new(),
        body,
    })
}

/// Takes what the audit service says to partners, if this gateway serves the installation.
pub(super) fn start(exchange: &Arc<Exchange>, broker: &Broker) -> Option<Consumer> {
    let config = ConsumerConfig {
        queue: names::AUDIT_OUTWARD.to_owned(),
        prefetch: BATCH_MAX,
        batch: BatchLimits {
            max_messages: usize::from(BATCH_MAX),
            max_bytes: BATCH_MAX_BYTES,
            max_wait: Duration::ZERO,
        },
    };
    let node = AgencyCode::node_of(exchange.base.country);
    exchange.agencies.serves(&node).then(|| broker.consume(config, Outward(Arc::clone(exchange))))
}

/// Signs what the audit service says and puts it into the outbox.
struct Outward(Arc<Exchange>);

impl Handler for Outward {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        for delivery in batch.iter() {
            let post = match serde_json::from_slice::<WitnessPost>(&delivery.body) {
                Ok(post) if post.partner != self.0.base.country => post,
                Ok(_) => continue,
                Err(fault) => {
                    tracing::error!(%fault, "the audit service said something that is not for partners");
                    continue;
                }
            };
            if let Err(fault) = self.send(post).await {
                return Err(TransientError::new(fault.to_string()));
            }
        }
        Ok(vec![Verdict::Accept; batch.len()])
    }
}

impl Outward {
    async fn send(&self, post: WitnessPost) -> Result<(), WriteError<SendError>> {
        let (exchange, now) = (&self.0, self.0.base.now());
        let (from, to) = (AgencyCode::node_of(exchange.base.country), AgencyCode::node_of(post.partner));
        let body = match post.word {
            WitnessWord::Checkpoint(checkpoint) => Body::AuditCheckpoint(checkpoint),
            WitnessWord::Cosignature(cosignature) => Body::AuditCosignature(cosignature),
        };
        // Small, one at a time, and the worth of the whole log hangs on it: it does not wait behind a backlog.
        let outgoing =
            send::transport(exchange, &from, &to, Lane::Urgent, body, now).map_err(WriteError::Job)?;
        send::enqueue(exchange, outgoing, now).await
    }
}
