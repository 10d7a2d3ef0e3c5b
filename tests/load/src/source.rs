//! A source of audit events: signs and seals batches as a service's trail does, and waits for the signed
//! acknowledgements.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures::{StreamExt as _, stream};
use rovuma_broker::{
    BatchLimits, Broker, BrokerConfig, Consumer, ConsumerConfig, Delivery, Handler, Publication,
    TransientError, Verdict,
    topology::{VHOST, names},
};
use rovuma_envelope::{Jws, SealingRecipient, SigningKey, Typ, digest, seal};
use rovuma_lab::{api::Api, certs::TlsIdentity, country::Country, rabbit::RabbitNode};
use rovuma_runtime::Shutdown;
use rovuma_schemas::{
    Digest, Epoch, MessageId, StoreId, Timestamp,
    audit::{
        AUDIT_VERSION, AuditAck, AuditAction, AuditBatch, AuditEvent, AuditObject, AuditOutcome,
        FIRST_PREVIOUS,
    },
};
use tokio::sync::watch;
use uuid::Uuid;

/// The service in whose name events are written, with its own user and key. It writes no events itself meanwhile.
const USER: &str = "rovumactl";

/// Events of one delivery while throughput is measured: as many as a trail ships at once.
const BATCH: u32 = 256;

/// Maximum deliveries in flight.
const IN_FLIGHT: usize = 32;

/// Time limit for an acknowledgement.
const PATIENCE: Duration = Duration::from_secs(60);

/// Consecutive events that read the same object, so that a search for its readers has about this many results.
const READS_PER_OBJECT: u64 = 8;

/// A source of audit events.
pub(crate) struct LoadSource {
    name: String,
    epoch: Epoch,
    signer: SigningKey,
    recipient: SealingRecipient,
    broker: Broker,
    shutdown: Shutdown,
    acknowledged: watch::Receiver<u64>,
    _acks: Consumer,
    sequence: u64,
    previous: Digest,
}

/// A delivery that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AcknowledgedDelivery {
    /// The number of its last event.
    pub(crate) last: u64,
    /// When it was published.
    pub(crate) at: Instant,
    /// The time until it was acknowledged.
    pub(crate) acknowledged: Duration,
}

struct PendingAcks(watch::Sender<u64>);

impl Handler for PendingAcks {
    async fn handle(&self, batch: Arc<[Delivery]>) -> std::result::Result<Vec<Verdict>, TransientError> {
        for delivery in batch.iter() {
            // A service's own trail checks the signature; here only the time counts.
            let payload =
                std::str::from_utf8(&delivery.body).ok().and_then(|text| Jws::from_compact(text).ok());
            let ack =
                payload.and_then(|jws| serde_json::from_slice::<AuditAck>(jws.unverified_payload()).ok());
            if let Some(ack) = ack {
                self.0.send_if_modified(|last| {
                    let is_newer = ack.sequence > *last;
                    *last = ack.sequence.max(*last);
                    is_newer
                });
            }
        }
        Ok(vec![Verdict::Accept; batch.len()])
    }
}

impl LoadSource {
    /// Connects as the source.
    ///
    /// # Errors
    /// When a key cannot be read.
    pub(crate) fn start(country: &Country, node: &RabbitNode) -> Result<Self> {
        let layout = country.layout();
        let read = |path: std::path::PathBuf| {
            std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
        };
        let signer = SigningKey::from_pkcs8_pem(&read(layout.key("rovumactl.pem"))?)?;
        let recipient = read(layout.key("audit.sealing.pub"))?.trim().parse().context("a recipient")?;
        let TlsIdentity { cert_file, key_file } = node.issue_client(USER)?;
        let ca_file = node.authority().ca_file();
        let config = BrokerConfig { url: node.url(VHOST)?, ca_file, cert_file, key_file, server_name: None };
        let shutdown = Shutdown::new();
        let broker = Broker::start(config, "load", &shutdown)?;
        let name = names::audit_source(country.plan().country, USER);
        let (told, acknowledged) = watch::channel(0);
        let consumer = ConsumerConfig {
            queue: names::audit_ack_queue(&name),
            prefetch: 64,
            batch: BatchLimits { max_messages: 64, max_bytes: 1 << 20, max_wait: Duration::ZERO },
        };
        let acks = broker.consume(consumer, PendingAcks(told));
        Ok(Self {
            name,
            epoch: Epoch::draw(),
            signer,
            recipient,
            broker,
            shutdown,
            acknowledged,
            _acks: acks,
            sequence: 0,
            previous: FIRST_PREVIOUS,
        })
    }

    /// Ends the connection.
    pub(crate) async fn stop(&self) {
        self.shutdown.begin();
        self.shutdown.drained().await;
    }

