//! The service on a real broker, with the trail of a gateway as its source: every event recorded there reaches the log,
//! however often either of them, or the broker, goes away meanwhile.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::Duration,
};

use rovuma_audit::{Audit, AuditConfig};
use rovuma_broker::{
    Broker, BrokerConfig, Publication,
    topology::{GatewaySpec, NodeSpec, VHOST, definitions, names},
};
use rovuma_envelope::{SealingKey, Signer, SigningKey};
use rovuma_lab::rabbit::{FIRST_FREE_PLACE, RabbitNode, RabbitOptions};
use rovuma_runtime::{Context, Service, Shutdown, SystemClock};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt, Store, StoreConfig};
use rovuma_tokens::{AccessClaims, JwkSet, TokenKey};
use rovuma_trail::{AuditRecord, MIGRATIONS, Shipper, ShipperKeys, ShipperSettings, Trail};
use serde_json::Value;

const SOURCE: &str = "mz.gateway.police";
const ISSUER: &str = "https://identity.example";

/// A country with a broker, the keys of the audit service and of one gateway, and an issuer of tokens.
struct Fixture {
    folder: PathBuf,
    node: RabbitNode,
    gateway: Arc<SigningKey>,
    sealing: SealingKey,
    audit: SigningKey,
    issuer: TokenKey,
}

impl Fixture {
    async fn start() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("audit-{}", std::process::id()));
        let node = RabbitNode::start(&folder, RabbitOptions::new("audit"), |_| {}).await.expect("a node");
        node.management().import(&topology()).await.expect("imported");
        let pem = SigningKey::generate_pem().expect("a key");
        let audit = SigningKey::from_pkcs8_pem(&pem).expect("a key");
        let gateway = Arc::new(SigningKey::generate().expect("a key"));
        let (sealing, issuer) = (SealingKey::generate(), TokenKey::generate().expect("a key"));
        let private = |name: &str, text: &str| {
            rovuma_lab::certs::write_private(&folder.join(name), text).expect("written");
        };
        private("signing.pem", &pem);
        private("sealing.txt", &sealing.to_text());
        private("log.pem", &SigningKey::generate_pem().expect("a key"));
        private("payload.txt", &SealingKey::generate().to_text());
        private("gateway.jwk", &gateway.public_key().to_jwk());
        let keys = JwkSet { keys: vec![issuer.public().clone()] };
        private("jwks.json", &serde_json::to_string(&keys).expect("serialises"));
        Self { folder, node, gateway, sealing, audit, issuer }
    }

    fn port(&self) -> u16 {
        self.node.ports().port(FIRST_FREE_PLACE).expect("within the block")
    }

    fn broker_config(&self, user: &str) -> BrokerConfig {
        let identity = self.node.issue_client(user).expect("a certificate");
        BrokerConfig {
            url: self.node.url(VHOST).expect("a URL"),
            ca_file: self.node.authority().ca_file(),
            cert_file: identity.cert_file,
            key_file: identity.key_file,
            server_name: None,
        }
    }

    /// The configuration as an operator writes it.
    fn config(&self) -> AuditConfig {
        let broker = self.broker_config("audit");
        let path = |name: &str| self.folder.join(name).display().to_string();
        let text = format!(
            "country = \"mz\"\n\
             [store]\nurl = \"{}\"\n\
             [broker]\nurl = \"{}\"\nca_file = \"{}\"\ncert_file = \"{}\"\nkey_file = \"{}\"\n\
             [http]\nlisten = \"127.0.0.1:{}\"\n\
             [[tokens.issuers]]\nissuer = \"{ISSUER}\"\naudience = \"rovuma\"\njwks_file = \"{}\"\n\
             [keys]\nsigning_key_file = \"{}\"\nsealing_key_files = [\"{}\"]\n\
             log_key_file = \"{}\"\npayload_key_file = \"{}\"\n\
             [publish]\nfolder = \"{}\"\n\
             [[producer]]\nsource = \"{SOURCE}\"\nkey_files = [\"{}\"]\n",
            rovuma_lab::postgres::test_store(&self.folder, "log").expect("a store"),
            broker.url,
            broker.ca_file.display(),
            broker.cert_file.display(),
            broker.key_file.display(),
            self.port(),
            path("jwks.json"),
            path("signing.pem"),
            path("sealing.txt"),
            path("log.pem"),
            path("payload.txt"),
            path("audit-log"),
            path("gateway.jwk"),
        );
        let file = self.folder.join("audit.toml");
        std::fs::write(&file, text).expect("written");
        rovuma_runtime::config::load_with_env(Some(&file), std::collections::HashMap::new()).expect("sound").0
    }

    /// Starts the service; it ends when the returned context shuts down.
    async fn start_audit(&self) -> Context {
        let context = Context::new(SystemClock::shared());
        Audit::start(self.config(), &context).await.expect("starts");
        context
    }

    async fn start_trail(&self, shutdown: &Shutdown) -> (Trail, Broker) {
        let url = rovuma_lab::postgres::test_store(&self.folder, "gateway").expect("a store");
        let store = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect("opens");
        let trail = Trail::new(store, SOURCE);
        let broker =
            Broker::start(self.broker_config("gateway.police"), "gateway", shutdown).expect("a broker");
        let keys = ShipperKeys {
            signer: Arc::clone(&self.gateway) as Arc<dyn Signer>,
            recipient: self.sealing.recipient().clone(),
            acknowledger: *self.audit.public_key(),
        };
        let settings = ShipperSettings { resend_first_ms: 500, resend_max_ms: 2000 };
        let clock = SystemClock::shared();
        let shipper = Shipper::with_settings(trail.clone(), broker.clone(), clock, keys, settings);
        shutdown.spawn("shipper", shipper.run(shutdown.clone()));
        (trail, broker)
    }

    /// `GET path` as the national auditor.
    async fn get(&self, path: &str) -> Value {
        static PROVIDER: Once = Once::new();
        // An error says that there is one already.
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let url = format!("http://127.0.0.1:{}{path}", self.port());
        let request = reqwest::Client::new().get(url).bearer_auth(self.token()).send();
        let response = request.await.expect("answered").error_for_status().expect("a success");
        response.json().await.expect("JSON")
    }

    fn token(&self) -> String {
        let now = Timestamp::system_now();
        let claims = AccessClaims {
            issuer: ISSUER.to_owned(),
            subject: "auditor-0".to_owned(),
            audience: "rovuma".to_owned(),
            client_id: "console".to_owned(),
            id: "1".to_owned(),
            issued_at: now,
            expires: now.plus(Duration::from_secs(600)),
            agency: "mz.node".parse().expect("an agency"),
            roles: vec!["auditor".to_owned()],
            session: None,
            name: None,
            scope: None,
        };
        self.issuer.mint_access(&claims).expect("signed")
    }
}

