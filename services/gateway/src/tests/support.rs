//! A gateway of `mz` that serves `mz.prm` and `mz.senami`, with `tz.tpf` and `tz.tisd` abroad.

mod client;
mod country;
mod exchange;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rovuma_runtime::{Context, ListenConfig, ManualClock};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::FutureExt;
use rovuma_tokens::{AccessClaims, TokenKey};
use serde_json::{Value, json};
use sqlx::Row;

use crate::{GatewayConfig, exchange::trust::ListFiles, gateway::Gateway, http, service};

pub(super) use client::{Client, Reply};
pub(super) use country::Country;

/// The time at which every fixture starts.
pub(super) const START: &str = "2026-11-23T18:00:00Z";

const ISSUER: &str = "https://identity.mz.example";
const AUDIENCE: &str = "rovuma";

/// A running gateway with its clock, keys and files; dropping it removes the files.
pub(super) struct Fixture {
    pub(super) gateway: Arc<Gateway>,
    pub(super) clock: ManualClock,
    pub(super) context: Context,
    pub(super) config: GatewayConfig,
    pub(super) lists: ListFiles,
    pub(super) mz: Country,
    pub(super) tz: Country,
    base: String,
    tokens: TokenKey,
    http: reqwest::Client,
    _dir: tempfile::TempDir,
}

pub(super) fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

/// A draft of `schemas/examples/valid/`.
pub(super) fn example(name: &str) -> Value {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../schemas/examples/valid");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).expect("an example");
    serde_json::from_str(&text).expect("JSON")
}

/// One officer may send it: it is about a vehicle, another one each time.
pub(super) fn motorcycle() -> Value {
    let mut draft = example("alert-stolen-motorcycle");
    let number = next_number();
    let vehicle = &mut draft["body"]["subjects"]["vehicles"][0];
    vehicle["plate"]["number"] = json!(format!("AAA {number:05} CD"));
    vehicle["chassis_number"] = json!(format!("MD2EXAMPLE{number:06}"));
    vehicle["engine_number"] = json!(format!("DUZEXAMPLE{number:06}"));
    draft
}

/// It needs a second person: it is about one, another one each time.
pub(super) fn missing_person() -> Value {
    let mut draft = example("alert-missing-person");
    draft["recipients"] = json!(["tz.tpf"]);
    let number = next_number();
    let letter = |place: u32| char::from(b'a' + u8::try_from(number / 26_u32.pow(place) % 26).unwrap_or(0));
    let name: String = (0..4).map(letter).collect();
    draft["body"]["subjects"]["persons"][0]["name"]["printed"] =
        json!(format!("Exemplina {name} Imaginária"));
    draft
}

