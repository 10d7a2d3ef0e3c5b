//! Two countries for one test, on brokers that all tests of a program share.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context, Result, bail, ensure};
use rovuma_lab::{
    api::Api,
    border::{Border, Nodes},
    config::LabTimings,
    country::Country,
    person,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};

use crate::eventually;

/// The brokers of this test program. They end with it: the kernel sees to that.
static NODES: OnceCell<(TempDir, Nodes)> = OnceCell::const_new();

/// Names the variable with the beginning of the version of RabbitMQ that shall be tested, `4.`.
const EXPECTED_VERSION: &str = "ROVUMA_RABBITMQ_EXPECTED";

static NEXT: AtomicU32 = AtomicU32::new(1);

/// Both countries' installations, with their services running.
pub struct Lab {
    /// The countries.
    pub border: Border,
    /// The brokers.
    pub nodes: &'static Nodes,
    tokens: Mutex<HashMap<String, String>>,
    _folder: TempDir,
}

impl Lab {
    /// Starts two countries that nobody else uses, quick enough for a test.
    ///
    /// # Errors
    /// When a step fails; it says which.
    pub async fn start() -> Result<Self> {
        Self::start_with(quick()).await
    }

    /// Starts two countries with these intervals.
    ///
    /// # Errors
    /// When a step fails; it says which.
    pub async fn start_with(timings: LabTimings) -> Result<Self> {
        let nodes = nodes().await?;
        let vhost = format!("rovuma-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir()?;
        let mut border =
            Border::prepare(folder.path(), nodes, &programs()?, &vhost, &timings, |_| ()).await?;
        border.start(|_| ()).await?;
        Ok(Self { border, nodes, tokens: Mutex::default(), _folder: folder })
    }

    /// Mozambique or Tanzania.
    pub fn country(&self, code: &str) -> &Country {
        if code == "mz" { &self.border.mz } else { &self.border.tz }
    }

    /// A service's API as somebody of an agency calls it: `("tz.tpf", "officer", "gateway")`.
    ///
    /// # Errors
    /// When they cannot log in.
    pub async fn api(&self, agency: &str, role: &str, service: &str) -> Result<Api> {
        let (code, _) = agency.split_once('.').context("an agency code")?;
        Api::new(&self.country(code).url(service)?, Some(self.token(agency, role).await?))
    }

    /// The access token of somebody of an agency: `("tz.tpf", "officer")`.
    ///
    /// # Errors
    /// When they cannot log in.
    pub async fn token(&self, agency: &str, role: &str) -> Result<String> {
        let (code, name) = agency.split_once('.').context("an agency code")?;
        let country = self.country(code);
        let login = format!("{role}.{name}");
        let mut tokens = self.tokens.lock().await;
        let key = format!("{code} {login}");
        let token = match tokens.get(&key) {
            Some(token) => token.clone(),
            None => {
                person::log_in(&country.url("identity")?, &login, &country.layout().secret(&login)).await?
            }
        };
        tokens.insert(key, token.clone());
        Ok(token)
    }

    /// The gateway as an agency's liaison officer calls it.
    ///
    /// # Errors
    /// When they cannot log in.
    pub async fn officer(&self, agency: &str) -> Result<Api> {
        self.api(agency, "officer", "gateway").await
    }

    /// Posts a draft and releases it; the message's id.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn send(&self, from: &str, draft: &Value) -> Result<String> {
        send(&self.officer(from).await?, draft).await
    }

    /// Waits until a message's way has so many hops of this kind.
    ///
    /// # Errors
    /// When it never does.
    pub async fn hops(&self, api: &Api, id: &str, kind: &str, wanted: usize) -> Result<Vec<Value>> {
        eventually(&format!("{wanted} hops {kind} of {id}"), || async {
            let trace = api.get(&format!("/v1/messages/{id}/trace")).await?.ok()?;
            let hops: Vec<Value> = trace["hops"].as_array().cloned().unwrap_or_default();
            let found: Vec<Value> = hops.into_iter().filter(|hop| hop["hop"] == kind).collect();
            Ok((found.len() >= wanted).then_some(found))
        })
        .await
    }

