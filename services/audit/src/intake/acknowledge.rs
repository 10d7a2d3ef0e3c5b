//! Telling sources how far their events are stored: signed, and only after the commit.

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

use crate::log::Head;

type Heads = BTreeMap<(String, Epoch), Head>;

/// Acknowledgements on their way. One that is lost is no harm: the source sends again and is answered
/// again. Later heads of a chain take the place of earlier ones that have not left.
#[derive(Clone, Default)]
pub(crate) struct Acknowledger {
    waiting: Arc<Mutex<Heads>>,
    wake: Arc<Notify>,
}

impl Acknowledger {
    /// Hands over where chains end now, after the commit.
    pub(crate) fn offer(&self, heads: Heads) {
        if heads.is_empty() {
            return;
        }
        self.lock().extend(heads);
        self.wake.notify_one();
    }

    /// Publishes until a soft shutdown, and then what is left.
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

    fn lock(&self) -> MutexGuard<'_, Heads> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn publish(broker: &Broker, publication: Publication) {
    let routing_key = publication.routing_key.clone();
    match broker.publish(publication).await {
        Ok(()) => metrics::counter!("rovuma_audit_acknowledged_total").increment(1),
        Err(fault) => tracing::warn!(%fault, routing_key, "an acknowledgement did not leave"),
    }
}

fn publication(
    source: &str,
    epoch: Epoch,
    head: Head,
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

/// The acknowledgement that everything of (source, epoch) up to `head` is stored.
pub(super) fn sign(
    source: &str,
    epoch: Epoch,
    head: Head,
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
