//! The programme `lists`: how fast a gateway answers that has been in service for years.

use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rovuma_lab::{
    border::{Border, Nodes},
    country::STOP_GRACE,
};
use rovuma_schemas::{MessageId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    draft,
    exchange::{prepare, print_progress, print_step},
    follow::Follower,
    ledger::Ledger,
    machine::MachineFacts,
    old_store::{self, Filled, Keys},
    options::ListsOptions,
    process,
    report::{percentile_ms, rounded},
    sender::AgencySystem,
};

/// Requests over which each percentile is taken.
const QUESTIONS: usize = 200;

/// Rows of a page: what the API gives when nothing is asked for.
const PAGE: usize = 50;

/// Pages that are turned before a list is begun anew.
const PAGES: usize = 10;

/// The figures: the last line of the output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ListsReport {
    sent_p95_ms: f64,
    message_p95_ms: f64,
    inbox_p95_ms: f64,
    unread_p95_ms: f64,
    drafts_p95_ms: f64,
    not_found_p95_ms: f64,
    messages: usize,
    drafts: usize,
    fill_s: f64,
    start_s: f64,
    store_mib: f64,
    rss_mib: f64,
    machine: MachineFacts,
}

impl fmt::Display for ListsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

struct ListsLab {
    border: Border,
    nodes: Nodes,
    _folder: TempDir,
}

/// Runs the measurements that `options` ask for.
///
/// # Errors
/// When a step fails, or an answer is wrong.
pub(crate) async fn run(options: &ListsOptions) -> Result<ListsReport> {
    let this = std::env::current_exe()?;
    let programs = this.parent().context("a folder of programs")?;
    let folder = tempfile::Builder::new().prefix("load-").tempdir_in(programs)?;
    let nodes = Nodes::start(folder.path(), print_step).await?;
    let mut border = prepare(folder.path(), &nodes, programs).await?;
    border.start(print_step).await?;
    let mut lab = ListsLab { border, nodes, _folder: folder };
    let machine = MachineFacts::this(&lab.nodes).await?;
    let measured = lab.measure(options, machine).await;
    lab.border.stop().await;
    lab.nodes.stop().await;
    measured
}

impl ListsLab {
    async fn measure(&mut self, options: &ListsOptions, machine: MachineFacts) -> Result<ListsReport> {
        self.templates().await?;
        // The partner must not ask for messages that it has never been sent.
        self.border.tz.stop().await;
        let mut gateway = self.border.mz.take_service("gateway")?;
        ensure!(gateway.stop(STOP_GRACE).await.is_some(), "the gateway did not stop");
        let store = self.border.mz.layout().store("gateway");
        let (messages, drafts) = (options.messages as usize, options.drafts as usize);
        print_progress(format_args!("filling {}", store.display()));
        let started = Instant::now();
        let filled = self.fill(&store, messages, drafts).await?;
        let fill_s = started.elapsed().as_secs_f64();
        print_progress("starting the gateway on it");
        let started = Instant::now();
        self.border.mz.start_service("gateway")?;
        self.border.mz.ready("gateway").await?;
        let start_s = started.elapsed().as_secs_f64();
        let questions = Questions { officer: AgencySystem::officer(&self.border.mz, "prm").await?, filled };
        let report = questions.ask().await?;
        let pid = self.border.mz.pid("gateway").context("the gateway is not running")?;
        Ok(ListsReport {
            messages,
            drafts,
            fill_s: rounded(fill_s),
            start_s: rounded(start_s),
            store_mib: rounded(std::fs::metadata(&store)?.len() as f64 / 1024.0 / 1024.0),
            rss_mib: rounded(process::peak_rss_mib(pid)?),
            machine,
            sent_p95_ms: percentile_ms(&report.sent, 95),
            message_p95_ms: percentile_ms(&report.message, 95),
            inbox_p95_ms: percentile_ms(&report.inbox, 95),
            unread_p95_ms: percentile_ms(&report.unread, 95),
            drafts_p95_ms: percentile_ms(&report.drafts, 95),
            not_found_p95_ms: percentile_ms(&report.not_found, 95),
        })
    }

    /// One sent message with its receipts, one received message and one draft, made by the product.
    async fn templates(&self) -> Result<()> {
        for (country, agency, draft, copies) in
            [(&self.border.mz, "prm", draft::example(), 2), (&self.border.tz, "tpf", draft::to("mz.prm")?, 1)]
        {
            let sender = AgencySystem::officer(country, agency).await?;
            let ledger = Arc::new(Ledger::new());
            let mut follower = Follower::start(&sender, Arc::clone(&ledger)).await?;
            sender.send(draft, &ledger).await?;
            follower.until_delivered(&ledger, copies).await?;
        }
        AgencySystem::officer(&self.border.mz, "prm").await?.create(draft::example()).await?;
        Ok(())
    }