    /// Waits until the country's audit log has an event with these members, found by its national auditor.
    ///
    /// # Errors
    /// When it never does.
    pub async fn audited(&self, country: &str, query: &str, is_it: impl Fn(&Value) -> bool) -> Result<Value> {
        eventually(&format!("an audit event {query} in {country}"), || async {
            Ok(self.audit_events(country, query).await?.into_iter().find(&is_it))
        })
        .await
    }

    /// Everything that the country's audit log has for this query, as its national auditor finds it.
    ///
    /// # Errors
    /// When the search is refused.
    pub async fn audit_events(&self, country: &str, query: &str) -> Result<Vec<Value>> {
        let auditor = self.api(&format!("{country}.node"), "auditor", "audit").await?;
        let mut found = Vec::new();
        let mut path = format!("/v1/events?{query}&limit=200");
        loop {
            let page = auditor.get(&path).await?.ok()?;
            found.extend(items(&page));
            match page["next"].as_str() {
                Some(next) => path = format!("/v1/events?{query}&limit=200&cursor={next}"),
                None => return Ok(found),
            }
        }
    }

    /// Waits until the gateway of an agency has a quarantined delivery for this reason.
    ///
    /// # Errors
    /// When it never does.
    pub async fn quarantined(&self, agency: &str, reason: &str) -> Result<Value> {
        let api = self.api(agency, "supervisor", "gateway").await?;
        eventually(&format!("{reason} in the quarantine of {agency}"), || async {
            let page = api.get("/v1/quarantine").await?.ok()?;
            Ok(items(&page).into_iter().find(|row| row["reason"] == reason))
        })
        .await
    }
}

/// The rows of a page.
pub fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().cloned().unwrap_or_default()
}

/// Posts a draft as `api` and releases it; the message's id.
///
/// # Errors
/// When it is refused.
pub async fn send(api: &Api, draft: &Value) -> Result<String> {
    let created = api.post("/v1/drafts", draft).await?;
    let etag = created.etag.clone().unwrap_or_default();
    let id = created.ok()?["id"].as_str().context("an id")?.to_owned();
    api.post_if_match(&format!("/v1/drafts/{id}/release"), &json!({}), &etag).await?.ok()?;
    Ok(id)
}

/// The folder of the programs under test: that of this program, or, of a test program, the one above.
///
/// # Errors
/// When they have not been built: `cargo build --workspace --bins` does.
pub fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("target/<profile>")?;
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder }.to_owned();
    for program in ["rovumactl", "rovuma-gateway", "rovuma-identity", "rovuma-audit", "rovuma-watchlist"] {
        if !folder.join(program).exists() {
            bail!("{program} is not built: run `cargo build --workspace --bins` first");
        }
    }
    Ok(folder)
}

async fn nodes() -> Result<&'static Nodes> {
    let start = async || {
        let folder = tempfile::tempdir()?;
        let nodes = Nodes::start(folder.path(), |_| ()).await?;
        is_as_expected(&nodes).await?;
        Ok::<_, anyhow::Error>((folder, nodes))
    };
    Ok(&NODES.get_or_try_init(start).await?.1)
}

/// The nodes are of the version that the caller of the tests says they test.
async fn is_as_expected(nodes: &Nodes) -> Result<()> {
    let Ok(expected) = std::env::var(EXPECTED_VERSION) else { return Ok(()) };
    for node in [&nodes.mz, &nodes.tz] {
        let version = node.management().get("/overview").await?["rabbitmq_version"].clone();
        ensure!(
            version.as_str().is_some_and(|version| version.starts_with(&expected)),
            "RabbitMQ {expected} was to be tested, and the node runs {version}"
        );
    }
    Ok(())
}

/// Everything that a real installation does by the minute, by the second.
pub fn quick() -> LabTimings {
    LabTimings {
        status_every_ms: 500,
        gap_after_ms: 500,
        retransmit_first_ms: 2_000,
        silence_ms: 60_000,
        look_every_ms: 100,
        log: "info".to_owned(),
    }
}
