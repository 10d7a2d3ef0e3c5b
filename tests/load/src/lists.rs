//! The programme `lists`: how fast a gateway answers that has been in service for years.

mod cases;
mod templates;

use std::{
    fmt,
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

use self::cases::CaseAnswers;
use crate::{
    exchange::{print_progress, start_border},
    machine::MachineFacts,
    old_store::{self, Amounts, Filled, Keys},
    options::ListsOptions,
    process,
    report::{median, percentile_ms, rounded},
    sender::AgencySystem,
};

/// Requests over which each percentile is taken.
const QUESTIONS: usize = 200;

/// Rows of a page: what the API gives when nothing is asked for.
const PAGE: usize = 50;

/// Pages that are turned before a list is begun anew.
const PAGES: usize = 10;

/// Messages of a case in the filled store.
const MESSAGES_PER_CASE: usize = 4;

/// The figures: the last line of the output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ListsReport {
    sent_p95_ms: f64,
    message_p95_ms: f64,
    inbox_p95_ms: f64,
    unread_p95_ms: f64,
    drafts_p95_ms: f64,
    not_found_p95_ms: f64,
    cases_p95_ms: f64,
    cases_state_p95_ms: f64,
    cases_ball_p95_ms: f64,
    cases_partner_p95_ms: f64,
    cases_category_p95_ms: f64,
    cases_reference_p95_ms: f64,
    cases_short_reference_p95_ms: f64,
    cases_due_p95_ms: f64,
    case_p95_ms: f64,
    case_timeline_p95_ms: f64,
    follow_1_ms: f64,
    follow_30_ms: f64,
    refold_30_ms: f64,
    cases_checked: usize,
    messages: usize,
    cases: usize,
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
    let (border, nodes, folder) = start_border().await?;
    let mut lab = ListsLab { border, nodes, _folder: folder };
    let machine = MachineFacts::this(&lab.nodes).await?;
    let measured = lab.measure(options, machine).await;
    lab.border.stop().await;
    lab.nodes.stop().await;
    measured
}

impl ListsLab {
    async fn measure(&mut self, options: &ListsOptions, machine: MachineFacts) -> Result<ListsReport> {
        let openers = templates::make(&self.border).await?;
        // The partner must not ask for messages that it has never been sent.
        self.border.tz.stop().await;
        let mut gateway = self.border.mz.take_service("gateway")?;
        ensure!(gateway.stop(STOP_GRACE).await.is_some(), "the gateway did not stop");
        let store = self.border.mz.layout().store("gateway");
        let amounts =
            Amounts { cases: options.messages as usize / MESSAGES_PER_CASE, drafts: options.drafts as usize };
        print_progress(format_args!("filling {}", store.display()));
        let started = Instant::now();
        let keys = Keys {
            sender: &self.border.mz.layout().signing_key(&"mz.prm".parse()?),
            partner: &self.border.tz.layout().signing_key(&"tz.tpf".parse()?),
        };
        let filled = old_store::fill(&store, &keys, &openers, amounts).await?;
        let (messages, cases) = (filled.sent.len() + filled.received.len(), filled.cases.len());
        let fill_s = started.elapsed().as_secs_f64();
        print_progress("starting the gateway on it");
        let started = Instant::now();
        self.border.mz.start_service("gateway")?;
        self.border.mz.ready("gateway").await?;
        let start_s = started.elapsed().as_secs_f64();
        let questions = Questions { officer: AgencySystem::officer(&self.border.mz, "prm").await?, filled };
        let report = questions.ask().await?;
        // Several minutes of questions may outlast a token.
        let officer = AgencySystem::officer(&self.border.mz, "prm").await?.repeating();
        let of_cases = cases::ask(&officer, &questions.filled).await?;
        let CaseAnswers { follow_1, follow_30, .. } = &of_cases;
        let (follow_1_ms, follow_30_ms) = (median_ms(follow_1), median_ms(follow_30));
        let pid = self.border.mz.pid("gateway").context("the gateway is not running")?;
        Ok(ListsReport {
            messages,
            cases,
            drafts: amounts.drafts,
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
            cases_p95_ms: percentile_ms(&of_cases.all, 95),
            cases_state_p95_ms: percentile_ms(&of_cases.state, 95),
            cases_ball_p95_ms: percentile_ms(&of_cases.ball, 95),
            cases_partner_p95_ms: percentile_ms(&of_cases.partner, 95),
            cases_category_p95_ms: percentile_ms(&of_cases.category, 95),
            cases_reference_p95_ms: percentile_ms(&of_cases.reference, 95),
            cases_short_reference_p95_ms: percentile_ms(&of_cases.short_reference, 95),
            cases_due_p95_ms: percentile_ms(&of_cases.due, 95),
            case_p95_ms: percentile_ms(&of_cases.case, 95),
            case_timeline_p95_ms: percentile_ms(&of_cases.timeline, 95),
            follow_1_ms,
            follow_30_ms,
            refold_30_ms: rounded(follow_30_ms - follow_1_ms),
            cases_checked: of_cases.checked,
        })
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
        turn_pages(&self.officer, path, ids, |rows| {
            let is_right = |row: &Value| {
                let id = row["id"].as_str().and_then(|id| id.parse::<MessageId>().ok());
                let wanted = if id.is_some_and(|id| self.filled.to_one.contains(&id)) { 1 } else { 2 };
                row["copies"].as_array().is_some_and(|all| all.len() == wanted)
            };
            path != "/v1/sent" || rows.iter().all(is_right)
        })
        .await
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

/// Turns the pages of a list, which must show the messages or cases `ids` from the last to the first, and pass the check.
async fn turn_pages(
    officer: &AgencySystem,
    path: &str,
    ids: &[MessageId],
    is_right: impl Fn(&[Value]) -> bool,
) -> Result<Vec<Duration>> {
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
        let answer = officer.read(&asked).await?;
        times.push(started.elapsed());
        let rows = answer["items"].as_array().context("a page")?;
        let shown: Vec<&str> = rows.iter().filter_map(shown_id).collect();
        let wanted = &expected[page * PAGE..((page + 1) * PAGE).min(expected.len())];
        ensure!(shown == wanted, "{asked} shows {shown:?}, not {wanted:?}");
        ensure!(is_right(rows), "{asked} shows wrong rows: {answer}");
        cursor = answer["next"].as_str().map(str::to_owned);
        ensure!(cursor.is_some() || (page + 1) * PAGE >= expected.len(), "{asked} ends too early");
        page += 1;
        if page == PAGES || cursor.is_none() {
            (page, cursor) = (0, None);
        }
    }
    Ok(times)
}

/// The id of the message or the case in a row.
fn shown_id(row: &Value) -> Option<&str> {
    row["case"]["id"].as_str().filter(|_| row.get("ball").is_some()).or_else(|| row["id"].as_str())
}

fn median_ms(times: &[Duration]) -> f64 {
    let times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
    rounded(median(&times))
}
