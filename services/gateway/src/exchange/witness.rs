//! Carries tree-head messages between the country's audit service and the partners': the gateway that serves `<cc>.node`
//! signs and sends those of its audit service, and forwards those of the partners to it.
//!
//! The gateway does not store them: an audit service that gets no cosignature asks again, and the keys that the audit
//! services have pinned prove the content.

use std::{
    collections::BTreeMap,
    mem::discriminant,
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
    audit::{RelayedWitnessMessage, WitnessMessage},
};
use rovuma_store::{FutureExt, WriteError};
use tokio::sync::Notify;

use super::send::{self, SendError};
use crate::{
    alarm::{self, AlarmKind},
    exchange::Exchange,
};

/// Maximum messages of the audit service in one batch.
const BATCH_MAX: u16 = 16;

/// Maximum bytes in one batch. A message is small: a head, a proof of at most 63 hashes.
const BATCH_MAX_BYTES: usize = 256 * 1024;

/// Messages of partners that wait to be forwarded to the audit service: of each partner and type the latest one, which replaces
/// the one before. So no partner, however much it sends, pushes another's message out; only countries with a trust list are
/// partners, which bounds their number.
#[derive(Debug, Default)]
pub(crate) struct WitnessQueue {
    waiting: Mutex<Vec<RelayedWitnessMessage>>,
    added: Notify,
}

impl WitnessQueue {
    /// Queues a message of a partner's audit service. It may be forwarded before the caller's transaction commits, and again
    /// after a rollback: the audit service accepts both.
    pub(crate) fn push(&self, partner: CountryCode, message: WitnessMessage) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = discriminant(&message);
        let earlier =
            waiting.iter_mut().find(|one| one.partner == partner && discriminant(&one.message) == kind);
        match earlier {
            Some(earlier) => earlier.message = message,
            None => waiting.push(RelayedWitnessMessage { partner, message }),
        }
        drop(waiting);
        self.added.notify_one();
    }

    fn take(&self) -> Vec<RelayedWitnessMessage> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Publishes the queued messages of partners for the audit service, until a soft shutdown.
pub(super) async fn forward_to_audit_service(exchange: Arc<Exchange>, broker: Broker, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.soft() => return,
            () = exchange.witness.added.notified() => {}
        }
        let messages = exchange.witness.take();
        let publish = messages.iter().filter_map(|message| publication(&exchange, message)).map(async |publication| {
            if let Err(fault) = broker.publish(publication).await {
                tracing::warn!(%fault, "a partner's message to the audit service was lost; the partner will send it again");
            }
        });
        tokio::select! {
            () = shutdown.soft() => return,
            _ = join_all(publish) => {}
        }
    }
}

fn publication(exchange: &Exchange, message: &RelayedWitnessMessage) -> Option<Publication> {
    let body = serde_json::to_vec(message).inspect_err(|fault| tracing::error!(%fault, "not JSON")).ok()?;
    Some(Publication {
        exchange: names::AUDIT.to_owned(),
        routing_key: names::AUDIT_WITNESS_KEY.to_owned(),
        message_id: MessageId::draw(exchange.base.now()).to_string(),
        content_type: "application/json".to_owned(),
        headers: BTreeMap::new(),
        body,
    })
}

/// Starts to consume the audit service's messages to partners, if this gateway serves the node.
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

/// Signs the audit service's messages to partners and puts them into the outbox.
pub(crate) struct Outward(pub(crate) Arc<Exchange>);

/// The reason, for logs and metrics, why a message of the audit service goes to the quarantine of the broker.
pub(crate) const UNSENDABLE: &str = "witness_unsendable";

