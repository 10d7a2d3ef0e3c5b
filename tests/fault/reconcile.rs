//! Counts afterwards: every accepted message took effect exactly once at each recipient, has its receipt, and is in
//! both audit logs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rovuma_lab::api::Api;
use serde_json::Value;

use crate::{stage::RunningCountries, traffic::Accepted};

/// When nothing has changed for this long, nothing more will.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often the counts are checked for being complete.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Rows of a page: the maximum.
const PAGE: usize = 200;

/// The result of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FaultReport {
    pub(crate) accepted: usize,
    /// Copies: one for each recipient of each message.
    pub(crate) copies: usize,
    pub(crate) delivered_once: usize,
    pub(crate) receipted: usize,
    pub(crate) audited: usize,
    pub(crate) lost: Vec<String>,
    pub(crate) doubled: Vec<String>,
    /// Other figures that the scenario measured: all of them, of a scenario that counts something else than copies.
    pub(crate) note: String,
}

impl FaultReport {
    fn holds(&self) -> bool {
        let all = [self.delivered_once, self.receipted, self.audited];
        self.lost.is_empty() && self.doubled.is_empty() && all.iter().all(|count| *count == self.copies)
    }

    /// Adds a note.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Adds the counts of another part of the same scenario.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.accepted += other.accepted;
        self.copies += other.copies;
        self.delivered_once += other.delivered_once;
        self.receipted += other.receipted;
        self.audited += other.audited;
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        let notes: Vec<String> =
            [self.note, other.note].into_iter().filter(|note| !note.is_empty()).collect();
        Self { note: notes.join(", "), ..self }
    }
}

impl fmt::Display for FaultReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.copies == 0 && !self.note.is_empty() {
            return f.write_str(&self.note);
        }
        write!(
            f,
            "accepted {}, copies {}, delivered once {}, receipted {}, audited {}; lost {}, doubled {}",
            self.accepted,
            self.copies,
            self.delivered_once,
            self.receipted,
            self.audited,
            self.lost.len(),
            self.doubled.len()
        )?;
        if self.note.is_empty() { Ok(()) } else { write!(f, "; {}", self.note) }
    }
}

/// Waits until everything accepted is settled, counts, and reports.
///
/// # Errors
/// When messages were lost or doubled, or the logs lack events; the error names the first fault.
pub(crate) async fn reconcile(stage: &RunningCountries, accepted: &[Accepted]) -> Result<FaultReport> {
    reconcile_with(stage, &ExpectedCounts { accepted, again: &[], unknown: &[] }).await
}

/// What the counts must come to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedCounts<'a> {
    /// The messages that the senders' gateways have accepted and still know.
    pub(crate) accepted: &'a [Accepted],
    /// Those of them that recipients received, lost with their store, and received again: the audit logs have both
    /// receptions, and a receipt for each.
    pub(crate) again: &'a [Accepted],
    /// Messages that recipients have, and the sender's gateway has lost with its store.
    pub(crate) unknown: &'a [Accepted],
}

/// As [`reconcile`], for scenarios in which stores were lost.
///
/// # Errors
/// As [`reconcile`].
pub(crate) async fn reconcile_with(
    stage: &RunningCountries,
    expected: &ExpectedCounts<'_>,
) -> Result<FaultReport> {
    let accepted = expected.accepted;
    let distinct: BTreeSet<&str> = accepted.iter().map(|message| message.id.as_str()).collect();
    if distinct.len() != accepted.len() {
        bail!("{} accepted messages have {} ids", accepted.len(), distinct.len());
    }
    let mut report = FaultReport { accepted: accepted.len(), ..FaultReport::default() };
    let senders: BTreeSet<&str> = accepted.iter().map(|message| message.sender).collect();
    let recipients: BTreeSet<&str> = accepted.iter().flat_map(|message| message.recipients.clone()).collect();
    for sender in &senders {
        let api = stage.api(sender, "officer", "gateway").await?;
        let theirs: Vec<&Accepted> = accepted.iter().filter(|message| message.sender == *sender).collect();
        report.receipted += receipted(&api, &theirs).await?;
    }
    for recipient in &recipients {
        let api = stage.api(recipient, "officer", "gateway").await?;
        let (stored, told) = (inbox(&api).await?, received_events(&api).await?);
        let theirs = |message: &&Accepted| message.recipients.contains(recipient);
        let mut known: BTreeSet<&str> =
            expected.unknown.iter().filter(theirs).map(|message| message.id.as_str()).collect();
        for message in accepted.iter().filter(theirs) {
            known.insert(message.id.as_str());
            let times = |counts: &BTreeMap<String, usize>| counts.get(&message.id).copied().unwrap_or(0);
            let what = || format!("{} for {recipient}", message.id);
            report.copies += 1;
            match (times(&stored), times(&told)) {
                (1, 1) => report.delivered_once += 1,
                (0, _) | (_, 0) => report.lost.push(what()),
                _ => report.doubled.push(what()),
            }
        }
        let unknown = stored.keys().filter(|id| !known.contains(id.as_str()));
        report
            .doubled
            .extend(unknown.map(|id| format!("{id} at {recipient}, which nobody was told was accepted")));
    }
    report.audited = audited(stage, expected).await?;
    if !report.holds() {
        let wrong = report.lost.iter().map(|what| format!("lost {what}"));
        let wrong = wrong.chain(report.doubled.iter().map(|what| format!("doubled {what}")));
        bail!("{report}: {}", wrong.take(3).collect::<Vec<_>>().join(", "));
    }
    Ok(report)
}