fn topology() -> Value {
    let agencies = ["mz.node", "mz.prm"].map(|code| code.parse().expect("an agency")).into();
    let spec = NodeSpec {
        country: "mz".parse().expect("a country"),
        gateways: vec![GatewaySpec { name: "police".into(), agencies }],
        event_readers: Vec::new(),
        partners: Vec::new(),
    };
    definitions(&spec).expect("sound")
}

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(90);
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("not within 90 s: {what}"))
}

async fn record(trail: &Trail, count: u32) {
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

async fn cleared(what: &str, trail: &Trail) {
    within(what, trail.until_acknowledged()).await.expect("cleared");
}

/// Ends a service in order, as a signal does.
async fn stop(context: &Context) {
    context.shutdown.begin();
    assert!(context.shutdown.drained().await, "still running: {:?}", context.shutdown.still_running());
    assert!(!context.shutdown.has_failed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_source_records_is_found_whoever_goes_away_meanwhile() {
    let mut fixture = Fixture::start().await;
    let gateway = Shutdown::new();
    let (trail, broker) = fixture.start_trail(&gateway).await;

    // Recorded while there is no audit service: the trail keeps it, and the service stores and acknowledges it later.
    record(&trail, 300).await;
    let audit = fixture.start_audit().await;
    cleared("the first events", &trail).await;
    stop(&audit).await;
    record(&trail, 300).await;

    // A second run of the service goes on with the same log, and the broker dies once.
    let audit = fixture.start_audit().await;
    cleared("the events of the pause", &trail).await;
    fixture.node.kill();
    record(&trail, 100).await;
    fixture.node.restart(|_| {}).await.expect("restarts");
    cleared("the events of the outage", &trail).await;

    // A delivery that is no batch goes to the quarantine, and later deliveries are handled.
    let garbage = Publication {
        exchange: names::AUDIT.to_owned(),
        routing_key: names::audit_event_key(SOURCE),
        message_id: "garbage".to_owned(),
        content_type: String::new(),
        headers: std::collections::BTreeMap::new(),
        body: b"not a batch".to_vec(),
    };
    broker.publish(garbage).await.expect("confirmed");
    record(&trail, 1).await;
    cleared("the event after the garbage", &trail).await;

    let state = fixture.get("/v1/sources").await;
    let sources = state["sources"].as_array().expect("sources");
    let source = sources.iter().find(|source| source["source"] == SOURCE).expect("the gateway");
    assert_eq!(source["epochs"][0]["last_sequence"], 701);
    assert_eq!(source["epochs"][0]["epoch"], trail.store().identity().to_string());
    assert!(source["epochs"][0]["missing"].is_null(), "{source}");
    assert_eq!(state["quarantine"][0]["reason"], "sealed");

    let newest = fixture.get("/v1/events?actor=officer-7&object_kind=message&limit=1").await;
    assert_eq!(newest["items"][0]["event"]["sequence"], 701);
    let path = format!("/v1/events/{SOURCE}/{}/1", trail.store().identity());
    assert_eq!(fixture.get(&path).await["entry"]["event"]["action"], "message.read");
    let stops = fixture.get("/v1/events?source=mz.audit&action=service.stop").await;
    assert_eq!(stops["items"].as_array().map(Vec::len), Some(1), "the first run ended in order");

    stop(&audit).await;
    gateway.begin();
    assert!(gateway.drained().await, "the gateway ends");
    fixture.node.stop().await;
    std::fs::remove_dir_all(&fixture.folder).expect("removed");
}
