//! The shipper and an audit service played by the test, on a real broker.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use rovuma_broker::{
    BatchLimits, Broker, BrokerConfig, ConsumerConfig, Delivery, Handler, Publication, TransientError,
    Verdict,
    topology::{GatewaySpec, NodeSpec, VHOST, definitions, names},
};
use rovuma_envelope::{Jws, PublicKey, SealingKey, Signer, SigningKey, Typ, digest, open};
use rovuma_lab::rabbit::{RabbitNode, RabbitOptions};
use rovuma_runtime::{Shutdown, SystemClock};
use rovuma_schemas::{
    Epoch, Timestamp,
    audit::{AuditAck, AuditAction, AuditBatch, AuditEvent, FIRST_PREVIOUS},
};
use rovuma_store::{FutureExt, Store, StoreConfig};
use rovuma_trail::{AuditRecord, MIGRATIONS, Shipper, ShipperKeys, ShipperSettings, Trail};
use tokio::sync::watch;

const SOURCE: &str = "mz.gateway.police";

/// A country's broker, with one gateway.
async fn start(folder: &Path) -> RabbitNode {
    let agencies = ["mz.node", "mz.prm"].map(|code| code.parse().expect("an agency")).into();
    let spec = NodeSpec {
        country: "mz".parse().expect("a country"),
        gateways: vec![GatewaySpec { name: "police".into(), agencies }],
        event_readers: Vec::new(),
        partners: Vec::new(),
    };
    let node = RabbitNode::start(folder, RabbitOptions::new("trail"), |_| {}).await.expect("a node");
    node.management().import(&definitions(&spec).expect("sound")).await.expect("imported");
    node
}

