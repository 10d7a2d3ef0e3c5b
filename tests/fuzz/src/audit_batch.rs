//! Target `audit_batch`: deliveries to the audit service. The first byte chooses the form of the rest.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use axum::Router;
use futures::future::{BoxFuture, FutureExt as _};
use rovuma_audit::{AuditConfig, Standalone};
use rovuma_broker::{Delivery, Handler, Verdict, topology::names};
use rovuma_envelope::{Jws, SealingKey, SigningKey, Typ, digest, seal};
use rovuma_runtime::{Context, http::with_layers};
use rovuma_schemas::{Digest, audit::FIRST_PREVIOUS};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    http::send_ok,
    keys,
    services::{FixturePool, ServiceFixture, common, configured, context, token_of, write_keys},
};

/// The rest is the sealed delivery.
pub const SEALED: u8 = 0;

/// The rest is the text to seal.
pub const TEXT: u8 = 1;

/// The rest is the payload that the source signs.
pub const PAYLOAD: u8 = 2;

/// The rest is a batch whose events are objects. Those whose `previous` is `{previous}` are chained to the event
/// before.
pub const CHAINED: u8 = 3;

/// The source that writes the events.
const SOURCE: &str = "mz.gateway";

/// The reader of the whole log.
const READER: &str = "auditor@mz.node";

thread_local! {
    static FIXTURES: FixturePool<FuzzAuditLog> = FixturePool::new();
}

/// The log of `mz`, with one source.
pub(crate) struct FuzzAuditLog {
    _context: Context,
    config: AuditConfig,
    pub(crate) router: Router,
    intake: Box<dyn AnyIntake>,
    signer: SigningKey,
    key: SealingKey,
    /// The values that words in inputs stand for.
    pub(crate) words: Vec<(&'static str, String)>,
}

/// The intake without its type: returns whether it accepted the delivery.
trait AnyIntake {
    fn take(&self, delivery: Delivery) -> BoxFuture<'_, bool>;
}

impl<H: Handler> AnyIntake for H {
    fn take(&self, delivery: Delivery) -> BoxFuture<'_, bool> {
        let taken = self.handle(Arc::from([delivery]));
        async { matches!(taken.await.expect("the store takes it")[..], [Verdict::Accept]) }.boxed()
    }
}

/// Every delivery is accepted or set aside, stored events can be read, and the log holds when it is opened again.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    FIXTURES.with(|fixtures| fixtures.run(|runtime, log| runtime.block_on(log.deliver(*mode, rest))));
}

impl ServiceFixture for FuzzAuditLog {
    fn open(runtime: &Runtime, folder: &Path) -> Self {
        runtime.block_on(Self::start(folder))
    }

    fn close(self, runtime: &Runtime, _folder: &Path) {
        let config = self.config.clone();
        runtime.block_on(send_ok(&self.router, token_of(READER), "GET /v1/sources"));
        drop(self);
        runtime.block_on(async {
            // The writer ends when it sees that nobody uses the store any more.
            let reopened = async {
                loop {
                    match Standalone::open(&config, &context()).await {
                        Ok(log) => return log,
                        Err(fault) if fault.to_string().contains("cannot open") => {
                            tokio::task::yield_now().await
                        }
                        Err(fault) => panic!("the log does not hold: {fault:?}"),
                    }
                }
            };
            drop(reopened.await);
        });
    }
}

impl FuzzAuditLog {
    async fn start(folder: &Path) -> Self {
        write_keys(folder);
        let (context, config) = (context(), config(folder));
        let log = Standalone::open(&config, &context).await.expect("the log opens");
        let started = Self {
            _context: context,
            config,
            router: with_layers(log.router()),
            intake: Box::new(log.intake()),
            signer: keys::signing(SOURCE),
            key: keys::sealing("mz.audit"),
            words: vec![("{epoch}", EPOCH.to_owned())],
        };
        started.deliver(CHAINED, batch(4).to_string().as_bytes()).await;
        let sources = send_ok(&started.router, token_of(READER), "GET /v1/sources").await;
        assert!(sources["end"].as_u64().is_some_and(|end| end >= 4), "{sources}");
        started
    }

    async fn deliver(&self, mode: u8, rest: &[u8]) {
        let body = match mode % 4 {
            SEALED => rest.to_vec(),
            TEXT => self.sealed(rest),
            PAYLOAD => self.signed(rest),
            _ => match chained(rest) {
                Some(payload) => self.signed(&payload),
                None => return,
            },
        };
        let delivery = Delivery {
            exchange: names::AUDIT.to_owned(),
            routing_key: names::audit_event_key(SOURCE),
            message_id: "fuzz".to_owned(),
            content_type: String::new(),
            headers: BTreeMap::new(),
            header_fault: None,
            redelivered: false,
            body,
        };
        assert!(self.intake.take(delivery).await, "a delivery was not accepted");
        if mode % 4 == CHAINED {
            send_ok(&self.router, token_of(READER), "GET /v1/events?limit=3").await;
        }
    }

    fn sealed(&self, text: &[u8]) -> Vec<u8> {
        seal(text, self.key.recipient()).expect("anything can be sealed")
    }

    fn signed(&self, payload: &[u8]) -> Vec<u8> {
        let jws = Jws::sign(Typ::AUDIT, payload.to_vec(), &self.signer).expect("signed");
        self.sealed(jws.to_compact().as_bytes())
    }
}

/// The epoch of the seeds.
const EPOCH: &str = "0a1b2c3d4e5f40718293a4b5c6d7e8f9";

/// A batch of consecutive events, in the form of [`CHAINED`].
pub fn batch(events: u64) -> Value {
    let event = |sequence: u64| {
        json!({
            "version": 1, "id": "0199c5a1-7b3e-7003-8a10-000000000003", "source": SOURCE, "epoch": EPOCH,
            "sequence": sequence, "previous": "{previous}", "time": crate::START, "actor": "officer-1",
            "agency": "mz.prm", "action": "message.read",
            "object": { "kind": "message", "id": "0199c5a1-7b3e-7001-8a10-000000000001" },
            "outcome": "success", "details": { "view": "content" },
        })
    };
    let events: Vec<Value> = (1..=events).map(event).collect();
    json!({ "source": SOURCE, "epoch": EPOCH, "first": 1, "last": events.len(), "events": events })
}

/// The payload: the events as the exact texts that are chained.
pub fn chained(batch: &[u8]) -> Option<Vec<u8>> {
    let mut batch: Value = serde_json::from_slice(batch).ok()?;
    let mut previous: Digest = FIRST_PREVIOUS;
    for event in batch.get_mut("events")?.as_array_mut()? {
        if event.get("previous").is_some_and(|named| named == "{previous}") {
            event["previous"] = json!(previous);
        }
        let text = serde_json::to_string(event).ok()?;
        previous = digest(text.as_bytes());
        *event = Value::String(text);
    }
    serde_json::to_vec(&batch).ok()
}

fn config(folder: &Path) -> AuditConfig {
    let toml = format!(
        "{}[keys]\nsigning_key_file = \"FOLDER/mz.audit.pem\"\nsealing_key_files = [\"FOLDER/mz.audit.age\"]\n\
         log_key_file = \"FOLDER/mz.authority.next.pem\"\npayload_key_file = \"FOLDER/mz.audit.age\"\n\
         [publish]\nfolder = \"FOLDER/audit-log\"\n\
         [[producer]]\nsource = \"{SOURCE}\"\nkey_files = [\"FOLDER/mz.gateway.jwk\"]\n",
        common("audit.db")
    );
    configured(folder, &toml)
}
