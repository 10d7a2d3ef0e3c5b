//! Acknowledges to each source the events that are stored: signed, and only after the commit.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::join_all;
use rovuma_broker::{
    Broker, Publication,
    topology::names::{AUDIT, audit_ack_key},
};
use rovuma_envelope::{Jws, Signer, Typ};
use rovuma_runtime::{SharedClock, Shutdown};
use rovuma_schemas::{Epoch, MessageId, Timestamp, audit::AuditAck};
use tokio::sync::Notify;

use crate::log::ChainHead;

type ChainHeads = BTreeMap<(String, Epoch), ChainHead>;

/// Queues and publishes acknowledgements. A lost one does no harm: the source sends again and is
/// acknowledged again. A chain's later head replaces an earlier one that is not yet published.
#[derive(Clone, Default)]
pub(crate) struct Acknowledger {
    pending: Arc<Mutex<ChainHeads>>,
    wake: Arc<Notify>,
}

impl Acknowledger {
    /// Queues the acknowledgement of chains up to these heads. To be called after the commit.
    pub(crate) fn enqueue(&self, heads: ChainHeads) {
        if heads.is_empty() {
            return;
        }
        self.lock().extend(heads);
        self.wake.notify_one();
    }

    /// Publishes until a soft shutdown, and then the acknowledgements that are left.
    pub(crate) async fn run(
        self,
        broker: Broker,
        signer: Arc<dyn Signer>,
        clock: SharedClock,
        shutdown: Shutdown,
    ) {
        loop {
            let stopping = tokio::select! {
                () = self.wake.notified() => false,
                () = shutdown.soft() => true,
            };
            let heads = std::mem::take(&mut *self.lock());
            let publications = heads.into_iter().filter_map(|((source, epoch), head)| {
                publication(&source, epoch, head, signer.as_ref(), clock.now())
            });
            join_all(publications.map(|publication| publish(&broker, publication))).await;
            if stopping {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, ChainHeads> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn publish(broker: &Broker, publication: Publication) {
    let routing_key = publication.routing_key.clone();
    match broker.publish(publication).await {
        Ok(()) => metrics::counter!("rovuma_audit_acknowledged_total").increment(1),
        Err(fault) => tracing::warn!(%fault, routing_key, "an acknowledgement was not published"),
    }
}

fn publication(
    source: &str,
    epoch: Epoch,
    head: ChainHead,
    signer: &dyn Signer,
    now: Timestamp,
) -> Option<Publication> {
    let signed = sign(source, epoch, head, signer, now)
        .inspect_err(|fault| tracing::error!(fault, source, "an acknowledgement could not be signed"))
        .ok()?;
    Some(Publication {
        exchange: AUDIT.to_owned(),
        routing_key: audit_ack_key(source),
        message_id: MessageId::draw(now).to_string(),
        content_type: "application/jose".to_owned(),
        headers: BTreeMap::new(),
        body: signed.to_compact().into_bytes(),
    })
}

/// Signs the acknowledgement that all events of (source, epoch) up to `head` are stored.
pub(super) fn sign(
    source: &str,
    epoch: Epoch,
    head: ChainHead,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Jws, String> {
    let ack = AuditAck {
        source: source.to_owned(),
        epoch,
        sequence: head.sequence,
        digest: head.digest,
        acknowledged_at: now,
    };
    let payload = serde_json::to_vec(&ack).map_err(|fault| fault.to_string())?;
    Jws::sign(Typ::AUDIT_ACK, payload, signer).map_err(|fault| fault.to_string())
}