fn connect(node: &RabbitNode, user: &str, shutdown: &Shutdown) -> Broker {
    let identity = node.issue_client(user).expect("a certificate");
    let config = BrokerConfig {
        url: node.url(VHOST).expect("a URL"),
        ca_file: node.authority().ca_file(),
        cert_file: identity.cert_file,
        key_file: identity.key_file,
        server_name: None,
    };
    Broker::start(config, user, shutdown).expect("a sound configuration")
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

async fn open_trail(folder: &Path) -> Trail {
    let url = rovuma_lab::postgres::test_store(folder, "trail").expect("a store");
    let store = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect("opens");
    Trail::new(store, SOURCE)
}

fn ship(trail: &Trail, broker: Broker, keys: &Keys, shutdown: &Shutdown) {
    let settings = ShipperSettings { resend_first_ms: 500, resend_max_ms: 2000 };
    let (clock, keys) = (SystemClock::shared(), keys.of_shipper());
    let shipper = Shipper::with_settings(trail.clone(), broker, clock, keys, settings);
    shutdown.spawn("shipper", shipper.run(shutdown.clone()));
}

/// Both sides' keys.
struct Keys {
    source: Arc<SigningKey>,
    sealing: SealingKey,
    audit: SigningKey,
}

impl Keys {
    fn new() -> Self {
        let key = || SigningKey::generate().expect("a key");
        Self { source: Arc::new(key()), sealing: SealingKey::generate(), audit: key() }
    }

    fn of_shipper(&self) -> ShipperKeys {
        ShipperKeys {
            signer: Arc::clone(&self.source) as Arc<dyn Signer>,
            recipient: self.sealing.recipient().clone(),
            acknowledger: *self.audit.public_key(),
        }
    }
}

/// Takes batches and acknowledges them as an audit service does, unless told to keep silent, at all or of
/// one epoch.
#[derive(Clone)]
struct AuditService {
    keys: Arc<Keys>,
    broker: Broker,
    silent: Arc<Mutex<bool>>,
    never: Option<Epoch>,
    batches: Arc<watch::Sender<Vec<AuditBatch>>>,
}

impl AuditService {
    fn start(keys: &Arc<Keys>, broker: Broker, never: Option<Epoch>) -> Self {
        let service = Self {
            keys: Arc::clone(keys),
            broker: broker.clone(),
            silent: Arc::default(),
            never,
            batches: Arc::new(watch::Sender::new(Vec::new())),
        };
        let batch = BatchLimits { max_messages: 8, max_bytes: 8 << 20, max_wait: Duration::from_millis(5) };
        let queue = names::AUDIT_INGEST.to_owned();
        broker.consume(ConsumerConfig { queue, prefetch: 8, batch }, service.clone());
        service
    }

    fn be_silent(&self, silent: bool) {
        *self.silent.lock().expect("unpoisoned") = silent;
    }

    fn read(&self, delivery: &Delivery) -> AuditBatch {
        assert_eq!(delivery.routing_key, names::audit_event_key(SOURCE));
        let opened = open(&delivery.body, &[&self.keys.sealing], 4 << 20).expect("sealed to us");
        let text = String::from_utf8(opened).expect("a compact JWS");
        let jws = Jws::from_compact(&text).expect("a compact JWS");
        let payload =
            jws.verify_with(self.keys.source.public_key(), Typ::AUDIT).expect("signed by the source");
        serde_json::from_slice(payload).expect("a batch")
    }

    async fn acknowledge(&self, batch: &AuditBatch, key: &SigningKey) {
        let last = batch.events.last().expect("never empty");
        let ack = AuditAck {
            source: batch.source.clone(),
            epoch: batch.epoch,
            sequence: batch.last,
            digest: digest(last.as_bytes()),
            acknowledged_at: Timestamp::system_now(),
        };
        let payload = serde_json::to_vec(&ack).expect("written");
        let body = Jws::sign(Typ::AUDIT_ACK, payload, key).expect("signed").to_compact().into_bytes();
        let publication = Publication {
            exchange: names::AUDIT.to_owned(),
            routing_key: names::audit_ack_key(SOURCE),
            message_id: batch.last.to_string(),
            content_type: "application/jose".to_owned(),
            headers: BTreeMap::new(),
            body,
        };
        self.broker.publish(publication).await.expect("confirmed");
    }

    async fn until(&self, what: &str, wanted: impl Fn(&[AuditBatch]) -> bool) -> Vec<AuditBatch> {
        let mut batches = self.batches.subscribe();
        within(what, async { batches.wait_for(|seen| wanted(seen)).await.expect("goes on").clone() }).await
    }
}

impl Handler for AuditService {
    async fn handle(&self, deliveries: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        for delivery in deliveries.iter() {
            let batch = self.read(delivery);
            let silent = *self.silent.lock().expect("unpoisoned");
            if !silent && self.never != Some(batch.epoch) {
                self.acknowledge(&batch, &self.keys.audit).await;
            }
            self.batches.send_modify(|seen| seen.push(batch));
        }
        Ok(vec![Verdict::Accept; deliveries.len()])
    }
}

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("not within a minute: {what}"))
}

/// Waits until so many events wait for their acknowledgement; fewer is an error.
async fn until_left(trail: &Trail, count: u64) {
    let mut commits = trail.store().commits();
    loop {
        let left = trail.unacknowledged().await.expect("counts");
        assert!(left >= count, "{left} left");
        if left == count {
            return;
        }
        commits.changed().await.expect("the store is open");
    }
}