    async fn fill(&self, store: &Path, messages: usize, drafts: usize) -> Result<Filled> {
        let sender = self.border.mz.layout().signing_key(&"mz.prm".parse()?);
        let partner = self.border.tz.layout().signing_key(&"tz.tpf".parse()?);
        let keys = Keys { sender: &sender, partner: &partner };
        old_store::fill(store, &keys, messages, drafts).await
    }
}

/// An officer who asks for what the store holds, and knows the right answers.
struct Questions {
    officer: AgencySystem,
    filled: Filled,
}

/// How long each answer took.
struct Answers {
    sent: Vec<Duration>,
    message: Vec<Duration>,
    inbox: Vec<Duration>,
    unread: Vec<Duration>,
    drafts: Vec<Duration>,
    not_found: Vec<Duration>,
}

impl Questions {
    async fn ask(&self) -> Result<Answers> {
        // Reading a message makes it read, so the lists come first.
        Ok(Answers {
            sent: self.list("/v1/sent", &self.filled.sent).await?,
            inbox: self.list("/v1/inbox", &self.filled.received).await?,
            unread: self.list("/v1/inbox?unread=true", &self.filled.unread).await?,
            drafts: self.list("/v1/drafts", &self.filled.open_drafts).await?,
            message: self.messages().await?,
            not_found: self.not_found().await?,
        })
    }

    /// Turns the pages of a list, which must show `ids` from the last to the first.
    async fn list(&self, path: &str, ids: &[MessageId]) -> Result<Vec<Duration>> {
        print_progress(path);
        let expected: Vec<String> = ids.iter().rev().map(ToString::to_string).collect();
        let mut times = Vec::with_capacity(QUESTIONS);
        let (mut page, mut cursor) = (0, None);
        while times.len() < QUESTIONS {
            let mark = if path.contains('?') { '&' } else { '?' };
            let asked = match &cursor {
                Some(cursor) => format!("{path}{mark}cursor={cursor}"),
                None => path.to_owned(),
            };
            let started = Instant::now();
            let answer = self.officer.read(&asked).await?;
            times.push(started.elapsed());
            let rows = answer["items"].as_array().context("a page")?;
            let shown: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
            let wanted = &expected[page * PAGE..((page + 1) * PAGE).min(expected.len())];
            ensure!(shown == wanted, "{asked} shows {shown:?}, not {wanted:?}");
            if path == "/v1/sent" {
                let copies =
                    rows.iter().all(|row| row["copies"].as_array().is_some_and(|all| all.len() == 2));
                ensure!(copies, "{asked}: a message has not two copies: {answer}");
            }
            cursor = answer["next"].as_str().map(str::to_owned);
            ensure!(cursor.is_some() || (page + 1) * PAGE >= expected.len(), "{asked} ends too early");
            page += 1;
            if page == PAGES || cursor.is_none() {
                (page, cursor) = (0, None);
            }
        }
        Ok(times)
    }

    /// Reads messages from everywhere in the store, sent and received in turn.
    async fn messages(&self) -> Result<Vec<Duration>> {
        print_progress("/v1/messages/{id}");
        let mut times = Vec::with_capacity(QUESTIONS);
        for number in 0..QUESTIONS {
            let (ids, direction) = if number % 2 == 0 {
                (&self.filled.sent, "sent")
            } else {
                (&self.filled.received, "received")
            };
            let id = ids[number * (ids.len() - 1) / QUESTIONS].to_string();
            let started = Instant::now();
            let answer = self.officer.read(&format!("/v1/messages/{id}")).await?;
            times.push(started.elapsed());
            let found = (answer["header"]["id"].as_str(), answer["direction"].as_str());
            ensure!(found == (Some(id.as_str()), Some(direction)), "{id} is {found:?}");
            ensure!(answer["payload"]["body"] != Value::Null, "{id} has no content");
        }
        Ok(times)
    }

    /// Asks for messages and drafts that do not exist.
    async fn not_found(&self) -> Result<Vec<Duration>> {
        print_progress("what does not exist");
        let mut times = Vec::with_capacity(QUESTIONS);
        for number in 0..QUESTIONS {
            let kind = if number % 2 == 0 { "messages" } else { "drafts" };
            let path = format!("/v1/{kind}/{}", MessageId::draw(Timestamp::system_now()));
            let started = Instant::now();
            let answer = self.officer.get(&path).send().await?;
            let status = answer.status();
            let text = answer.text().await?;
            times.push(started.elapsed());
            if status != 404 {
                bail!("{path} answered {status}: {text}");
            }
        }
        Ok(times)
    }
}
