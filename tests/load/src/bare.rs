//! The bare relay: the speed of the two brokers and a shovel with one persistent message per recipient copy, without
//! the product.
//! It has a virtual host of its own on the product's nodes. Its shovel is the product's word for word, except where
//! it reads and writes.
//! where it reads and writes.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use rovuma_broker::{
    BatchLimits, Broker, BrokerConfig, Consumer, ConsumerConfig, ConsumerState, Delivery, Handler,
    Publication, TransientError, Verdict,
    topology::{self, names},
};
use rovuma_lab::{
    border::{Border, Nodes},
    certs::TlsIdentity,
    rabbit::RabbitNode,
};
use rovuma_runtime::Shutdown;
use rovuma_schemas::Lane;
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

/// The virtual host, the exchanges and the user; the queues are [`OUT`] and [`IN`].
const BARE: &str = "bare";
const OUT: &str = "bare.out";
const IN: &str = "bare.in";

/// Publications in flight. Each has a routing key of its own, all bound to the same queue, because the publisher
/// waits for the confirms of one key's publications together.
pub(crate) const IN_FLIGHT: u32 = 64;

/// Number of messages that the consumer may have unacknowledged: enough that it never waits for the broker.
const PREFETCH: u16 = 256;

/// When no message has arrived for this long, the rest are lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// The lane whose shovel and queues are copied: the lane of the example alert.
const LANE: Lane = Lane::Urgent;

/// The relay, ready for rounds.
pub(crate) struct Bare {
    publisher: Broker,
    /// Its connection is closed when this is dropped.
    _far: Broker,
    _consumer: Consumer,
    arrivals: Arc<Arrivals>,
    body: Vec<u8>,
    shutdown: Shutdown,
}

impl Bare {
    /// Declares the relay and connects to both ends. Every message will be `size_bytes` long.
    ///
    /// # Errors
    /// When a node refuses it.
    pub(crate) async fn prepare(border: &Border, nodes: &Nodes, size_bytes: usize) -> Result<Self> {
        declare(border, nodes).await?;
        let shutdown = Shutdown::new();
        let publisher = connect(&nodes.mz, "bare publisher", &shutdown)?;
        let far = connect(&nodes.tz, "bare consumer", &shutdown)?;
        let arrivals = Arc::new(Arrivals::default());
        let config = ConsumerConfig {
            queue: IN.to_owned(),
            prefetch: PREFETCH,
            batch: BatchLimits {
                max_messages: usize::from(PREFETCH) / 4,
                max_bytes: usize::MAX,
                max_wait: Duration::from_millis(1),
            },
        };
        let consumer = far.consume(config, Counting(Arc::clone(&arrivals)));
        if !publisher.connected().await || !consumer.reached(ConsumerState::Consuming).await {
            bail!("the bare relay has no broker");
        }
        Ok(Self {
            publisher,
            _far: far,
            _consumer: consumer,
            arrivals,
            body: vec![0xA5; size_bytes],
            shutdown,
        })
    }

    /// Moves `messages` messages. Returns the time from the first publish to the last that was consumed.
    ///
    /// # Errors
    /// When one is lost or arrives twice.
    pub(crate) async fn round(&self, messages: u32) -> Result<Duration> {
        self.arrivals.expect(messages);
        let next = AtomicU32::new(0);
        let started = Instant::now();
        let publishing = try_join_all((0..IN_FLIGHT).map(|key| self.publish(key, &next, messages)));
        let (published, arrived) = tokio::join!(publishing, self.arrivals.all(messages));
        published?;
        Ok(arrived? - started)
    }

    async fn publish(&self, key: u32, next: &AtomicU32, messages: u32) -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= messages {
                return Ok(());
            }
            let publication = Publication {
                exchange: BARE.to_owned(),
                routing_key: routing_key(key),
                message_id: Uuid::from_u128(u128::from(number)).to_string(),
                content_type: "application/octet-stream".to_owned(),
                headers: BTreeMap::new(),
                body: self.body.clone(),
            };
            self.publisher.publish(publication).await?;
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.shutdown.end();
    }
}

fn routing_key(key: u32) -> String {
    format!("key.{key}")
}

/// The messages of a round that have arrived.
#[derive(Default)]
struct Arrivals {
    state: Mutex<ArrivalState>,
    count: watch::Sender<u32>,
}

#[derive(Default)]
struct ArrivalState {
    seen: Vec<bool>,
    doubled: u32,
    last: Option<Instant>,
}

impl Arrivals {
    fn expect(&self, messages: u32) {
        let mut state = self.state();
        *state = ArrivalState { seen: vec![false; messages as usize], ..ArrivalState::default() };
        self.count.send_replace(0);
    }

    fn take(&self, batch: &[Delivery]) {
        let mut state = self.state();
        for delivery in batch {
            let number = Uuid::parse_str(&delivery.message_id).map_or(u128::MAX, |id| id.as_u128());
            let place = usize::try_from(number).ok().and_then(|number| state.seen.get_mut(number));
            match place {
                Some(seen @ false) => *seen = true,
                // A duplicate, or a message that this program did not publish.
                _ => state.doubled += 1,
            }
        }
        state.last = Some(Instant::now());
        self.count.send_modify(|count| *count += u32::try_from(batch.len()).unwrap_or(u32::MAX));
    }

