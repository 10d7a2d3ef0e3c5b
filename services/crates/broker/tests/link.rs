//! Two nodes and the link between them, as `rovumactl broker apply` makes it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use rovuma_broker::{
    BatchLimits, Broker, BrokerConfig, ConsumerConfig, Delivery, Handler, Publication, TransientError,
    Verdict, raw,
    topology::{GatewaySpec, LinkSpec, NodeSpec, PartnerSpec, VHOST, definitions, diff, names},
};
use rovuma_lab::{
    certs::PendingTlsIdentity,
    rabbit::{RabbitNode, RabbitOptions},
};
use rovuma_runtime::Shutdown;
use rovuma_schemas::{CountryCode, Lane};
use serde_json::Value;

fn country(code: &str) -> CountryCode {
    code.parse().expect("a country")
}

/// The specification of `near`, whose partner is `far`: the far country certifies a key that stays here.
fn spec(near: &RabbitNode, near_code: &str, far: &RabbitNode, far_code: &str) -> NodeSpec {
    let folder = near.authority().ca_file().with_file_name("partner");
    let pending = PendingTlsIdentity::new(&folder, "link").expect("a key");
    let user = names::link_user(country(near_code));
    let identity = far.authority().issue_client_to(&user, &pending).expect("certified");
    let link = LinkSpec {
        host: "localhost".into(),
        port: far.amqps_port().expect("a port"),
        ca_file: far.authority().ca_file(),
        cert_file: identity.cert_file,
        key_file: identity.key_file,
    };
    let agencies = ["node", "prm"].map(|name| format!("{near_code}.{name}").parse().expect("an agency"));
    NodeSpec {
        country: country(near_code),
        gateways: vec![GatewaySpec { name: "police".into(), agencies: agencies.into() }],
        event_readers: Vec::new(),
        partners: vec![PartnerSpec { country: country(far_code), link }],
    }
}

fn config(node: &RabbitNode) -> BrokerConfig {
    let identity = node.issue_client("gateway.police").expect("a certificate");
    BrokerConfig {
        url: node.url(VHOST).expect("a URL"),
        ca_file: node.authority().ca_file(),
        cert_file: identity.cert_file,
        key_file: identity.key_file,
        server_name: None,
    }
}

fn connect(node: &RabbitNode) -> Broker {
    Broker::start(config(node), "link", &Shutdown::new()).expect("a sound configuration")
}

fn publication(key: &str, message_id: &str) -> Publication {
    Publication {
        exchange: names::OUTBOUND.into(),
        routing_key: key.into(),
        message_id: message_id.into(),
        content_type: "application/octet-stream".into(),
        headers: BTreeMap::from([("traceparent".to_owned(), "00-ab-cd-01".to_owned())]),
        body: vec![7; 2000],
    }
}

#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<Delivery>>>, Arc<tokio::sync::Notify>);

impl Handler for Inbox {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        self.0.lock().expect("unpoisoned").extend(batch.iter().cloned());
        self.1.notify_waiters();
        Ok(vec![Verdict::Accept; batch.len()])
    }
}

impl Inbox {
    fn of(broker: &Broker) -> Self {
        let inbox = Self::default();
        for lane in Lane::ALL {
            let batch =
                BatchLimits { max_messages: 8, max_bytes: 1 << 20, max_wait: Duration::from_millis(5) };
            let queue = names::inbox_queue("police", lane);
            broker.consume(ConsumerConfig { queue, prefetch: 8, batch }, inbox.clone());
        }
        inbox
    }

    async fn holding(&self, count: usize) -> Vec<Delivery> {
        within(async {
            loop {
                let changed = self.1.notified();
                let held = self.0.lock().expect("unpoisoned").clone();
                if held.len() >= count {
                    return held;
                }
                changed.await;
            }
        })
        .await
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), work).await.expect("within two minutes")
}

