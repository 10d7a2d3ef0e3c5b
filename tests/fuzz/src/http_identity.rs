//! Target `http_identity`: requests to the identity provider: OAuth 2.0, OpenID Connect and the administrators' API.

use std::{collections::HashMap, fs, path::Path};

use axum::{Router, http::header};
use rovuma_broker::BrokerConfig;
use rovuma_identity::{
    ApplicationConfig, AuditConfig, BootstrapConfig, Identity, IdentityConfig, SigningConfig,
};
use rovuma_policy::{PolicyConfig, Role};
use rovuma_runtime::{Context, ListenConfig, SecretFile, http::with_layers};
use rovuma_schemas::MessageId;
use rovuma_store::StoreConfig;
use rovuma_tokens::{AccessClaims, TokenKey};
use sqlx::Row as _;
use tokio::runtime::Runtime;

use crate::{
    fixture::{agency, now},
    http::{FuzzRequest, FuzzResponse, send_ok},
    services::{FixturePool, ServiceFixture, context, secret},
};

/// The issuer. Nothing connects to it.
const ISSUER: &str = "http://127.0.0.1:9";

/// The redirect address of the console.
const CONSOLE: &str = "https://console.mz.example/back";

/// The machine client.
const MACHINE: &str = "mz.prm.cad";

/// A text that must never appear unescaped in a page.
const MARKUP: &str = "<fuzz>";

thread_local! {
    static FIXTURES: FixturePool<FuzzProvider> = FixturePool::new();
}

/// The identity provider of `mz`, with an administrator and a machine client.
struct FuzzProvider {
    context: Context,
    router: Router,
    key: TokenKey,
    /// Account ids by `role@agency`.
    accounts: HashMap<String, String>,
    words: Vec<(&'static str, String)>,
}

/// The service never fails; a refusal of the API is a problem; a browser is redirected only to registered addresses,
/// and no text that was sent appears as markup in a page.
pub fn run(data: &[u8]) {
    FIXTURES.with(|fixtures| {
        fixtures.run(|runtime, provider| {
            let Some(asked) = FuzzRequest::read(data, &provider.words) else { return };
            let token = asked.caller.as_deref().and_then(|who| provider.token_of(who));
            runtime.block_on(async {
                let answer = asked.clone().send(&provider.router, token.clone()).await;
                if asked.uri.path().starts_with("/v1/") {
                    answer.check_api(&asked);
                } else {
                    check_oauth(&asked, &answer);
                }
                if let Some(next) = answer.next(&asked) {
                    let answer = next.clone().send(&provider.router, token).await;
                    assert!(answer.status.is_success(), "{next:?}: the next page is refused: {answer:?}");
                }
            });
        });
    });
}

fn check_oauth(asked: &FuzzRequest, answer: &FuzzResponse) {
    assert!(!answer.status.is_server_error(), "{asked:?} made the service fail: {answer:?}");
    if let Some(place) = answer.headers.get(header::LOCATION) {
        let place = place.to_str().expect("an address is ASCII");
        assert!(is_registered(place), "{asked:?}: sent to {place}");
    }
    if answer.is("text/html") {
        let page = String::from_utf8(answer.body.clone()).expect("a page is UTF-8");
        assert!(!page.contains(MARKUP), "{asked:?}: {page}");
    } else if asked.method != axum::http::Method::HEAD {
        let _ = answer.json();
    }
}

/// Whether a redirect address is the console's, or the program's at any port of the loopback address (RFC 8252, 7.3).
fn is_registered(place: &str) -> bool {
    let bare = place.split('?').next().unwrap_or_default();
    let loopback = bare.strip_prefix("http://127.0.0.1").and_then(|rest| rest.strip_suffix("/callback"));
    let is_port = |rest: &str| rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    bare == CONSOLE || loopback.is_some_and(|rest| rest.is_empty() || is_port(rest))
}

impl ServiceFixture for FuzzProvider {
    fn open(runtime: &Runtime, folder: &Path) -> Self {
        runtime.block_on(Self::start(folder))
    }

    fn close(self, runtime: &Runtime, _folder: &Path) {
        self.context.shutdown.begin();
        assert!(runtime.block_on(self.context.shutdown.drained()), "the listener does not stop");
    }
}

impl FuzzProvider {
    async fn start(folder: &Path) -> Self {
        let context = context();
        let running = Identity::open(&config(folder), &context).await.expect("the service opens");
        let mut provider = Self {
            context,
            router: with_layers(running.router()),
            key: published_key(&folder.join("keys")),
            accounts: accounts(folder).await,
            words: Vec::new(),
        };
        provider.settle().await;
        provider
    }