/// Counts the copies of these messages that have a receipt. Waits until all have: a recipient may have requested a
/// copy again that was on its way all the time, and until the second receipt arrives, the copy counts as on its way.
async fn receipted(api: &Api, messages: &[&Accepted]) -> Result<usize> {
    let wanted: usize = messages.iter().map(|message| message.recipients.len()).sum();
    let (mut best, mut since) = (0, Instant::now());
    loop {
        let sent = sent(api).await?;
        let has_receipt = |message: &Accepted, recipient: &str| {
            let state = sent.get(&(message.id.clone(), recipient.to_owned()));
            state.is_some_and(|state| state == "delivered" || state == "read")
        };
        let found = messages
            .iter()
            .map(|message| message.recipients.iter().filter(|to| has_receipt(message, to)).count())
            .sum();
        if found == wanted || since.elapsed() > PATIENCE {
            return Ok(found);
        }
        if found > best {
            (best, since) = (found, Instant::now());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The state of each copy, by message and recipient.
async fn sent(api: &Api) -> Result<BTreeMap<(String, String), String>> {
    let mut states = BTreeMap::new();
    for row in pages(api, "/v1/sent", "").await? {
        for copy in row["copies"].as_array().into_iter().flatten() {
            states.insert((text(&row["id"]), text(&copy["recipient"])), text(&copy["state"]));
        }
    }
    Ok(states)
}

/// How often each message is in the inbox.
async fn inbox(api: &Api) -> Result<BTreeMap<String, usize>> {
    Ok(count(pages(api, "/v1/inbox", "").await?.iter().map(|row| text(&row["id"]))))
}

/// How often an event announced each message as received.
async fn received_events(api: &Api) -> Result<BTreeMap<String, usize>> {
    let (mut after, mut ids) = (0, Vec::new());
    loop {
        let page = api.get(&format!("/v1/events?after={after}&limit={PAGE}")).await?.ok()?;
        let events =
            page["events"].as_array().or_else(|| page["items"].as_array()).cloned().unwrap_or_default();
        let Some(last) = events.last().and_then(|event| event["seq"].as_i64()) else { return Ok(count(ids)) };
        after = last;
        let received = events.iter().filter(|event| event["event"] == "message.received");
        ids.extend(received.map(|event| text(&event["object"])));
    }
}

/// Counts the copies that are in both countries' audit logs exactly once: sent, received, and receipt accepted. Waits
/// until the sources have shipped their events.
async fn audited(stage: &RunningCountries, expected: &ExpectedCounts<'_>) -> Result<usize> {
    let accepted = expected.accepted;
    let (mut best, mut since) = (0, Instant::now());
    loop {
        let logs = AuditCounts::read(stage).await?;
        let received_twice = |message: &Accepted| expected.again.contains(message);
        let found =
            accepted.iter().map(|message| logs.copies_told_of(message, received_twice(message))).sum();
        let wanted: usize = accepted.iter().map(|message| message.recipients.len()).sum();
        if found == wanted && logs.alarms.is_empty() {
            return Ok(found);
        }
        if found > best {
            (best, since) = (found, Instant::now());
        }
        if since.elapsed() > PATIENCE {
            if !logs.alarms.is_empty() {
                bail!("the audit logs sound alarms: {}", logs.alarms.join(", "));
            }
            let missing = accepted.iter().find(|message| {
                logs.copies_told_of(message, received_twice(message)) < message.recipients.len()
            });
            bail!(
                "the audit logs tell of {found} of {wanted} copies; {}",
                missing.map(|message| logs.step_counts(message)).unwrap_or_default()
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The counts of events in both countries' audit logs.
#[derive(Debug, Default)]
struct AuditCounts {
    /// By country and message.
    sent: BTreeMap<(String, String), usize>,
    /// By agency and message.
    received: BTreeMap<(String, String), usize>,
    /// By recipient and message.
    receipted: BTreeMap<(String, String), usize>,
    alarms: Vec<String>,
}

impl AuditCounts {
    async fn read(stage: &RunningCountries) -> Result<Self> {
        let mut logs = Self::default();
        for country in ["mz", "tz"] {
            let api = stage.api(&format!("{country}.node"), "auditor", "audit").await?;
            for event in events(&api, "message.send").await? {
                *logs.sent.entry((country.to_owned(), text(&event["object"]["id"]))).or_default() += 1;
            }
            for event in events(&api, "message.receive").await? {
                let key = (text(&event["agency"]), text(&event["object"]["id"]));
                *logs.received.entry(key).or_default() += 1;
            }
            for event in events(&api, "receipt.accept").await? {
                if event["details"]["kind"] == "delivered" {
                    let key = (text(&event["details"]["by"]), text(&event["object"]["id"]));
                    *logs.receipted.entry(key).or_default() += 1;
                }
            }
            let state = api.get("/v1/sources").await?.ok()?;
            for source in state["sources"].as_array().into_iter().flatten() {
                let open = source["alarms"].as_array().into_iter().flatten();
                let open = open.filter(|alarm| alarm["closed_at"].is_null() && alarm["kind"] != "new_epoch");
                logs.alarms.extend(
                    open.map(|alarm| format!("{} {}", text(&source["source"]), text(&alarm["kind"]))),
                );
            }
        }
        Ok(logs)
    }

    /// How often the logs have each step of a message.
    fn step_counts(&self, message: &Accepted) -> String {
        let times = |counts: &BTreeMap<(String, String), usize>, by: &str| {
            counts.get(&(by.to_owned(), message.id.clone())).copied().unwrap_or(0)
        };
        let steps = message.recipients.iter().map(|recipient| {
            let (received, receipted) = (times(&self.received, recipient), times(&self.receipted, recipient));
            format!("received by {recipient} {received} times, its receipt accepted {receipted} times")
        });
        let sent = times(&self.sent, &message.sender[..2]);
        format!("{} was sent {sent} times, {}", message.id, steps.collect::<Vec<_>>().join(", "))
    }

    fn copies_told_of(&self, message: &Accepted, received_twice: bool) -> usize {
        let times = |counts: &BTreeMap<(String, String), usize>, by: &str| {
            counts.get(&(by.to_owned(), message.id.clone())).copied().unwrap_or(0)
        };
        let receptions = if received_twice { 2 } else { 1 };
        let told = |recipient: &&&str| {
            times(&self.sent, &message.sender[..2]) == 1
                && times(&self.received, recipient) == receptions
                // What is settled stays settled: the receipt of a second reception settles nothing.
                && times(&self.receipted, recipient) == 1
        };
        message.recipients.iter().filter(told).count()
    }
}

async fn events(api: &Api, action: &str) -> Result<Vec<Value>> {
    let rows = pages(api, "/v1/events", &format!("action={action}&")).await?;
    Ok(rows.into_iter().map(|row| row["event"].clone()).collect())
}

/// Every row of a list, page by page.
pub(crate) async fn pages(api: &Api, path: &str, query: &str) -> Result<Vec<Value>> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("{path}?{query}limit={PAGE}{cursor}")).await?.ok()?;
        rows.extend(items(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(rows),
        }
    }
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().or_else(|| page["events"].as_array()).cloned().unwrap_or_default()
}

fn count(ids: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in ids {
        *counts.entry(id).or_default() += 1;
    }
    counts
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