impl Handler for Outward {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for delivery in batch.iter() {
            let message = match serde_json::from_slice::<RelayedWitnessMessage>(&delivery.body) {
                Ok(message) if message.partner != self.0.base.country => message,
                // Nothing to send to ourselves; accepted, so that it does not come again.
                Ok(_) => {
                    verdicts.push(Verdict::Accept);
                    continue;
                }
                Err(fault) => {
                    tracing::error!(%fault, "dropped a message of the audit service that is not for partners");
                    verdicts.push(Verdict::Accept);
                    continue;
                }
            };
            let partner = message.partner;
            verdicts.push(match self.send(message).await {
                Ok(()) => Verdict::Accept,
                Err(fault) if is_transient(&fault) => return Err(TransientError::new(fault.to_string())),
                // Tried again it would fail again, and hold up those behind it.
                Err(fault) => {
                    self.alarm(partner, &fault).await?;
                    Verdict::DeadLetter { reason: UNSENDABLE }
                }
            });
        }
        Ok(verdicts)
    }
}

/// Whether the same message may be sent later without a change.
fn is_transient(fault: &WriteError<SendError>) -> bool {
    match fault {
        WriteError::Job(fault) => fault.is_transient(),
        other => other.is_transient(),
    }
}

impl Outward {
    async fn send(&self, message: RelayedWitnessMessage) -> Result<(), WriteError<SendError>> {
        let (exchange, now) = (&self.0, self.0.base.now());
        let (from, to) = (AgencyCode::node_of(exchange.base.country), AgencyCode::node_of(message.partner));
        let body = match message.message {
            WitnessMessage::Checkpoint(checkpoint) => Body::AuditCheckpoint(checkpoint),
            WitnessMessage::Cosignature(cosignature) => Body::AuditCosignature(cosignature),
        };
        // Urgent: it is small, and the log proves nothing to others without it, so it must not wait behind a backlog.
        let outgoing =
            send::transport(exchange, &from, &to, Lane::Urgent, body, now).map_err(WriteError::Job)?;
        send::enqueue(exchange, outgoing, now).await
    }

    /// Raises an alarm about a message that cannot be sent. While the store fails, the batch must come again.
    async fn alarm(&self, partner: CountryCode, fault: &WriteError<SendError>) -> Result<(), TransientError> {
        let (node, now) = (AgencyCode::node_of(self.0.base.country), self.0.base.now());
        let detail = format!(
            "a message of the audit service to {partner} was set aside: {fault}. Until this is mended {partner} cannot cosign \
             this country's log, nor this country {partner}'s"
        );
        let raise = self.0.base.store.write(move |tx| {
            async move {
                let kind = AlarmKind::WitnessUnsendable;
                alarm::raise(tx, &node, kind, partner.as_str(), &detail, now).await
            }
            .boxed()
        });
        raise.await.map_err(|fault| TransientError::new(fault.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use rovuma_schemas::audit::{AuditCheckpoint, AuditCosignature, WitnessAnswer};

    use super::*;

    fn checkpoint(older: u64) -> WitnessMessage {
        let checkpoint = "a head".parse().expect("a text");
        WitnessMessage::Checkpoint(AuditCheckpoint { checkpoint, older, proof: Vec::new() })
    }

    fn cosignature(size: u64) -> WitnessMessage {
        let (origin, answer) = ("a log".parse().expect("a line"), WitnessAnswer::Cosigned);
        WitnessMessage::Cosignature(AuditCosignature { origin, size, answer, cosignature: None, held: None })
    }

    #[test]
    fn no_partner_pushes_out_the_message_of_another() {
        let (queue, zm, tz) = (WitnessQueue::default(), "zm".parse().expect("zm"), "tz".parse().expect("tz"));
        queue.push(tz, cosignature(7));
        for older in 1..=10_000 {
            queue.push(zm, checkpoint(older));
        }
        queue.push(zm, cosignature(3));
        let waiting: Vec<_> = queue.take().into_iter().map(|one| (one.partner, one.message)).collect();
        assert_eq!(waiting, [(tz, cosignature(7)), (zm, checkpoint(10_000)), (zm, cosignature(3))]);
        assert_eq!(queue.take(), []);
    }
}
