//! Sends one alert from `mz.prm` through the public API, and shows its trace hop by hop.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rovuma_lab::{api::Api, border::Border, person, story::SENT_AGAIN};
use serde_json::{Value, json};

use crate::show::Terminal;

/// The alert that is sent when no other is given.
const EXAMPLE: &str = include_str!("../../../../schemas/examples/valid/alert-stolen-motorcycle.json");

/// Time limit for the receipts.
const RECEIPTS_TIMEOUT: Duration = Duration::from_secs(60);

/// How often the sender's gateway is asked for the trace.
const POLL: Duration = Duration::from_millis(20);

/// Reads the draft to send.
///
/// # Errors
/// When the file cannot be read or is not JSON.
pub(crate) fn read(file: Option<&Path>) -> Result<Value> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?,
        None => EXAMPLE.to_owned(),
    };
    serde_json::from_str(&text).context("the draft is not JSON")
}

/// A sent alert with its trace.
pub(crate) struct SentAlert {
    id: String,
    hops: Vec<Value>,
    receipts: usize,
    elapsed: Duration,
}

/// Sends the draft and waits for every recipient's signed receipt. With `read_it`, officers of the recipients
/// open the alert, so that read receipts come back too.
///
/// # Errors
/// When the draft is refused, with every fault, or when a receipt is missing.
pub(crate) async fn send(border: &Border, draft: &Value, read_it: bool) -> Result<SentAlert> {
    let token = log_in(&border.mz, "officer.prm").await?;
    let api = Api::new(&border.mz.url("gateway")?, Some(token))?;
    let started = Instant::now();
    let (id, copies) = release(border, &api, draft).await?;
    let hops = hops(&api, &id, "delivered", copies).await?;
    let elapsed = started.elapsed();
    let mut alert = SentAlert { receipts: count(&hops, "delivered"), id, hops, elapsed };
    if read_it {
        alert.hops = open_as_recipients(border, &api, &alert.id, draft).await?;
    }
    Ok(alert)
}

/// Posts the draft and releases it. Where the policy needs a second person, the officer submits it and the
/// agency's supervisor reads and releases it. Returns the message's id and the number of copies.
async fn release(border: &Border, officer: &Api, draft: &Value) -> Result<(String, usize)> {
    let created = officer.post("/v1/drafts", draft).await?;
    let mut etag = created.etag.clone().unwrap_or_default();
    let body = created.ok().context("the draft was refused")?;
    let id = body["id"].as_str().context("an id")?.to_owned();
    let path = |act: &str| format!("/v1/drafts/{id}/{act}");
    let mut releaser = officer.clone();
    if body["second_person"].is_string() {
        let submitted = officer.post_if_match(&path("submit"), &json!({}), &etag).await?;
        submitted.ok().context("the draft was not submitted")?;
        let token = log_in(&border.mz, "supervisor.prm").await?;
        releaser = Api::new(&border.mz.url("gateway")?, Some(token))?;
        let read = releaser.get(&format!("/v1/drafts/{id}")).await?;
        etag = read.etag.clone().unwrap_or_default();
        read.ok().context("the supervisor could not read the draft")?;
    }
    let despite = json!({ "despite_duplicates": SENT_AGAIN });
    let released = releaser.post_if_match(&path("release"), &despite, &etag).await?;
    let released = released.ok().context("the alert was not released")?;
    Ok((id, released["copies"].as_array().map_or(0, Vec::len)))
}

/// Logs officers of the recipients in, and opens the alert as them.
async fn open_as_recipients(border: &Border, api: &Api, id: &str, draft: &Value) -> Result<Vec<Value>> {
    let mut readers = 0;
    for agency in draft["recipients"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let Some((country, name)) = agency.split_once('.').filter(|(country, _)| *country == "tz") else {
            continue;
        };
        let _ = country;
        let token = log_in(&border.tz, &format!("officer.{name}")).await?;
        let inbox = Api::new(&border.tz.url("gateway")?, Some(token))?;
        inbox.get(&format!("/v1/messages/{id}")).await?.ok().context("the alert could not be opened")?;
        readers += 1;
    }
    hops(api, id, "read", readers).await
}

async fn log_in(country: &rovuma_lab::country::Country, login: &str) -> Result<String> {
    person::log_in(&country.url("identity")?, login, &country.layout().secret(login)).await
}

/// Waits until the trace has `wanted` hops of this kind, and returns its hops.
async fn hops(api: &Api, id: &str, kind: &str, wanted: usize) -> Result<Vec<Value>> {
    let started = Instant::now();
    loop {
        let trace = api.get(&format!("/v1/messages/{id}/trace")).await?.ok()?;
        let hops = trace["hops"].as_array().cloned().unwrap_or_default();
        if count(&hops, kind) >= wanted {
            return Ok(hops);
        }
        if let Some(refused) = hops.iter().find(|hop| hop["hop"] == "rejected") {
            bail!("{} rejected it: {}", refused["agency"], refused["code"]);
        }
        if started.elapsed() > RECEIPTS_TIMEOUT {
            bail!(
                "{} of {wanted} receipts ({kind}) after {} s; the trace so far: {}",
                count(&hops, kind),
                RECEIPTS_TIMEOUT.as_secs(),
                Value::Array(hops)
            );
        }
        tokio::time::sleep(POLL).await;
    }
}

fn count(hops: &[Value], kind: &str) -> usize {
    hops.iter().filter(|hop| hop["hop"] == kind).count()
}

impl SentAlert {
    /// Prints the trace, one line per hop.
    pub(crate) fn print(&self, show: &Terminal) {
        show.line(&format!("alert {}", self.id));
        for hop in &self.hops {
            let text = |name: &str| hop[name].as_str().unwrap_or_default();
            let audit = match hop["audit"]["sequence"].as_u64() {
                Some(sequence) => {
                    format!("  audit {} #{sequence}", hop["audit"]["source"].as_str().unwrap_or_default())
                }
                None => String::new(),
            };
            show.line(&format!("  {}  {:10} {}{audit}", text("at"), text("hop"), text("agency")));
        }
        show.line(&format!(
            "{} signed receipts verified, {} ms after the draft was posted",
            self.receipts,
            self.elapsed.as_millis()
        ));
    }

    /// The last line of output with `--once`.
    pub(crate) fn last_line(&self) -> String {
        let ms = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        json!({ "delivered": true, "receipts": self.receipts, "ms": ms }).to_string()
    }
}