/// A number that no other call in this process gets.
fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Fixture {
    /// A fixture with a running gateway.
    pub(super) async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    /// A fixture with a running gateway whose configuration `configure` has changed; it may write files in the folder.
    pub(super) async fn start_with(configure: impl FnOnce(&mut GatewayConfig, &std::path::Path)) -> Self {
        // An error says that another test of this process was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().expect("a folder");
        let start: Timestamp = START.parse().expect("RFC 3339");
        let clock = ManualClock::at(start);
        let (mz, tz) = (Country::create(dir.path(), "mz", start), Country::create(dir.path(), "tz", start));
        let tokens = TokenKey::generate().expect("a key");
        let mut config = write_config(dir.path(), &tokens);
        configure(&mut config, dir.path());
        let context = Context::new(clock.shared());
        let gateway = Arc::new(service::open(&config, &context).await.expect("opens"));
        context.shutdown.spawn("events", gateway.base.feed.clone().run(context.shutdown.clone()));
        let mut lists = ListFiles::new(&config.trust, context.expiries.clone());
        lists.reload(&gateway.exchange).await;
        let listen = ListenConfig { listen: ([127, 0, 0, 1], 0).into(), tls: None, behind_proxy: false };
        let router = http::router(Arc::clone(&gateway));
        let address = rovuma_runtime::http::serve(&context, "api", &listen, router).expect("listens");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let base = format!("http://{address}");
        Self { gateway, clock, context, config, lists, mz, tz, base, tokens, http, _dir: dir }
    }

    /// Starts a new gateway on the same store, with the keys that the files hold now. It has not loaded
    /// the trust lists yet.
    pub(super) async fn restart(&mut self) {
        let store = self.gateway.base.store.clone();
        let gateway = service::on_store(&self.config, &self.context, store).await.expect("starts");
        self.gateway = Arc::new(gateway);
        self.lists = ListFiles::new(&self.config.trust, self.context.expiries.clone());
    }

    /// Reloads the trust lists from their files.
    pub(super) async fn reload_lists(&mut self) {
        self.lists.reload(&self.gateway.exchange).await;
    }

    /// An officer with these roles.
    pub(super) fn person(&self, subject: &str, agency: &str, roles: &[&str]) -> Client<'_> {
        Client::new(self, self.token(subject, "console", agency, roles))
    }

    /// A machine client with these roles.
    pub(super) fn machine(&self, client: &str, agency: &str, roles: &[&str]) -> Client<'_> {
        Client::new(self, self.token(client, client, agency, roles))
    }

    fn token(&self, subject: &str, client: &str, agency_code: &str, roles: &[&str]) -> String {
        let now = self.gateway.base.now();
        let claims = AccessClaims {
            issuer: ISSUER.to_owned(),
            subject: subject.to_owned(),
            audience: AUDIENCE.to_owned(),
            client_id: client.to_owned(),
            id: format!("{subject}-{}", now.as_micros()),
            issued_at: now,
            expires: now.plus(std::time::Duration::from_secs(600)),
            agency: agency(agency_code),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            session: (subject != client).then(|| format!("session-of-{subject}")),
            name: None,
            scope: None,
        };
        self.tokens.mint_access(&claims).expect("a token")
    }

    /// Every audit event so far with this action, oldest first.
    pub(super) async fn audited(&self, action: &str) -> Vec<Value> {
        let rows = sqlx::query("SELECT body FROM trail_event ORDER BY sequence")
            .fetch_all(self.gateway.base.store.read())
            .await
            .expect("reads");
        let events = rows.iter().map(|row| serde_json::from_str::<Value>(row.get(0)).expect("JSON"));
        events.filter(|event| event["action"] == action).collect()
    }

    /// How many rows a table has.
    pub(super) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query(sql).fetch_one(self.gateway.base.store.read()).await.expect("reads").get(0)
    }

    /// Changes the store behind the gateway's back.
    pub(super) async fn execute(&self, sql: impl Into<String>) {
        let sql = sql.into();
        let work = self.gateway.base.store.write(move |tx| {
            async move { sqlx::query(sqlx::AssertSqlSafe(sql)).execute(tx).await.map(|_| ()) }.boxed()
        });
        work.await.expect("executed");
    }
}

fn write_config(dir: &std::path::Path, tokens: &TokenKey) -> GatewayConfig {
    let jwks = json!({ "keys": [tokens.public()] });
    std::fs::write(dir.join("jwks.json"), jwks.to_string()).expect("written");
    let at = |name: &str| dir.join(name).display().to_string();
    let agency = |code: &str| {
        format!(
            "[[agency]]\ncode = \"{code}\"\nsigning_key_file = \"{}\"\nsealing_key_files = [\"{}\"]\n",
            at(&format!("{code}.pem")),
            at(&format!("{code}.age"))
        )
    };
    let list = |country: &str| {
        format!(
            "{{ country = \"{country}\", file = \"{}\", authority_file = \"{}\" }}",
            at(&format!("{country}.trust.json")),
            at(&format!("{country}.authority.jwk"))
        )
    };
    let toml = format!(
        "country = \"mz\"\nname = \"north\"\n\
         [store]\nurl = \"{store}\"\n\
         [broker]\nurl = \"amqps://localhost:1/rovuma\"\nca_file = \"-\"\ncert_file = \"-\"\nkey_file = \"-\"\n\
         [http]\nlisten = \"127.0.0.1:0\"\n\
         [tokens]\nissuers = [{{ issuer = \"{ISSUER}\", audience = \"{AUDIENCE}\", jwks_file = \"{jwks}\" }}]\n\
         [audit]\nsource = \"mz.gateway\"\nkey_file = \"-\"\nrecipient_file = \"-\"\nack_key_file = \"-\"\n\
         [trust]\nlists = [{mz}, {tz}]\n{prm}{senami}",
        store = rovuma_lab::postgres::test_store(dir, "gateway").expect("a store"),
        jwks = at("jwks.json"),
        mz = list("mz"),
        tz = list("tz"),
        prm = agency("mz.prm"),
        senami = agency("mz.senami"),
    );
    let path = dir.join("gateway.toml");
    std::fs::write(&path, toml).expect("written");
    let (config, _) = rovuma_runtime::config::load_with_env(Some(&path), HashMap::new()).expect("sound");
    config
}