/// What differs after applying, which is nothing.
async fn apply(node: &RabbitNode, spec: &NodeSpec) -> Vec<String> {
    let desired = definitions(spec).expect("sound");
    node.management().import(&desired).await.expect("imported");
    let actual = node.management().definitions().await.expect("exported");
    diff(&desired, &actual, &[node.admin().0]).iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn messages_cross_in_both_directions_and_their_origin_shows_in_the_exchange() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |name: &str| {
        let (folder, options) = (folder.path().join(name), RabbitOptions::new(name));
        async move { RabbitNode::start(&folder, options, |_| {}).await.expect("a node") }
    };
    let (mut mz, mut tz) = tokio::join!(start("mz"), start("tz"));
    let (mz_spec, tz_spec) = (spec(&mz, "mz", &tz, "tz"), spec(&tz, "tz", &mz, "mz"));
    assert_eq!(apply(&mz, &mz_spec).await, [""; 0]);
    assert_eq!(apply(&tz, &tz_spec).await, [""; 0]);

    let (mz_broker, tz_broker) = (connect(&mz), connect(&tz));
    let (mz_inbox, tz_inbox) = (Inbox::of(&mz_broker), Inbox::of(&tz_broker));
    for (broker, code) in [(&mz_broker, "tz"), (&tz_broker, "mz")] {
        for lane in Lane::ALL {
            let sent = publication(&format!("{code}.prm.{lane}"), &format!("to-{code}-{lane}"));
            broker.publish(sent).await.expect("confirmed");
        }
    }
    for (inbox, own, other) in [(&mz_inbox, "mz", "tz"), (&tz_inbox, "tz", "mz")] {
        let mut received = inbox.holding(3).await;
        received.sort_by(|one, two| one.routing_key.cmp(&two.routing_key));
        let keys: Vec<_> = received.iter().map(|one| one.routing_key.clone()).collect();
        assert_eq!(keys, ["bulk", "normal", "urgent"].map(|lane| format!("{own}.prm.{lane}")));
        for one in &received {
            assert_eq!(names::ingress_country(&one.exchange), Some(country(other)), "{}", one.exchange);
            assert_eq!(one.body, publication("", "").body);
            assert_eq!(one.headers["traceparent"], "00-ab-cd-01");
        }
    }

    // What nobody there takes is not lost: it waits in the far quarantine, with the link's own user instead of
    // ours, which the far broker would refuse.
    publish_with_user_id(&mz, "tz.nobody.urgent", "astray").await;
    let found = quarantined(&tz, "astray").await;
    assert_eq!(found["properties"]["user_id"], "link.mz");
    assert_eq!(found["properties"]["delivery_mode"], 2);

    // The line goes down, messages wait, and cross when it is up again.
    tz.kill();
    mz_broker.publish(publication("tz.prm.urgent", "waited")).await.expect("confirmed at home");
    tz.restart(|_| {}).await.expect("started again");
    let received = tz_inbox.holding(4).await;
    assert_eq!(received[3].message_id, "waited");
    mz.stop().await;
    tz.stop().await;
}

/// Publishes with the `user_id` property, which [`Broker`] does not set.
async fn publish_with_user_id(node: &RabbitNode, key: &str, message_id: &str) {
    let connection = raw::connect(&config(node)).await.expect("connected");
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirming");
    let properties = BasicProperties::default()
        .with_message_id(message_id.into())
        .with_user_id("gateway.police".into())
        .with_delivery_mode(2);
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let sent = channel.basic_publish("outbound".into(), key.into(), options, b"sealed", properties).await;
    let confirmation = sent.expect("sent").await.expect("confirmed");
    assert!(confirmation.is_ack() && confirmation.take_message().is_none(), "not taken");
}

async fn quarantined(node: &RabbitNode, message_id: &str) -> Value {
    let ask = serde_json::json!({ "count": 100, "ackmode": "ack_requeue_true", "encoding": "auto" });
    let path = format!("/queues/{VHOST}/quarantine/get");
    within(async {
        loop {
            let answer = node.management().post(&path, &ask).await.expect("a list");
            let list = answer.as_array().expect("a list").clone();
            if let Some(found) = list.into_iter().find(|one| one["properties"]["message_id"] == message_id) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
}
