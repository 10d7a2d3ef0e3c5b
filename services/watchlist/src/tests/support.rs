//! A watchlist of Mozambique with two agencies.

use std::{
    path::Path,
    sync::{Arc, RwLock},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use futures::future::BoxFuture;
use rovuma_envelope::DataKey;
use rovuma_policy::Policy;
use rovuma_runtime::{Clock as _, ManualClock, SecretFile, Shutdown, http::with_long_bodies};
use rovuma_schemas::{AgencyCode, Timestamp, audit::AuditEvent};
use rovuma_store::{Store, StoreConfig};
use rovuma_tokens::{AccessClaims, IssuerConfig, JwkSet, JwksSource, SourceError, TokenKey, TokenVerifier};
use rovuma_trail::Trail;
use serde_json::{Value, json};
use sqlx::Row;
use tokio::sync::{Notify, Semaphore};
use tower::ServiceExt as _;

use crate::{
    at_rest::AtRest,
    config::{AgencyConfig, ContactConfig, PeerConfig},
    flow::Flow,
    http,
    look_ups::LookUps,
    peer::{AsMachine, MachineAccount, Peer},
    screening::Rules,
    service::{MIGRATIONS, load},
    standings::StaleAfter,
    watchlist::{OwnAgency, Watchlist},
};

const ISSUER: &str = "https://id.mz.example";
const AUDIENCE: &str = "rovuma";
const DAY_S: u64 = 24 * 60 * 60;

/// An answer: its status and its body.
pub(super) type Answer = (StatusCode, Value);

/// A watchlist with its API.
pub(super) struct Bench {
    pub(super) dir: tempfile::TempDir,
    pub(super) clock: ManualClock,
    pub(super) watchlist: Arc<Watchlist>,
    /// Where its store is.
    pub(super) store_url: String,
    router: Router,
    key: Arc<TokenKey>,
}

struct Keys(JwkSet);

impl JwksSource for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

impl Bench {
    /// A watchlist whose store is sealed, whatever the tests are told.
    pub(super) async fn sealed() -> Self {
        let bench = Self::new().await;
        let Self { dir, clock, key, watchlist, router, .. } = bench;
        drop((watchlist, router));
        write_data_key(dir.path());
        Self::open(dir, clock, key).await
    }

    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = ManualClock::at("2026-11-30T08:00:00Z".parse().expect("RFC 3339"));
        Self::open(dir, clock, Arc::new(TokenKey::generate().expect("a key"))).await
    }

    /// The same store, opened by another process.
    pub(super) async fn restarted(self) -> Self {
        let Self { dir, clock, watchlist, router, key, .. } = self;
        watchlist.tasks.begin();
        assert!(watchlist.tasks.drained().await);
        drop((watchlist, router));
        Self::open(dir, clock, key).await
    }

    async fn open(dir: tempfile::TempDir, clock: ManualClock, key: Arc<TokenKey>) -> Self {
        let config =
            StoreConfig::at(rovuma_lab::postgres::test_store(dir.path(), "watchlist").expect("a store"));
        let store = Store::open(&config, &[rovuma_trail::MIGRATIONS, MIGRATIONS]).await.expect("opens");
        let at_rest = Arc::new(at_rest(dir.path()));
        let is_sealed =
            matches!(*at_rest, AtRest::Sealed(_)) && std::env::var_os("ROVUMA_TEST_AT_REST").is_none();
        let agencies: Vec<_> = ["mz.prm", "mz.sernic"].map(|code| Arc::new(agency(&dir, code))).into();
        let own: Vec<AgencyCode> = agencies.iter().map(|agency| agency.config.code.clone()).collect();
        let (lists, index) = load(&store, &at_rest, &own, clock.now()).await.expect("loads");
        for code in &own {
            // As if the gateway had been heard: a list that is missing makes every verdict incomplete.
            let heard = Some(clock.now());
            lists.update(&crate::standings::alerts_of(code), |list| {
                (list.loaded_at, list.heard_at) = (heard, heard)
            });
        }
        let source = Arc::new(Keys(JwkSet { keys: vec![key.public().clone()] }));
        let tokens = TokenVerifier::with_sources(vec![(IssuerConfig::own(ISSUER, AUDIENCE), source)]);
        let day = |days: u64| std::time::Duration::from_secs(days * DAY_S);
        let watchlist = Arc::new(Watchlist {
            trail: Trail::new(store.clone(), "mz.watchlist"),
            store,
            at_rest,
            clock: clock.shared(),
            policy: Policy::built_in(),
            tokens: tokens.expect("a good issuer"),
            agencies,
            national_office: None,
            index: RwLock::new(index),
            changing: tokio::sync::Mutex::new(()),
            lists,
            // What is remembered of crossings is looked for by its order, which a mark does not have.
            remembered_for: if is_sealed { std::time::Duration::ZERO } else { day(1) },
            stale_after: StaleAfter { alerts: day(365), imported: day(14) },
            rules: RwLock::new(Arc::new(Rules::default())),
            flow: Flow::default(),
            look_ups: LookUps::default(),
            importing: Arc::new(Semaphore::new(1)),
            tasks: Shutdown::new(),
            posts: vec!["namoto_kilambo".parse().expect("a post")],
            to_forward: Notify::new(),
        });
        let router = with_long_bodies(http::router(Arc::clone(&watchlist)), &http::LONG_BODIES);
        Self { dir, clock, watchlist, store_url: config.url, router, key }
    }

    /// An access token for a person of `mz.prm` with these roles.
    pub(super) fn person(&self, subject: &str, roles: &[&str]) -> String {
        self.token(subject, "console", roles, Some("session-1"))
    }

    /// An access token for a machine of `mz.prm` with these roles.
    pub(super) fn machine(&self, client: &str, roles: &[&str]) -> String {
        self.token(client, client, roles, None)
    }

    fn token(&self, subject: &str, client_id: &str, roles: &[&str], session: Option<&str>) -> String {
        let now = self.clock.now();
        let claims = AccessClaims {
            issuer: ISSUER.to_owned(),
            subject: subject.to_owned(),
            audience: AUDIENCE.to_owned(),
            client_id: client_id.to_owned(),
            id: subject.to_owned(),
            issued_at: now,
            expires: now.plus(std::time::Duration::from_secs(600)),
            agency: "mz.prm".parse().expect("an agency"),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            session: session.map(str::to_owned),
            name: None,
            scope: None,
        };
        self.key.mint_access(&claims).expect("signed")
    }

    /// Imports a file as one supervisor.
    pub(super) async fn import(&self, path: &str, file: impl Into<Body>) -> Answer {
        self.import_as(&self.person("supervisor-1", &["supervisor"]), path, file).await
    }

    pub(super) async fn import_as(&self, token: &str, path: &str, file: impl Into<Body>) -> Answer {
        let request =
            Request::post(format!("/v1/lists/{path}")).header("content-type", "application/octet-stream");
        self.send(token, request, file.into()).await
    }

    /// Approves what waits, as this person.
    pub(super) async fn approve(&self, subject: &str, path: &str) -> Answer {
        let token = self.person(subject, &["supervisor"]);
        self.send(&token, Request::post(format!("/v1/lists/{path}/approval")), Body::empty()).await
    }

    /// Proposes to take a list out.
    pub(super) async fn propose_removal(&self, name: &str) -> Answer {
        let token = self.person("supervisor-1", &["supervisor"]);
        self.send(&token, Request::delete(format!("/v1/lists/{name}")), Body::empty()).await
    }

    /// The row of a list; null without one.
    pub(super) async fn list(&self, name: &str) -> Value {
        let token = self.person("officer-1", &["border_officer"]);
        let (status, lists) = self.send(&token, Request::get("/v1/lists"), Body::empty()).await;
        assert_eq!(status, 200, "{lists}");
        let rows = lists["items"].as_array().expect("items");
        rows.iter().find(|row| row["list"]["id"] == name).cloned().unwrap_or_default()
    }

    /// Screens a Mozambican passport that the officer holds at a crossing.
    pub(super) async fn screen(&self, number: &str) -> Value {
        let token = self.person("officer-1", &["border_officer"]);
        let body = json!({
            "text": number, "kind": "document", "state": "MOZ", "document_type": "passport", "confirmed": true,
            "crossing": { "post": "negomano_mtambaswala", "direction": "entry" },
        });
        let request = Request::post("/v1/screen").header("content-type", "application/json");
        let (status, screening) = self.send(&token, request, Body::from(body.to_string())).await;
        assert_eq!(status, 200, "{screening}");
        screening
    }

    /// The verdict on a passport.
    pub(super) async fn verdict(&self, number: &str) -> String {
        self.screen(number).await["verdict"].as_str().expect("a verdict").to_owned()
    }

    /// What the service recorded of imports and refusals: action, step or reason.
    pub(super) async fn recorded(&self) -> Vec<(String, String)> {
        let rows = sqlx::query("SELECT body FROM trail_event ORDER BY sequence")
            .fetch_all(self.watchlist.store.read())
            .await
            .expect("reads");
        let event = |row: &sqlx::any::AnyRow| -> AuditEvent {
            serde_json::from_str(row.get("body")).expect("an event")
        };
        let shown = |event: AuditEvent| {
            let step = event.details.get("step").map(ToString::to_string);
            let what = step.or(event.reason).unwrap_or_default();
            (event.action.as_str().to_owned(), what.trim_matches('"').to_owned())
        };
        let wanted = ["list.import", "access.refuse"];
        rows.iter().map(event).map(shown).filter(|(action, _)| wanted.contains(&action.as_str())).collect()
    }

    /// How many rows a table has.
    pub(super) async fn rows(&self, table: &'static str) -> i64 {
        let query = sqlx::AssertSqlSafe(format!("SELECT count(*) AS n FROM {table}"));
        let row = sqlx::query(query).fetch_one(self.watchlist.store.read()).await.expect("reads");
        row.get("n")
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) async fn send(
        &self,
        token: &str,
        request: axum::http::request::Builder,
        body: Body,
    ) -> Answer {
        let request =
            request.header("authorization", format!("Bearer {token}")).body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let status = response.status();
        let body = to_bytes(response.into_body(), 16 * 1024 * 1024).await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

fn agency(dir: &tempfile::TempDir, code: &str) -> OwnAgency {
    let nobody = PeerConfig { url: "http://127.0.0.1:9/".parse().expect("a URL"), ca_file: None };
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "secret").expect("written");
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
    let account = MachineAccount::load(&nobody, "watchlist", &SecretFile::new(&secret)).expect("an account");
    let gateway = AsMachine::new(Peer::new(&nobody, "the gateway").expect("a peer"), account);
    let contact =
        ContactConfig { name: "Desk".to_owned(), phone: "+258 82 000 0000".to_owned(), hours: None };
    let config = AgencyConfig {
        code: code.parse().expect("an agency"),
        client_id: "watchlist".to_owned(),
        client_secret_file: SecretFile::new(&secret),
        unit: "Unit".to_owned(),
        legal_basis: "treaty".to_owned(),
        language: "pt".parse().expect("a language"),
        retain_days: 365,
        contact,
    };
    OwnAgency { config, gateway, to_report: Notify::new() }
}

const DATA_KEY: &str = "data.key";

fn write_data_key(folder: &Path) {
    let file = folder.join(DATA_KEY);
    if !file.exists() {
        std::fs::write(&file, DataKey::generate_text().expect("randomness").as_str()).expect("written");
    }
}

/// The same tests pass where what names somebody is sealed: `ROVUMA_TEST_AT_REST=sealed`.
fn at_rest(folder: &Path) -> AtRest {
    if std::env::var_os("ROVUMA_TEST_AT_REST").is_some() {
        write_data_key(folder);
    }
    match std::fs::read_to_string(folder.join(DATA_KEY)) {
        Ok(text) => AtRest::Sealed(Box::new(DataKey::from_text(&text).expect("a key"))),
        Err(_) => AtRest::Plain,
    }
}
