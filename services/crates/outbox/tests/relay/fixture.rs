//! A broker with one gateway that serves two agencies, and what a gateway has around its outbox.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rovuma_broker::{
    BatchLimits, Broker, BrokerConfig, ConsumerConfig, Delivery, Handler, TransientError, Verdict,
    topology::{GatewaySpec, NodeSpec, VHOST, definitions, names},
};
use rovuma_envelope::{
    BUNDLE_BYTES_MAX, BUNDLE_FORMAT, BUNDLE_PACKED_MAX, Bundle, Jws, Pin, SealingKey, SharedTrust, Signer,
    SigningKey, TrustListDraft, TrustPolicy, TrustStore, Typ, open,
    trust::{Accepts, KeyTerm, NewAgency},
};
use rovuma_lab::rabbit::{RabbitNode, RabbitOptions};
use rovuma_outbox::{MIGRATIONS, Outbox, OutboxSettings, OutgoingCopy, OutgoingMessage, Relay};
use rovuma_runtime::{Shutdown, SystemClock};
use rovuma_schemas::{AgencyCode, Lane, MessageId, MessageType, Timestamp};
use rovuma_store::{FutureExt, Store, StoreConfig};
use tokio::sync::watch;

/// The sender, on the gateway under test.
pub(crate) const PRM: &str = "mz.prm";
/// A recipient on the same broker.
pub(crate) const SENAMI: &str = "mz.senami";
/// A recipient that no queue of the broker takes.
pub(crate) const SERNIC: &str = "mz.sernic";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct Fixture {
    pub(crate) folder: PathBuf,
    pub(crate) node: RabbitNode,
    pub(crate) authority: SigningKey,
    pub(crate) trust: Arc<SharedTrust>,
    pub(crate) draft: TrustListDraft,
}

pub(crate) fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

fn now() -> Timestamp {
    Timestamp::system_now()
}

impl Fixture {
    pub(crate) async fn start(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let spec = NodeSpec {
            country: "mz".parse().expect("a country"),
            gateways: vec![GatewaySpec {
                name: "police".into(),
                agencies: ["mz.node", PRM, SENAMI].map(agency).into(),
            }],
            event_readers: Vec::new(),
            partners: Vec::new(),
        };
        let node = RabbitNode::start(&folder, RabbitOptions::new("outbox"), |_| {}).await.expect("a node");
        node.management().import(&definitions(&spec).expect("sound")).await.expect("imported");
        let authority = SigningKey::generate().expect("a key");
        let country = "mz".parse().expect("a country");
        let draft = TrustListDraft::create(country, *authority.public_key(), now());
        let pin = Pin::new(country, *authority.public_key());
        let store = TrustStore::new(TrustPolicy::default(), [pin]).expect("one pin");
        Self { folder, node, authority, trust: Arc::new(SharedTrust::new(store)), draft }
    }

    /// Puts an agency with a sealing key on the trust list.
    pub(crate) fn list(&mut self, code: &str) -> SealingKey {
        let names = BTreeMap::from([("en".to_owned(), code.to_owned())]);
        let (valid_from, accepts) = (now().minus(DAY), Accepts::this_build());
        let code = agency(code);
        let added = NewAgency {
            code: code.clone(),
            names,
            parent: None,
            valid_from,
            valid_until: None,
            may_send: Vec::new(),
            accepts,
        };
        self.draft.add_agency(added).expect("a new agency");
        self.add_key(&code)
    }

    /// Gives an agency another sealing key, valid from now on.
    pub(crate) fn rotate(&mut self, code: &str) -> SealingKey {
        self.add_key(&agency(code))
    }

    fn add_key(&mut self, code: &AgencyCode) -> SealingKey {
        let key = SealingKey::generate();
        let term = KeyTerm { not_before: now(), not_after: now().plus(30 * DAY) };
        self.draft.add_sealing_key(code, key.recipient().clone(), term).expect("listed");
        key
    }

    /// Signs the list as it stands and puts it in force.
    pub(crate) fn publish_list(&mut self) {
        let signed = self.draft.clone().sign(&self.authority, now(), now().plus(30 * DAY)).expect("signed");
        let json = signed.to_json();
        self.trust.offer(json.as_bytes(), now()).expect("newer");
        let pin = Pin::new("mz".parse().expect("a country"), *self.authority.public_key());
        self.draft = TrustListDraft::revise(&signed.verify(&pin).expect("holds"));
    }

    pub(crate) fn connect(&self, shutdown: &Shutdown) -> Broker {
        let identity = self.node.issue_client("gateway.police").expect("a certificate");
        let config = BrokerConfig {
            url: self.node.url(VHOST).expect("a URL"),
            ca_file: self.node.authority().ca_file(),
            cert_file: identity.cert_file,
            key_file: identity.key_file,
            server_name: None,
        };
        Broker::start(config, "outbox", shutdown).expect("a sound configuration")
    }

