//! A broker that is killed, restarted, or short of disk: what was confirmed is there, and everybody comes back.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use rovuma_broker::{
    BatchLimits, Broker, BrokerConfig, BrokerState, ConsumerConfig, Delivery, Handler, Publication,
    TransientError, Verdict,
    topology::{GatewaySpec, NodeSpec, VHOST, definitions},
};
use rovuma_lab::rabbit::{RabbitNode, RabbitOptions};
use rovuma_runtime::Shutdown;
use tokio::sync::watch;

fn spec() -> NodeSpec {
    let agencies = ["mz.node", "mz.prm"].map(|code| code.parse().expect("an agency")).into();
    NodeSpec {
        country: "mz".parse().expect("a country"),
        gateways: vec![GatewaySpec { name: "police".into(), agencies }],
        event_readers: Vec::new(),
        partners: Vec::new(),
    }
}

async fn start(folder: &Path, options: RabbitOptions) -> RabbitNode {
    let node = RabbitNode::start(folder, options, |_| {}).await.expect("a node");
    node.management().import(&definitions(&spec()).expect("sound")).await.expect("imported");
    node
}

fn connect(node: &RabbitNode) -> Broker {
    let identity = node.issue_client("gateway.police").expect("a certificate");
    let config = BrokerConfig {
        url: node.url(VHOST).expect("a URL"),
        ca_file: node.authority().ca_file(),
        cert_file: identity.cert_file,
        key_file: identity.key_file,
        server_name: None,
    };
    Broker::start(config, "outage", &Shutdown::new()).expect("a sound configuration")
}

fn publication(id: &str) -> Publication {
    Publication {
        exchange: "outbound".into(),
        routing_key: "mz.prm.normal".into(),
        message_id: id.into(),
        content_type: String::new(),
        headers: BTreeMap::new(),
        body: vec![0; 512],
    }
}

fn inbox() -> ConsumerConfig {
    let batch = BatchLimits { max_messages: 32, max_bytes: 1 << 20, max_wait: Duration::from_millis(5) };
    ConsumerConfig { queue: "inbox.police.normal".into(), prefetch: 64, batch }
}

/// Keeps the ids of what it took, as a store would.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<BTreeSet<String>>>, Arc<tokio::sync::Notify>);

impl Handler for Store {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        self.0.lock().expect("unpoisoned").extend(batch.iter().map(|one| one.message_id.clone()));
        self.1.notify_waiters();
        Ok(vec![Verdict::Accept; batch.len()])
    }
}

impl Store {
    /// Waits until so many more have come than were there when asked.
    async fn until_more_by(&self, count: usize) {
        let before = self.0.lock().expect("unpoisoned").len();
        loop {
            let changed = self.1.notified();
            if self.0.lock().expect("unpoisoned").len() >= before + count {
                return;
            }
            changed.await;
        }
    }

    async fn until_it_holds(&self, ids: &BTreeSet<String>) {
        loop {
            let changed = self.1.notified();
            if ids.is_subset(&self.0.lock().expect("unpoisoned")) {
                return;
            }
            changed.await;
        }
    }
}

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(240), work).await {
        Ok(done) => done,
        Err(_) => panic!("not within four minutes: {what}"),
    }
}

/// Publishes one message after the other until told to stop; returns those that were confirmed.
async fn publish_until(broker: Broker, publisher: usize, stop: watch::Receiver<bool>) -> BTreeSet<String> {
    let mut confirmed = BTreeSet::new();
    for number in 0.. {
        if *stop.borrow() {
            break;
        }
        let id = format!("{publisher}-{number}");
        match broker.publish(publication(&id)).await {
            Ok(()) => drop(confirmed.insert(id)),
            Err(failure) => assert!(failure.is_transient(), "{failure}"),
        }
    }
    confirmed
}

async fn reached(broker: &Broker, wanted: BrokerState) {
    let mut state = broker.state();
    while state != wanted {
        state = broker.state_after(state).await;
    }
}

#[tokio::test]
async fn what_was_confirmed_survives_kills_and_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = start(folder.path(), RabbitOptions::new("outage")).await;
    let broker = connect(&node);
    let store = Store::default();
    broker.consume(inbox(), store.clone());
    let (stop, stopped) = watch::channel(false);
    let publishers: Vec<_> =
        (0..8).map(|one| tokio::spawn(publish_until(broker.clone(), one, stopped.clone()))).collect();

    for kill in [true, false] {
        within("a hundred more before the outage", store.until_more_by(100)).await;
        if kill {
            node.kill();
        } else {
            node.stop().await;
        }
        within("the loss is noticed", reached(&broker, BrokerState::Connecting)).await;
        node.restart(|_| {}).await.expect("started again");
    }
    // Publishers and consumer have come back by themselves.
    within("a hundred more after both outages", store.until_more_by(100)).await;
    stop.send_replace(true);
    let mut confirmed = BTreeSet::new();
    for publisher in publishers {
        confirmed.extend(within("a publisher ends", publisher).await.expect("no panic"));
    }
    within("everything confirmed is consumed", store.until_it_holds(&confirmed)).await;
    node.stop().await;
}

#[tokio::test]
async fn a_broker_short_of_disk_is_seen_and_what_it_holds_is_still_consumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut node = start(folder.path(), RabbitOptions::new("disk")).await;
    let broker = connect(&node);
    broker.publish(publication("1")).await.expect("confirmed");
    node.limit_free_disk(u64::MAX / 2).await.expect("limited");

    let waiting = tokio::spawn({
        let broker = broker.clone();
        async move { broker.publish(publication("2")).await }
    });
    within("blocked", reached(&broker, BrokerState::Blocked)).await;
    let store = Store::default();
    broker.consume(inbox(), store.clone());
    within("the first is consumed", store.until_it_holds(&BTreeSet::from(["1".to_owned()]))).await;

    node.limit_free_disk(1 << 20).await.expect("freed");
    within("no longer blocked", reached(&broker, BrokerState::Connected)).await;
    within("the waiting publish", waiting).await.expect("no panic").expect("confirmed once there is room");
    within("both are consumed", store.until_it_holds(&BTreeSet::from(["1".to_owned(), "2".to_owned()])))
        .await;
    node.stop().await;
}