    async fn all(&self, messages: u32) -> Result<Instant> {
        let mut count = self.count.subscribe();
        loop {
            let now = *count.borrow_and_update();
            if now >= messages {
                break;
            }
            if tokio::time::timeout(PATIENCE, count.changed()).await.is_err() {
                bail!("LOST {} messages of the bare relay: nothing more came", messages - now);
            }
        }
        let state = self.state();
        let lost = state.seen.iter().filter(|seen| !**seen).count();
        if lost > 0 || state.doubled > 0 {
            bail!("the bare relay LOST {lost} messages and DOUBLED {}", state.doubled);
        }
        state.last.context("a last message")
    }

    fn state(&self) -> std::sync::MutexGuard<'_, ArrivalState> {
        // Nobody who holds the lock can panic half-way, so a poisoned lock is still usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Counting(Arc<Arrivals>);

impl Handler for Counting {
    async fn handle(&self, batch: Arc<[Delivery]>) -> Result<Vec<Verdict>, TransientError> {
        self.0.take(&batch);
        Ok(vec![Verdict::Accept; batch.len()])
    }
}

fn connect(node: &RabbitNode, name: &str, shutdown: &Shutdown) -> Result<Broker> {
    let TlsIdentity { cert_file, key_file } = node.issue_client(BARE)?;
    let ca_file: PathBuf = node.authority().ca_file();
    let config = BrokerConfig { url: node.url(BARE)?, ca_file, cert_file, key_file, server_name: None };
    Ok(Broker::start(config, name, shutdown)?)
}

/// Declares both ends, and the product's own shovel between them.
async fn declare(border: &Border, nodes: &Nodes) -> Result<()> {
    let (link, _) = nodes.links()?;
    let (mz, tz) = (border.mz.plan().country, border.tz.plan().country);
    let product = topology::definitions(&border.mz.spec(std::slice::from_ref(&link)))?;
    let (shovel_user, link_user) = (names::shovel_user(tz), names::link_user(mz));
    let far = end(IN, &product, tz, &[(BARE, "^$", "^bare\\.in$"), (&link_user, "^bare$", "^$")])?;
    nodes.tz.management().import(&far).await?;
    let mut near = end(OUT, &product, tz, &[(BARE, "^bare$", "^$"), (&shovel_user, "^$", "^bare\\.out$")])?;
    nodes.mz.management().import(&near).await?;
    // The shovel comes last, because it needs both ends.
    near = json!({ "parameters": [shovel(&product, &names::link_queue(tz, LANE))?] });
    nodes.mz.management().import(&near).await
}

/// Declares one end: an exchange, and a queue with the arguments of the product's link queue.
fn end(
    queue: &str,
    product: &Value,
    partner: rovuma_schemas::CountryCode,
    users: &[(&str, &str, &str)],
) -> Result<Value> {
    let like = named(product, "queues", &names::link_queue(partner, LANE))?;
    let permission = |(user, write, read): &(&str, &str, &str)| json!({ "user": user, "vhost": BARE, "configure": "^$", "write": write, "read": read });
    let binding = |key| {
        json!({
            "source": BARE, "vhost": BARE, "destination": queue, "destination_type": "queue",
            "routing_key": routing_key(key), "arguments": {},
        })
    };
    Ok(json!({
        "vhosts": [{ "name": BARE }],
        // The user has no password, as the product's users: it logs in by certificate. The other users exist already.
        "users": [{
            "name": BARE, "password_hash": "", "hashing_algorithm": "rabbit_password_hashing_sha256",
            "tags": [], "limits": {},
        }],
        "permissions": users.iter().map(permission).collect::<Vec<_>>(),
        "exchanges": [{
            "name": BARE, "vhost": BARE, "type": "direct", "durable": true, "auto_delete": false,
            "internal": false, "arguments": {},
        }],
        "queues": [{
            "name": queue, "vhost": BARE, "durable": true, "auto_delete": false,
            "arguments": like["arguments"],
        }],
        "bindings": (0..IN_FLIGHT).map(binding).collect::<Vec<_>>(),
    }))
}

fn shovel(product: &Value, name: &str) -> Result<Value> {
    let mut shovel = named(product, "parameters", name)?.clone();
    let elsewhere = |uri: &Value| {
        uri.as_str()
            .map(|uri| uri.replace(&format!("/{}", topology::VHOST), &format!("/{BARE}")))
            .unwrap_or_default()
    };
    let value = &shovel["value"];
    let (source, target) = (elsewhere(&value["src-uri"]), elsewhere(&value["dest-uri"]));
    shovel["name"] = json!(BARE);
    shovel["vhost"] = json!(BARE);
    shovel["value"]["src-uri"] = json!(source);
    shovel["value"]["src-queue"] = json!(OUT);
    shovel["value"]["dest-uri"] = json!(target);
    shovel["value"]["dest-exchange"] = json!(BARE);
    Ok(shovel)
}

fn named<'d>(definitions: &'d Value, kind: &str, name: &str) -> Result<&'d Value> {
    let all = definitions[kind].as_array().with_context(|| format!("the topology has {kind}"))?;
    all.iter().find(|one| one["name"] == name).with_context(|| format!("{kind} has {name}"))
}
