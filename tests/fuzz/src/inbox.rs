//! Target `inbox`: whole deliveries to a gateway, from the broker's bytes to the committed decision.
//!
//! The first byte chooses the form of the rest (bits 0 and 1), its signer (2 and 3), its lane (4 and 5) and its
//! recipient (6 and 7).

use std::{collections::BTreeMap, path::Path, sync::Arc};

use axum::Router;
use futures::future::{BoxFuture, FutureExt as _};
use rovuma_broker::{Delivery, Handler, TransientError, Verdict, topology::names};
use rovuma_envelope::{Bundle, Jws, SealingKey, SigningKey, Typ, seal};
use rovuma_gateway::{GatewayConfig, Standalone};
use rovuma_runtime::{Context, http::with_layers};
use rovuma_schemas::Lane;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{
    bundle,
    fixture::{agency, country},
    http::{FuzzRequest, send_ok},
    keys,
    services::{FixturePool, ServiceFixture, alert, common, configured, context, token_of, write_keys},
};

/// The rest is payloads, with a zero byte between them, signed and sealed here.
pub const PAYLOADS: u8 = 0;

/// The rest is the content of a bundle.
pub const CONTENT: u8 = 1;

/// The rest is a bundle.
pub const BUNDLE: u8 = 2;

/// The rest is the sealed delivery.
pub const SEALED: u8 = 3;

const SENDERS: [&str; 4] = ["tz.tpf", "tz.tisd", "tz.node", "mz.senami"];
const RECIPIENTS: [&str; 4] = ["mz.prm", "mz.senami", "mz.node", "mz.none"];

/// The officer who reads the inbox.
const READER: &str = "liaison_officer@mz.prm";

/// Maximum messages of one run. Each is signed here, which takes longer than reading it.
const PAYLOADS_MAX: usize = 4;

thread_local! {
    static FIXTURES: FixturePool<FuzzGateway> = FixturePool::new();
}

/// A gateway of `mz` that serves `mz.prm`, `mz.senami` and its node.
pub(crate) struct FuzzGateway {
    _context: Context,
    pub(crate) router: Router,
    inboxes: Vec<Arc<dyn AnyHandler>>,
    signers: Vec<SigningKey>,
    recipients: Vec<SealingKey>,
    /// The values that words in inputs stand for.
    pub(crate) words: Vec<(&'static str, String)>,
}

/// A [`Handler`] without its type.
trait AnyHandler {
    fn take(&self, delivery: Delivery) -> BoxFuture<'_, Result<Vec<Verdict>, TransientError>>;
}

impl<H: Handler> AnyHandler for H {
    fn take(&self, delivery: Delivery) -> BoxFuture<'_, Result<Vec<Verdict>, TransientError>> {
        self.handle(Arc::from([delivery])).boxed()
    }
}

/// Every delivery is decided, and stored messages can be read.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    FIXTURES.with(|fixtures| fixtures.run(|runtime, gateway| runtime.block_on(gateway.deliver(*mode, rest))));
}

impl ServiceFixture for FuzzGateway {
    fn open(runtime: &Runtime, folder: &Path) -> Self {
        runtime.block_on(Self::start(folder))
    }
}

impl FuzzGateway {
    async fn start(folder: &Path) -> Self {
        write_keys(folder);
        let context = context();
        let gateway = Standalone::open(&config(folder), &context).await.expect("the gateway opens");
        let inboxes = Lane::ALL.map(|lane| Arc::new(gateway.inbox(lane)) as Arc<dyn AnyHandler>).to_vec();
        let recipients =
            RECIPIENTS.map(|name| keys::sealing(if name == "mz.none" { "mz.prm" } else { name }));
        let mut started = Self {
            _context: context,
            router: with_layers(gateway.router()),
            inboxes,
            signers: SENDERS.map(keys::signing).into(),
            recipients: recipients.into(),
            words: Vec::new(),
        };
        started.settle().await;
        started
    }

    /// Fills the store: one received message, one sent one, one draft, and one draft that waits for a second person.
    async fn settle(&mut self) {
        self.deliver(0, &alert("tz.tpf", "mz.prm", 1)).await;
        let officer = token_of(READER);
        let inbox = send_ok(&self.router, officer.clone(), "GET /v1/inbox").await;
        let draft = include_str!("../../../schemas/examples/valid/alert-stolen-motorcycle.json");
        let person = include_str!("../../../schemas/examples/valid/alert-missing-person.json");
        let create = async |text: &str| {
            let text = format!("POST /v1/drafts\ncontent-type: application/json\n\n{text}");
            let made = send_ok(&self.router, officer.clone(), &text).await;
            made["id"].as_str().expect("an id").to_owned()
        };
        let (draft, submitted, sent) = (create(draft).await, create(person).await, create(draft).await);
        let post = async |path: String| send_ok(&self.router, officer.clone(), &format!("POST {path}")).await;
        post(format!("/v1/drafts/{submitted}/submit")).await;
        let second_person = token_of("supervisor@mz.prm");
        send_ok(&self.router, second_person, &format!("GET /v1/drafts/{submitted}")).await;
        // The received alert and the other draft are about the same motorcycle.
        let release = format!(
            "POST /v1/drafts/{sent}/release\ncontent-type: application/json\n\n{{\"despite_duplicates\": \"FUZZ\"}}"
        );
        let released = send_ok(&self.router, officer.clone(), &release).await;
        let jws = send_ok(&self.router, officer.clone(), &format!("GET /v1/messages/{sent}/jws")).await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        self.words = vec![
            ("{received}", text(&inbox["items"][0]["id"])),
            ("{draft}", draft),
            ("{submitted}", submitted),
            ("{sent}", sent),
            ("{digest}", text(&jws["messages"][0]["digest"])),
            ("{stream}", text(&released["copies"][0]["stream"])),
        ];
    }

