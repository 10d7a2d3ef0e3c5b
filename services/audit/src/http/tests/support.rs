//! The API over a log on a real file, with an issuer in the test's hand.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use futures::future::BoxFuture;
use rovuma_policy::Policy;
use rovuma_runtime::Clock as _;
use rovuma_schemas::audit::AuditEvent;
use rovuma_store::FutureExt as _;
use rovuma_tlog::UnverifiedCheckpoint;
use rovuma_tokens::{AccessClaims, IssuerConfig, JwkSet, JwksSource, SourceError, TokenKey, TokenVerifier};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{
    auditor::Auditor,
    http::router,
    publish::{Checkpoints, LogFolder},
    testing::{Fixture, GATEWAY, IDENTITY, OWN, Producer},
};

const ISSUER: &str = "https://id.mz.example";
const AUDIENCE: &str = "rovuma";

/// A log with its API.
pub(super) struct Api {
    pub(super) bench: Fixture,
    pub(super) gateway: Producer,
    router: Router,
    key: TokenKey,
}

struct Keys(JwkSet);

impl JwksSource for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// An answer: its status and its body.
pub(super) type Answer = (StatusCode, Value);

impl Api {
    pub(super) async fn new() -> Self {
        let (bench, gateway, _) = Fixture::new().await;
        let key = TokenKey::generate().expect("a key");
        let source = Arc::new(Keys(JwkSet { keys: vec![key.public().clone()] }));
        let tokens = TokenVerifier::with_sources(vec![(IssuerConfig::own(ISSUER, AUDIENCE), source)]);
        let auditor = Auditor {
            country: "mz".parse().expect("a country"),
            store: bench.store().clone(),
            is_file: !rovuma_lab::postgres::tests_use_postgres(),
            sequencer: Arc::clone(&bench.intake.sequencer),
            folder: LogFolder::new(bench.dir.path().join("audit-log")),
            producers: vec![GATEWAY.to_owned(), IDENTITY.to_owned(), OWN.to_owned()],
            policy: Policy::built_in(),
            tokens: tokens.expect("a good issuer"),
            clock: bench.clock.shared(),
        };
        Self { bench, gateway, router: router(Arc::new(auditor)), key }
    }

    /// Stores these events of the gateway.
    pub(super) async fn store(&self, events: &[String]) {
        let taken = self.bench.deliver([self.bench.delivery(&self.gateway, events)]).await;
        assert_eq!(taken.stored, events.len());
    }

    /// Stores the gateway's next event, changed.
    pub(super) async fn store_event(&mut self, change: impl FnOnce(&mut AuditEvent)) -> AuditEvent {
        let text = self.gateway.event_with(change);
        self.store(std::slice::from_ref(&text)).await;
        serde_json::from_str(&text).expect("an event")
    }

    /// An access token for a person of `agency` with these roles.
    pub(super) fn person(&self, subject: &str, agency: &str, roles: &[&str]) -> String {
        self.token(subject, "console", agency, roles)
    }

    /// An access token for a machine client.
    pub(super) fn machine(&self, agency: &str, roles: &[&str]) -> String {
        self.token("system-1", "system-1", agency, roles)
    }

    fn token(&self, subject: &str, client: &str, agency: &str, roles: &[&str]) -> String {
        let now = self.bench.clock.now();
        let claims = AccessClaims {
            issuer: ISSUER.to_owned(),
            subject: subject.to_owned(),
            audience: AUDIENCE.to_owned(),
            client_id: client.to_owned(),
            id: subject.to_owned(),
            issued_at: now,
            expires: now.plus(std::time::Duration::from_secs(600)),
            agency: agency.parse().expect("an agency"),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            session: Some("session-1".to_owned()),
            name: None,
            scope: None,
        };
        self.key.mint_access(&claims).expect("signed")
    }

    /// `GET path` with this token.
    pub(super) async fn get(&self, token: &str, path: &str) -> Answer {
        self.request(Request::get(path).header("authorization", format!("Bearer {token}"))).await
    }

    /// `GET path` as the auditor of `mz.prm`.
    pub(super) async fn auditor(&self, path: &str) -> Answer {
        self.get(&self.person("auditor-1", "mz.prm", &["auditor"]), path).await
    }

    /// `GET path` as the national auditor.
    pub(super) async fn national(&self, path: &str) -> Answer {
        self.get(&self.person("auditor-0", "mz.node", &["auditor"]), path).await
    }

    /// `POST path` with this token and body.
    pub(super) async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header("authorization", format!("Bearer {token}"));
        self.send(request.header("content-type", "application/json"), Body::from(body.to_string())).await
    }

    /// Any request with this token; the answer as it is.
    pub(super) async fn raw(
        &self,
        token: &str,
        request: axum::http::request::Builder,
        body: Body,
    ) -> (StatusCode, axum::http::HeaderMap, String) {
        let request =
            request.header("authorization", format!("Bearer {token}")).body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), 16 * 1024 * 1024).await.expect("a body");
        (status, headers, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    /// Makes the present head good, as if the policy were met: who cosigns is tested where heads are.
    pub(super) async fn settle(&self) -> u64 {
        let (heads, now) = (Checkpoints::of(self.bench.store()), self.bench.clock.now());
        let origin = "mz.audit/2026";
        let head =
            heads.store_last(origin, |note| Ok(note.to_vec()), now).await.expect("made").expect("a log");
        let good = |read: &UnverifiedCheckpoint| Some((read.as_bytes().to_vec(), true));
        heads.update_note(origin, head.size, good, now).await.expect("written").expect("a head").size
    }

    /// Writes down a good head of so many leaves, which nobody checks here.
    pub(super) async fn settle_at(&self, size: i64) {
        self.settle().await;
        let write = self.bench.store().write(move |tx| {
            async move { sqlx::query("UPDATE checkpoint SET size = $1").bind(size).execute(tx).await }.boxed()
        });
        write.await.expect("written");
    }

    pub(super) async fn request(&self, request: axum::http::request::Builder) -> Answer {
        self.send(request, Body::empty()).await
    }

    async fn send(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        let request = request.body(body).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let status = response.status();
        let body = to_bytes(response.into_body(), 16 * 1024 * 1024).await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// The service's own events of one action, in order.
    pub(super) async fn own(&self, action: &str) -> Vec<AuditEvent> {
        let events = self.bench.events_of(OWN).await;
        let parsed = events.iter().map(|text| serde_json::from_str::<AuditEvent>(text).expect("an event"));
        parsed.filter(|event| event.action.as_str() == action).collect()
    }
}

/// The sequences of a page's entries of the gateway.
pub(super) fn sequences(page: &Value) -> Vec<u64> {
    let items = page["items"].as_array().expect("items");
    let of_gateway = items.iter().filter(|item| item["event"]["source"] == GATEWAY);
    of_gateway.map(|item| item["event"]["sequence"].as_u64().expect("a number")).collect()
}