async fn record(trail: &Trail, count: u64) {
    let own = trail.clone();
    let work = trail.store().write(move |tx| {
        async move {
            for n in 0..count {
                let act = AuditRecord::new(Timestamp::system_now(), "officer-7", AuditAction::MessageRead);
                own.record(tx, &act.object("message", n)).await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    work.await.expect("recorded");
}

/// Every event of the batches, once, in order; fails unless they form a chain.
fn chain(batches: &[AuditBatch]) -> u64 {
    let all = batches.iter().flat_map(|batch| (batch.first..).zip(&batch.events));
    let events: BTreeMap<u64, &String> = all.collect();
    let mut previous = FIRST_PREVIOUS;
    for (sequence, (got, body)) in (1..).zip(&events) {
        let event: AuditEvent = serde_json::from_str(body).expect("an event");
        assert_eq!((*got, event.sequence, event.previous), (sequence, sequence, previous));
        previous = digest(body.as_bytes());
    }
    u64::try_from(events.len()).expect("a count")
}

fn seen(batches: &[AuditBatch]) -> u64 {
    batches.iter().map(|batch| batch.last).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_until_the_audit_service_has_signed_for_them() {
    let folder = folder("trail");
    let mut node = start(&folder).await;
    let (shutdown, keys) = (Shutdown::new(), Arc::new(Keys::new()));
    let service = AuditService::start(&keys, connect(&node, "audit", &shutdown), None);
    let trail = open_trail(&folder).await;
    ship(&trail, connect(&node, "gateway.police", &shutdown), &keys, &shutdown);

    // What is recorded is acknowledged and cleared, in bounded batches of one chain.
    record(&trail, 1000).await;
    within("all acknowledged", trail.until_acknowledged()).await.expect("cleared");
    let batches = service.until("all batches", |seen_now| seen(seen_now) == 1000).await;
    assert_eq!(chain(&batches), 1000);
    assert!(batches.iter().all(|batch| batch.events.len() <= 256));

    // A silent audit service gets them again, and only its signature clears them.
    service.be_silent(true);
    record(&trail, 10).await;
    let twice = |batches: &[AuditBatch]| batches.iter().filter(|batch| batch.last == 1010).count() >= 2;
    let batches = service.until("the batch again", twice).await;
    let last = batches.last().expect("the batch").clone();
    service.acknowledge(&last, &SigningKey::generate().expect("a key")).await;
    let half =
        AuditBatch { last: last.last - 5, events: last.events[..last.events.len() - 5].to_vec(), ..last };
    service.acknowledge(&half, &keys.audit).await;
    // The second acknowledgement is taken after the first, which has therefore cleared nothing.
    within("the signed half is cleared", until_left(&trail, 5)).await;

    // A broker that dies with batches inside loses nothing.
    record(&trail, 10).await;
    node.kill();
    record(&trail, 10).await;
    node.restart(|_| {}).await.expect("restarts");
    service.be_silent(false);
    within("all acknowledged after the restart", trail.until_acknowledged()).await.expect("cleared");
    assert_eq!(chain(&service.until("all batches", |now| seen(now) == 1030).await), 1030);

    shutdown.begin();
    assert!(shutdown.drained().await, "stops within its grace");
    node.stop().await;
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_that_is_never_acknowledged_holds_up_no_other() {
    let folder = folder("trail-epochs");
    let mut node = start(&folder).await;
    let (shutdown, keys) = (Shutdown::new(), Arc::new(Keys::new()));
    let trail = open_trail(&folder).await;
    let old = trail.store().identity();
    let service = AuditService::start(&keys, connect(&node, "audit", &shutdown), Some(old));
    record(&trail, 10).await;
    ship(&trail, connect(&node, "gateway.police", &shutdown), &keys, &shutdown);

    // Once it was sent again, one batch at a time asks for an acknowledgement that does not come.
    service.until("the batch again", |batches| batches.len() >= 2).await;
    // The name to come sorts behind it: so it always has its turn first.
    while trail.store().renew_identity().await.expect("renamed") < old {}
    record(&trail, 600).await;
    within("the present epoch is acknowledged", until_left(&trail, 10)).await;
    record(&trail, 5).await;
    within("and goes on", until_left(&trail, 10)).await;

    shutdown.begin();
    assert!(shutdown.drained().await, "stops within its grace");
    node.stop().await;
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// A key of the audit service that nobody has is never believed; this one is only looked at.
#[test]
fn keys_show_no_secret() {
    let keys = Keys::new();
    let shown = format!("{:?}", keys.of_shipper());
    let public: &PublicKey = keys.source.public_key();
    assert!(shown.contains(&public.key_id().to_string()) && !shown.contains("AGE-SECRET"), "{shown}");
}