    pub(crate) async fn outbox(&self) -> Outbox {
        let url = rovuma_lab::postgres::test_store(&self.folder, "outbox").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect("opens");
        Outbox::new(store, OutboxSettings { tick_ms: 200, ..OutboxSettings::default() })
    }

    pub(crate) fn relay(&self, outbox: &Outbox, broker: &Broker, shutdown: &Shutdown) {
        let relay = Relay::new(outbox.clone(), broker.clone(), SystemClock::shared(), self.trust.clone());
        shutdown.spawn("relay", relay.run(shutdown.clone()));
    }

    pub(crate) async fn end(mut self) {
        self.node.stop().await;
        std::fs::remove_dir_all(&self.folder).expect("removed");
    }
}

/// Numbers, signs and puts in.
pub(crate) async fn put(outbox: &Outbox, key: &SigningKey, to: &str, message_type: MessageType) -> MessageId {
    let id = MessageId::draw(now());
    let payload = id.to_string().into_bytes();
    put_payload(outbox, key, to, (id, message_type), payload).await
}

/// Puts in what no bundle holds.
pub(crate) async fn put_too_large(outbox: &Outbox, key: &SigningKey, to: &str) -> MessageId {
    let message = (MessageId::draw(now()), MessageType::AlertIssue);
    put_payload(outbox, key, to, message, vec![b'x'; BUNDLE_BYTES_MAX]).await
}

async fn put_payload(
    outbox: &Outbox,
    key: &SigningKey,
    to: &str,
    (id, message_type): (MessageId, MessageType),
    payload: Vec<u8>,
) -> MessageId {
    let (own, to) = (outbox.clone(), agency(to));
    let jws = Jws::sign(Typ::MESSAGE, payload, key).expect("signed");
    let work = outbox.store().write(move |tx| {
        async move {
            let sender = agency(PRM);
            let position = if message_type.class().is_numbered() {
                Some(own.next_stream_position(tx, &sender, &to, Lane::Urgent).await?)
            } else {
                None
            };
            let (country, copies) =
                (to.country(), vec![OutgoingCopy { recipient: to, lane: Lane::Urgent, position }]);
            let outgoing = OutgoingMessage {
                id,
                message_type,
                sender,
                country,
                jws,
                created: now(),
                expires: None,
                copies,
            };
            own.enqueue(tx, &outgoing, now());
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    work.await.expect("put in");
    id
}

/// A bundle as its recipient finds it.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) routing_key: String,
    /// The messages' payloads: their ids.
    pub(crate) ids: Vec<String>,
}

/// Takes bundles out of the inbox and opens them with whatever key fits.
#[derive(Clone)]
pub(crate) struct Inbox {
    keys: Arc<Vec<SealingKey>>,
    arrived: Arc<watch::Sender<Vec<Arrived>>>,
}

impl Inbox {
    pub(crate) fn start(broker: &Broker, keys: Vec<SealingKey>) -> Self {
        let inbox = Self { keys: Arc::new(keys), arrived: Arc::new(watch::Sender::new(Vec::new())) };
        let batch = BatchLimits { max_messages: 16, max_bytes: 4 << 20, max_wait: Duration::from_millis(5) };
        let queue = names::inbox_queue("police", Lane::Urgent);
        broker.consume(ConsumerConfig { queue, prefetch: 16, batch }, inbox.clone());
        inbox
    }

    fn open(&self, delivery: &Delivery) -> Arrived {
        let keys: Vec<&SealingKey> = self.keys.iter().collect();
        let packed = open(&delivery.body, &keys, BUNDLE_PACKED_MAX).expect("sealed to one of the keys");
        let messages = Bundle::unpack(&packed, BUNDLE_FORMAT).expect("a bundle");
        let id = |jws: Jws| String::from_utf8(jws.unverified_payload().to_vec()).expect("an id");
        let ids = messages.into_iter().map(|jws| id(jws.expect("whole"))).collect();
        Arrived { routing_key: delivery.routing_key.clone(), ids }
    }

    /// Waits until what has arrived fulfils `wanted`.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&[Arrived]) -> bool) -> Vec<Arrived> {
        let mut arrived = self.arrived.subscribe();
        within(what, async { arrived.wait_for(|seen| wanted(seen)).await.expect("goes on").clone() }).await
    }

    /// Waits until a message with this id has arrived.
    pub(crate) async fn has(&self, id: MessageId) -> Vec<Arrived> {
        let text = id.to_string();
        self.until(&text, |seen| seen.iter().any(|bundle| bundle.ids.contains(&text))).await
    }
}

impl Handler for Inbox {
    async fn handle(&self, deliveries: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        let opened: Vec<Arrived> = deliveries.iter().map(|delivery| self.open(delivery)).collect();
        self.arrived.send_modify(|seen| seen.extend(opened));
        Ok(vec![Verdict::Accept; deliveries.len()])
    }
}

pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("not within a minute: {what}"))
}