    async fn deliver(&self, mode: u8, rest: &[u8]) {
        let place = |shift: u8| usize::from(mode >> shift & 3);
        let (sender, recipient) = (SENDERS[place(2)], place(6));
        let lane = Lane::ALL[place(4) % 3];
        let exchange = match agency(sender).country() {
            own if own == country("mz") => names::OUTBOUND.to_owned(),
            foreign => names::ingress_exchange(foreign),
        };
        let Some((body, payloads)) = self.body(mode, rest) else { return };
        let delivery = Delivery {
            exchange,
            routing_key: names::lane_key(&agency(RECIPIENTS[recipient]), lane),
            message_id: "fuzz".to_owned(),
            content_type: "application/octet-stream".to_owned(),
            headers: BTreeMap::new(),
            header_fault: None,
            redelivered: false,
            body,
        };
        let verdicts = self.inboxes[place(4) % 3].take(delivery).await.expect("the store takes it");
        assert!(matches!(verdicts[..], [Verdict::Accept]), "it could not be decided: {verdicts:?}");
        if let Some(last) = payloads.last() {
            self.read_back(last).await;
        }
    }

    /// The sealed delivery, and the payloads that were signed for it.
    fn body(&self, mode: u8, rest: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
        let sealed = |bundle: &[u8]| {
            let key = &self.recipients[usize::from(mode >> 6)];
            seal(bundle, key.recipient()).expect("anything can be sealed")
        };
        match mode & 3 {
            PAYLOADS => {
                let payloads = rest.split(|byte| *byte == 0).take(PAYLOADS_MAX).map(|part| self.filled(part));
                let payloads: Vec<Vec<u8>> = payloads.collect();
                let key = &self.signers[usize::from(mode >> 2 & 3)];
                let sign = |payload: &Vec<u8>| Jws::sign(Typ::MESSAGE, payload.clone(), key).expect("signed");
                let messages: Vec<Jws> = payloads.iter().map(sign).collect();
                Some((sealed(&Bundle::pack(&messages).ok()?), payloads))
            }
            CONTENT => Some((sealed(&bundle::frame(rest, true)), Vec::new())),
            BUNDLE => Some((sealed(rest), Vec::new())),
            _ => Some((rest.to_vec(), Vec::new())),
        }
    }

    fn filled(&self, payload: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(payload) else { return payload.to_vec() };
        let fill = |text: String, (word, value): &(&str, String)| text.replace(word, value);
        self.words.iter().fold(text.to_owned(), fill).into_bytes()
    }

    /// Reads the inbox and the message as an officer.
    async fn read_back(&self, payload: &[u8]) {
        let Ok(message) = serde_json::from_slice::<Value>(payload) else { return };
        let Some(id) = message["header"]["id"].as_str() else { return };
        for text in [format!("GET /v1/messages/{id}"), "GET /v1/inbox?limit=1".to_owned()] {
            let Some(asked) = FuzzRequest::read(text.as_bytes(), &[]) else { return };
            asked.clone().send(&self.router, token_of(READER)).await.check_api(&asked);
        }
    }
}

fn config(folder: &Path) -> GatewayConfig {
    let agencies = ["mz.prm", "mz.senami", "mz.node"].map(|code| {
        format!(
            "[[agency]]\ncode = \"{code}\"\nsigning_key_file = \"FOLDER/{code}.pem\"\n\
             sealing_key_files = [\"FOLDER/{code}.age\"]\n"
        )
    });
    let lists = ["mz", "tz"].map(|country| {
        format!(
            "{{ country = \"{country}\", file = \"FOLDER/{country}.trust.json\", \
             authority_file = \"FOLDER/{country}.authority.jwk\" }}"
        )
    });
    let toml = format!(
        "name = \"north\"\n{}\
         [audit]\nsource = \"mz.gateway\"\nkey_file = \"-\"\nrecipient_file = \"-\"\nack_key_file = \"-\"\n\
         [trust]\nlists = [{}]\n{}",
        common("gateway.db"),
        lists.join(", "),
        agencies.concat()
    );
    configured(folder, &toml)
}
