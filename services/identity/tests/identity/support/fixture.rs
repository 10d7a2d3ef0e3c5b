//! The service, its clock, its store, and requests to it.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use reqwest::{Method, Response, StatusCode, header, redirect::Policy};
use rovuma_broker::BrokerConfig;
use rovuma_identity::{
    ApplicationConfig, AuditConfig, BootstrapConfig, Identity, IdentityConfig, RunningIdentity, SigningConfig,
};
use rovuma_policy::{PolicyConfig, Role};
use rovuma_runtime::{Context, ListenConfig, ManualClock, SecretFile};
use rovuma_schemas::{Timestamp, audit::AuditEvent};
use rovuma_store::StoreConfig;
use rovuma_tokens::{AccessToken, IssuerConfig, TokenVerifier, TokensConfig};
use serde_json::Value;
use sqlx::Row;
use tempfile::TempDir;

use super::{ADMIN, CONSOLE_SECRET, FOREIGN_ADMIN, ISSUER, OFFICER, PASSWORD};

/// A running service and all that belongs to it.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) running: RunningIdentity,
    pub(crate) http: reqwest::Client,
    context: Context,
}

/// Status and body of an answer.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path());
        Self::start_with(folder, &config).await
    }

    pub(crate) async fn start_with(folder: TempDir, config: &IdentityConfig) -> Self {
        let clock = ManualClock::at("2026-11-23T18:14:29Z".parse().expect("RFC 3339"));
        Self::start_at(folder, config, clock).await
    }

    async fn start_at(folder: TempDir, config: &IdentityConfig, clock: ManualClock) -> Self {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let context = Context::new(clock.shared());
        let running = Identity::open(config, &context).await.expect("the service starts");
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        Self { folder, clock, running, http, context }
    }

    /// The same service after a stop and a start with another configuration.
    pub(crate) async fn restart(self, config: &IdentityConfig) -> Self {
        let Self { folder, clock, running, context, .. } = self;
        context.shutdown.begin();
        assert!(context.shutdown.drained().await, "{:?}", context.shutdown.still_running());
        drop((running, context));
        Self::start_at(folder, config, clock).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        use rovuma_runtime::Clock;
        self.clock.now()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address())
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http.get(self.url(path)).send().await.expect("an answer")
    }

    /// A request to the API with a token.
    pub(crate) async fn api(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> ApiResponse {
        let mut request = self.http.request(method, self.url(path)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        ApiResponse::of(request.send().await.expect("an answer")).await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> ApiResponse {
        ApiResponse::of(self.http.post(self.url(path)).form(fields).send().await.expect("an answer")).await
    }

    pub(crate) async fn form_with_basic(
        &self,
        path: &str,
        (user, password): (&str, &str),
        fields: &[(&str, &str)],
    ) -> ApiResponse {
        let request = self.http.post(self.url(path)).basic_auth(user, Some(password)).form(fields);
        ApiResponse::of(request.send().await.expect("an answer")).await
    }

    /// Checks a token as any service would: by the published keys.
    pub(crate) async fn check(&self, token: &str) -> AccessToken {
        let mut issuer = IssuerConfig::own(ISSUER, "rovuma");
        issuer.jwks_url = Some(self.url("/oauth2/jwks.json").parse().expect("a URL"));
        let verifier = TokenVerifier::new(TokensConfig { issuers: vec![issuer] }).expect("a good issuer");
        let token = verifier.check(token, self.now()).await.expect("a good token");
        AccessToken::clone(&token)
    }

    /// Every audit event so far.
    pub(crate) async fn audit(&self) -> Vec<AuditEvent> {
        let bodies = self.rows("SELECT body FROM trail_event ORDER BY sequence").await;
        bodies.iter().map(|body| serde_json::from_str(body).expect("an audit event")).collect()
    }

    /// The outcomes of the audit events of one action: `success`, or why not.
    pub(crate) async fn outcomes(&self, action: &str) -> Vec<String> {
        let events = self.audit().await.into_iter().filter(|event| event.action.to_string() == action);
        events.map(|event| event.reason.unwrap_or_else(|| event.outcome.as_str().to_owned())).collect()
    }

    /// One column of texts from the store.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let url = rovuma_lab::postgres::test_store(self.folder.path(), "identity").expect("the store");
        let mut conn = rovuma_store::Conn::connect(&url).await.expect("the store");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut conn).await.expect("rows");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

impl ApiResponse {
    pub(crate) async fn of(response: Response) -> Self {
        let status = response.status();
        let json = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.contains("json")));
        let bytes = response.bytes().await.expect("a body");
        let body = if json { serde_json::from_slice(&bytes).expect("JSON") } else { Value::Null };
        Self { status, body }
    }

    /// `error` of OAuth, or `code` of a problem.
    pub(crate) fn error(&self) -> (u16, &str) {
        let word = self.body["error"].as_str().or_else(|| self.body["code"].as_str());
        (self.status.as_u16(), word.unwrap_or("-"))
    }

    /// A text in the body.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {self:?}"))
    }
}

/// The configuration of the tests: two agencies, a program and a console.
pub(crate) fn config(folder: &Path) -> IdentityConfig {
    let password_file = secret(folder, "password", PASSWORD);
    let person = |agency: &str, login: &str, role| BootstrapConfig {
        agency: agency.parse().expect("an agency"),
        login: login.into(),
        name: format!("Name of {login}"),
        roles: vec![role],
        password_file: SecretFile::new(&password_file),
        change_at_first_login: false,
    };
    IdentityConfig {
        bootstrap_clients: Vec::new(),
        issuer: ISSUER.into(),
        audience: "rovuma".into(),
        http: ListenConfig {
            listen: "127.0.0.1:0".parse().expect("an address"),
            tls: None,
            behind_proxy: true,
        },
        store: StoreConfig::at(rovuma_lab::postgres::test_store(folder, "identity").expect("a store")),
        signing: SigningConfig { directory: folder.join("keys"), rotate_after_days: 90 },
        audit: AuditConfig {
            source: "mz.identity".into(),
            key_file: SecretFile::new("unused"),
            recipient_file: "unused".into(),
            ack_key_file: "unused".into(),
        },
        broker: BrokerConfig {
            url: "amqps://127.0.0.1:1/rovuma".into(),
            ca_file: "unused".into(),
            cert_file: "unused".into(),
            key_file: "unused".into(),
            server_name: None,
        },
        policy: PolicyConfig::default(),
        applications: applications(folder),
        bootstrap: vec![
            person("mz.prm", ADMIN, Role::AgencyAdmin),
            person("mz.prm", OFFICER, Role::LiaisonOfficer),
            person("mz.senami", FOREIGN_ADMIN, Role::AgencyAdmin),
        ],
    }
}

fn applications(folder: &Path) -> Vec<ApplicationConfig> {
    vec![
        ApplicationConfig {
            client_id: "rovumactl".into(),
            name: "rovumactl".into(),
            redirect_uris: vec!["http://127.0.0.1/callback".into()],
            secret_file: None,
        },
        ApplicationConfig {
            client_id: "console".into(),
            name: "Rovuma console".into(),
            redirect_uris: vec!["https://console.mz.example/back".into()],
            secret_file: Some(SecretFile::new(secret(folder, "console", CONSOLE_SECRET))),
        },
    ]
}

pub(crate) fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("mode set");
    path
}