    async fn settle(&mut self) {
        let admin = self.token_of("agency_admin@mz.prm");
        let client = format!(r#"{{"id":"{MACHINE}","name":"Dispatch","roles":["agency_system"]}}"#);
        let client = format!("POST /v1/clients\ncontent-type: application/json\n\n{client}");
        let made = send_ok(&self.router, admin, &client).await;
        let secret = made["client_secret"].as_str().expect("a secret").to_owned();
        self.words = vec![("{user}", self.accounts["liaison_officer@mz.prm"].clone()), ("{secret}", secret)];
    }

    /// A token for a person with an account, `role@agency`, or for the machine client.
    fn token_of(&self, who: &str) -> Option<String> {
        let machine = who == "agency_system@mz.prm";
        let subject = if machine { MACHINE.to_owned() } else { self.accounts.get(who)?.clone() };
        let (role, code) = who.split_once('@')?;
        let claims = AccessClaims {
            issuer: ISSUER.to_owned(),
            client_id: if machine { &subject } else { "console" }.to_owned(),
            subject,
            audience: "rovuma".to_owned(),
            id: "1".to_owned(),
            issued_at: now(),
            expires: now().plus(std::time::Duration::from_secs(600)),
            agency: code.parse().ok()?,
            roles: vec![role.to_owned()],
            session: None,
            name: None,
            scope: Some("openid profile".to_owned()),
        };
        self.key.mint_access(&claims).ok()
    }
}

/// The accounts by role and agency, read from the store: the API shows ids only to an administrator's token, and that
/// token needs an id itself.
async fn accounts(folder: &Path) -> HashMap<String, String> {
    let url = format!("sqlite:{}", folder.join("identity.db").display());
    let mut conn = rovuma_store::Conn::connect(&url).await.expect("the store");
    let rows =
        sqlx::query("SELECT roles, agency, id FROM account").fetch_all(&mut conn).await.expect("accounts");
    let account = |row: &sqlx::any::AnyRow| {
        let (role, agency, id): (String, String, Vec<u8>) = (row.get(0), row.get(1), row.get(2));
        (format!("{role}@{agency}"), MessageId::from_slice(&id).expect("an id").to_string())
    };
    rows.iter().map(account).collect()
}

/// The key with which the service signs now: the first that it drew.
fn published_key(folder: &Path) -> TokenKey {
    let files =
        fs::read_dir(folder).expect("the folder of keys").map(|entry| entry.expect("an entry").path());
    let file = files.filter(|path| path.extension().is_some_and(|ending| ending == "pem")).min();
    let pem = fs::read_to_string(file.expect("a key")).expect("a text");
    TokenKey::from_pkcs8_pem(&pem).expect("an Ed25519 key")
}

fn config(folder: &Path) -> IdentityConfig {
    let file = |name: &str, text: &str| SecretFile::new(secret(&folder.join(name), text));
    let password_file = file("password", "three boats by moonlight");
    let person = |code: &str, login: &str, role| BootstrapConfig {
        agency: agency(code),
        login: login.to_owned(),
        name: format!("Name of {login}"),
        roles: vec![role],
        password_file: password_file.clone(),
        change_at_first_login: false,
    };
    IdentityConfig {
        bootstrap_clients: Vec::new(),
        issuer: ISSUER.to_owned(),
        audience: "rovuma".to_owned(),
        http: ListenConfig { listen: ([127, 0, 0, 1], 0).into(), tls: None, behind_proxy: true },
        store: StoreConfig {
            readers: 1,
            ..StoreConfig::at(format!("sqlite:{}", folder.join("identity.db").display()))
        },
        signing: SigningConfig { directory: folder.join("keys"), rotate_after_days: 90 },
        audit: AuditConfig {
            source: "mz.identity".to_owned(),
            key_file: SecretFile::new("-"),
            recipient_file: "-".into(),
            ack_key_file: "-".into(),
        },
        broker: BrokerConfig {
            url: "amqps://localhost:1/rovuma".to_owned(),
            ca_file: "-".into(),
            cert_file: "-".into(),
            key_file: "-".into(),
            server_name: None,
        },
        policy: PolicyConfig::default(),
        applications: vec![
            ApplicationConfig {
                client_id: "rovumactl".to_owned(),
                name: "rovumactl".to_owned(),
                redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
                secret_file: None,
            },
            ApplicationConfig {
                client_id: "console".to_owned(),
                name: "Rovuma console".to_owned(),
                redirect_uris: vec![CONSOLE.to_owned()],
                secret_file: Some(file("console", "0123456789abcdef0123456789abcdef")),
            },
        ],
        bootstrap: vec![
            person("mz.prm", "ana.tembe", Role::AgencyAdmin),
            person("mz.prm", "jo.mbeki", Role::LiaisonOfficer),
            person("mz.senami", "zara.dias", Role::AgencyAdmin),
        ],
    }
}

/// A client assertion of a machine, signed with a key that is not registered.
pub fn assertion() -> String {
    let seconds = now().as_micros() / 1_000_000;
    let claims = serde_json::json!({
        "iss": "mz.prm.cad", "sub": "mz.prm.cad", "aud": ISSUER, "jti": "1", "exp": seconds + 60,
    });
    crate::keys::issuer().sign("JWT", &claims).expect("signed")
}