    /// Events written so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sequence
    }

    /// Appends `events` events as fast as they are accepted. Returns the time from the first publish to the last
    /// acknowledgement. They are signed and sealed before that, because that is the work of sources.
    ///
    /// # Errors
    /// When one is not acknowledged.
    pub(crate) async fn round(&mut self, events: u32) -> Result<Duration> {
        let mut publications = Vec::new();
        let mut left = events;
        while left > 0 {
            let count = left.min(BATCH);
            publications.push(self.batch(count)?);
            left -= count;
        }
        let begun = Instant::now();
        let broker = &self.broker;
        let mut publishing = stream::iter(publications)
            .map(|publication| broker.publish(publication))
            .buffer_unordered(IN_FLIGHT);
        while let Some(published) = publishing.next().await {
            published?;
        }
        drop(publishing);
        self.until(self.sequence).await?;
        Ok(begun.elapsed())
    }

    /// Appends `times` deliveries of `size` events at fixed intervals, whatever happens to the one before (open
    /// loop).
    ///
    /// # Errors
    /// When one is not acknowledged.
    pub(crate) async fn paced(
        &mut self,
        times: u32,
        size: u32,
        every: Duration,
    ) -> Result<Vec<AcknowledgedDelivery>> {
        let mut ready = Vec::new();
        for _ in 0..times {
            ready.push((self.batch(size)?, self.sequence));
        }
        let begun = Instant::now() + every;
        let late = AtomicU64::new(0);
        let sending = stream::iter((0_u32..).zip(ready)).map(async |(number, (publication, last))| {
            let due = begun + every * number;
            tokio::time::sleep_until(due.into()).await;
            late.fetch_max(u64::try_from(due.elapsed().as_millis()).unwrap_or(0), Ordering::Relaxed);
            self.broker.publish(publication).await?;
            self.until(last).await?;
            anyhow::Ok(AcknowledgedDelivery { last, at: due, acknowledged: due.elapsed() })
        });
        sending.buffered(times as usize).collect::<Vec<_>>().await.into_iter().collect()
    }

    async fn until(&self, last: u64) -> Result<()> {
        let mut acknowledged = self.acknowledged.clone();
        let reached = acknowledged.wait_for(|sequence| *sequence >= last);
        match tokio::time::timeout(PATIENCE, reached).await {
            Ok(reached) => reached.map(drop).context("no more acknowledgements come"),
            Err(_) => bail!("event {last} was not acknowledged within a minute"),
        }
    }

    /// The path of an event in the auditors' API.
    pub(crate) fn path(&self, sequence: u64) -> String {
        format!("/v1/events/{}/{}/{sequence}", self.name, self.epoch)
    }

    /// The index of the entry that an event became.
    ///
    /// # Errors
    /// When the log does not have it.
    pub(crate) async fn index(&self, auditor: &Api, sequence: u64) -> Result<u64> {
        let event = auditor.get(&self.path(sequence)).await?.ok()?;
        event["entry"]["index"].as_u64().context("an index")
    }

    fn batch(&mut self, count: u32) -> Result<Publication> {
        let (first, mut events) = (self.sequence + 1, Vec::new());
        for _ in 0..count {
            events.push(self.event()?);
        }
        let batch =
            AuditBatch { source: self.name.clone(), epoch: self.epoch, first, last: self.sequence, events };
        let jws = Jws::sign(Typ::AUDIT, serde_json::to_vec(&batch)?, &self.signer)?;
        Ok(Publication {
            exchange: names::AUDIT.to_owned(),
            routing_key: names::audit_event_key(&self.name),
            message_id: MessageId::draw(Timestamp::system_now()).to_string(),
            content_type: "application/vnd.rovuma.audit-batch".to_owned(),
            headers: BTreeMap::new(),
            body: seal(jws.to_compact().as_bytes(), &self.recipient)?,
        })
    }

    /// An event in which an officer opens a message: most events of a gateway are such.
    fn event(&mut self) -> Result<String> {
        self.sequence += 1;
        let time = Timestamp::system_now();
        let event = AuditEvent {
            version: AUDIT_VERSION,
            id: MessageId::draw(time),
            source: self.name.clone(),
            epoch: self.epoch,
            sequence: self.sequence,
            previous: self.previous,
            time,
            actor: format!("u-{:08x}", self.sequence.wrapping_mul(0x9e37_79b9) % 400),
            session: Some(format!("s-{:08x}", self.sequence / 50)),
            agency: Some(if self.sequence.is_multiple_of(3) { "mz.sernic" } else { "mz.prm" }.parse()?),
            action: AuditAction::MessageRead,
            object: Some(AuditObject::new("message", object(self.sequence))),
            purpose: Some("border_control".to_owned()),
            outcome: AuditOutcome::Success,
            reason: None,
            blind: Some(StoreId::draw()),
            details: BTreeMap::from([("view".to_owned(), "content".to_owned())]),
        };
        let text = serde_json::to_string(&event)?;
        self.previous = digest(text.as_bytes());
        Ok(text)
    }
}

/// The message that the event `sequence` is about: of a thousand that are read side by side, each several times.
fn object(sequence: u64) -> String {
    let (era, within) = (sequence / (1000 * READS_PER_OBJECT), sequence % 1000);
    Uuid::from_u128((u128::from(era * 1000 + within) << 64) | 0x7000_8000_0000_0000_0000).to_string()
}

/// The messages that were read in the first `events` events.
pub(crate) fn objects(count: u32, events: u64) -> impl Iterator<Item = String> {
    (0..count).map(move |number| object(1 + u64::from(number) * events / u64::from(count)))
}
