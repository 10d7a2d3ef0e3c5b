//! The node, and how to be somebody there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use rovuma_broker::{
    BatchLimits, Broker, BrokerConfig, ConsumerConfig, Delivery, Handler, Publication, TransientError,
    Verdict,
    topology::{EventReaderSpec, GatewaySpec, LinkSpec, NodeSpec, PartnerSpec, VHOST, definitions},
};
use rovuma_lab::{
    certs::TlsIdentity,
    rabbit::{RabbitNode, RabbitOptions},
};
use rovuma_runtime::Shutdown;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// The gateways of the node, one a test that consumes; gateway `g` serves agency `mz.g`.
pub(crate) const GATEWAYS: [&str; 13] = [
    "police", "routed", "mixed", "ordered", "batched", "failing", "patient", "dead", "returned", "deleted",
    "stopped", "headers", "full",
];

static NODE: OnceCell<RabbitNode> = OnceCell::const_new();

/// The node, started by whoever needs it first. It ends with the process.
pub(crate) async fn node() -> &'static RabbitNode {
    NODE.get_or_init(|| async {
        let node = RabbitNode::start(&fresh_folder(), RabbitOptions::new("broker"), |_| {}).await;
        let node = node.expect("a node");
        node.management().import(&definitions(&spec()).expect("sound")).await.expect("imported");
        node
    })
    .await
}

/// A folder of this process; those of processes that have ended are removed.
fn fresh_folder() -> PathBuf {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broker-node");
    for old in fs::read_dir(&base).into_iter().flatten().flatten() {
        let owner = old.file_name().to_string_lossy().into_owned();
        if !Path::new("/proc").join(owner).exists() {
            let _ = fs::remove_dir_all(old.path());
        }
    }
    base.join(std::process::id().to_string())
}

pub(crate) fn spec() -> NodeSpec {
    let mut gateways: Vec<GatewaySpec> = GATEWAYS.map(gateway).into();
    gateways[0].agencies.push("mz.node".parse().expect("an agency"));
    let reader = EventReaderSpec { name: "desk".into(), agency: "mz.police".parse().expect("an agency") };
    NodeSpec {
        country: "mz".parse().expect("a country"),
        gateways,
        event_readers: vec![reader],
        partners: vec![partner("tz"), partner("ke")],
    }
}

fn gateway(name: &str) -> GatewaySpec {
    GatewaySpec { name: name.into(), agencies: vec![format!("mz.{name}").parse().expect("an agency")] }
}

/// A partner whose broker is not there: its link waits.
fn partner(country: &str) -> PartnerSpec {
    let file = PathBuf::from("/nonexistent.pem");
    let (ca_file, cert_file, key_file) = (file.clone(), file.clone(), file);
    let link = LinkSpec { host: "localhost".into(), port: 1, ca_file, cert_file, key_file };
    PartnerSpec { country: country.parse().expect("a country"), link }
}

/// The certificate of `user`, issued once: issuing writes its files anew, and another test may be reading them.
fn identity(node: &RabbitNode, user: &str) -> TlsIdentity {
    static ISSUED: Mutex<BTreeMap<String, TlsIdentity>> = Mutex::new(BTreeMap::new());
    let mut issued = ISSUED.lock().expect("unpoisoned");
    let issue = || node.issue_client(user).expect("a certificate");
    issued.entry(user.to_owned()).or_insert_with(issue).clone()
}

pub(crate) async fn config(user: &str) -> BrokerConfig {
    let node = node().await;
    let identity = identity(node, user);
    BrokerConfig {
        url: node.url(VHOST).expect("a URL"),
        ca_file: node.authority().ca_file(),
        cert_file: identity.cert_file,
        key_file: identity.key_file,
        server_name: None,
    }
}

/// A connected broker as `user`.
pub(crate) async fn broker(user: &str) -> Broker {
    let broker = Broker::start(config(user).await, user, &Shutdown::new()).expect("a sound configuration");
    assert!(broker.connected().await);
    broker
}

pub(crate) fn publication(exchange: &str, routing_key: &str, message_id: &str) -> Publication {
    Publication {
        exchange: exchange.into(),
        routing_key: routing_key.into(),
        message_id: message_id.into(),
        content_type: "application/octet-stream".into(),
        headers: BTreeMap::new(),
        body: message_id.as_bytes().to_vec(),
    }
}

pub(crate) fn consumer(queue: &str) -> ConsumerConfig {
    let batch = BatchLimits { max_messages: 4, max_bytes: 1 << 20, max_wait: Duration::from_millis(20) };
    ConsumerConfig { queue: queue.into(), prefetch: 16, batch }
}

/// What one call of the handler is to answer.
pub(crate) type Answer = fn(&Delivery) -> Result<Verdict, ()>;

/// Keeps every batch it was handed, and answers as told.
#[derive(Clone)]
pub(crate) struct Keeper {
    batches: Arc<Mutex<Vec<Arc<[Delivery]>>>>,
    changed: Arc<tokio::sync::Notify>,
    answers: Arc<Mutex<Vec<Answer>>>,
    patience: Duration,
}

impl Keeper {
    /// Accepts everything.
    pub(crate) fn accepting() -> Self {
        Self::answering(Vec::new())
    }

    /// Takes these answers first, the last of them first, then accepts everything.
    pub(crate) fn answering(answers: Vec<Answer>) -> Self {
        Self::impatient(answers, Duration::from_secs(60))
    }

    /// As [`Keeper::answering`], giving a batch back when it fails for as long as this.
    pub(crate) fn impatient(answers: Vec<Answer>, patience: Duration) -> Self {
        let answers = Arc::new(Mutex::new(answers));
        Self { batches: Arc::default(), changed: Arc::default(), answers, patience }
    }

    pub(crate) fn batches(&self) -> Vec<Arc<[Delivery]>> {
        self.batches.lock().expect("unpoisoned").clone()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.batches().iter().flat_map(|batch| batch.iter().map(|one| one.message_id.clone())).collect()
    }

    /// Waits until what was handed over fulfils `wanted`.
    pub(crate) async fn until(&self, wanted: impl Fn(&[Arc<[Delivery]>]) -> bool) {
        let seen = async {
            loop {
                let changed = self.changed.notified();
                if wanted(&self.batches()) {
                    break;
                }
                changed.await;
            }
        };
        within(seen).await;
    }
}

impl Handler for Keeper {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        self.batches.lock().expect("unpoisoned").push(Arc::clone(&batch));
        self.changed.notify_waiters();
        let answer = self.answers.lock().expect("unpoisoned").pop().unwrap_or(|_| Ok(Verdict::Accept));
        batch.iter().map(answer).collect::<Result<_, ()>>().map_err(|()| TransientError::new("as told"))
    }

    fn retry_limit(&self) -> Duration {
        self.patience
    }
}

/// Waits, but not for ever.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("within a minute")
}

/// Waits until `condition` gives something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(condition: impl Fn() -> F) -> T {
    within(async {
        loop {
            if let Some(found) = condition().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await
}

/// The messages in a queue, left there.
pub(crate) async fn peek(queue: &str) -> Vec<Value> {
    let path = format!("/queues/{VHOST}/{queue}/get");
    let ask = json!({ "count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto" });
    let answer = node().await.management().post(&path, &ask).await.expect("a list");
    answer.as_array().expect("a list").clone()
}

/// The message of that id in the quarantine, once it is there.
pub(crate) async fn quarantined(message_id: &str) -> Value {
    eventually(|| async {
        peek("quarantine").await.into_iter().find(|one| one["properties"]["message_id"] == message_id)
    })
    .await
}
