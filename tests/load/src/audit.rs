//! The programme `audit`: fills an audit log, then measures it.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rovuma_lab::{
    api::Api,
    border::{Border, Nodes},
    country::Country,
    person,
};
use serde::Serialize;
use tempfile::TempDir;

use crate::{
    exchange::{print_progress, start_border},
    machine::MachineFacts,
    options::AuditOptions,
    process,
    report::{median, percentile_ms, rounded},
    source::{LoadSource, objects},
};

/// Events appended before anything is measured.
const WARM_UP: u32 = 5_120;

/// Requests over which a percentile is taken.
const QUESTIONS: u32 = 200;

/// Events of one delivery while latency is measured. With the deliveries' interval, it gives 500 events a second.
const SMALL_BATCH: u32 = 10;
const SMALL_EVERY: Duration = Duration::from_millis(20);
const SMALL_A_SECOND: u32 = 50;

/// Time limit for a cosigned head.
const COVER_TIMEOUT: Duration = Duration::from_secs(120);

/// How often the published head is read while latency is measured.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The figures: the last line of the output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AuditReport {
    appends_per_s: f64,
    ack_p99_ms: f64,
    cosigned_p95_ms: f64,
    proof_p95_ms: f64,
    verify_s: f64,
    who_read_p95_ms: f64,
    bytes_per_event: f64,
    ack_p50_ms: f64,
    cosigned_p50_ms: f64,
    leaves: u64,
    append_rounds: Vec<f64>,
    cpu_us_per_event: f64,
    rss_mib: BTreeMap<String, f64>,
    public_bytes_per_event: f64,
    machine: MachineFacts,
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Both countries, running.
struct AuditLab {
    border: Border,
    nodes: Nodes,
    options: AuditOptions,
    source: LoadSource,
    _folder: TempDir,
}

/// Runs the measurements that `options` ask for.
///
/// # Errors
/// When a step fails, or an event is not acknowledged.
pub(crate) async fn run(options: &AuditOptions) -> Result<AuditReport> {
    let (border, nodes, folder) = start_border().await?;
    let source = LoadSource::start(&border.mz, &nodes.mz)?;
    let programs = folder.path().parent().context("a folder of programs")?.to_owned();
    let mut lab = AuditLab { border, nodes, options: options.clone(), source, _folder: folder };
    let machine = MachineFacts::this(&lab.nodes).await?;
    let measured = lab.measure(machine, &programs).await;
    lab.source.stop().await;
    lab.border.stop().await;
    lab.nodes.stop().await;
    measured
}

impl AuditLab {
    async fn measure(&mut self, machine: MachineFacts, programs: &Path) -> Result<AuditReport> {
        print_progress("warming up");
        self.source.round(WARM_UP).await?;
        let latency = self.latency().await?;
        let pid = self.border.mz.pid("audit").context("the audit service is not running")?;
        let before = process::cpu(pid)?;
        let rounds = self.fill().await?;
        let appended = f64::from(self.options.round) * rounds.len() as f64;
        let cpu = (process::cpu(pid)? - before).as_secs_f64() * 1e6 / appended;
        print_progress("asking who read what, and for proofs");
        let auditor = auditor(&self.border.mz, "node").await?;
        let who_read = self.who_read(&auditor).await?;
        let proofs = self.proofs(&auditor).await?;
        let leaves = self.until_published(&auditor).await?;
        let rss_mib = [("audit".to_owned(), rounded(process::peak_rss_mib(pid)?))].into();
        // Stop the services, so that the log's folder and the store are complete.
        self.border.mz.stop().await;
        let (stored, public) = (store_bytes(&self.border.mz)?, folder_bytes(&log_folder(&self.border.mz)?)?);
        print_progress("verifying the whole log offline");
        let verify = verify(&self.border.mz, programs)?;
        Ok(AuditReport {
            appends_per_s: rounded(median(&rounds)),
            ack_p99_ms: percentile_ms(&latency.acknowledged, 99),
            cosigned_p95_ms: percentile_ms(&latency.cosigned, 95),
            proof_p95_ms: percentile_ms(&proofs, 95),
            verify_s: rounded(verify.as_secs_f64()),
            who_read_p95_ms: percentile_ms(&who_read, 95),
            bytes_per_event: rounded(stored as f64 / leaves as f64),
            ack_p50_ms: percentile_ms(&latency.acknowledged, 50),
            cosigned_p50_ms: percentile_ms(&latency.cosigned, 50),
            leaves,
            append_rounds: rounds.iter().copied().map(rounded).collect(),
            cpu_us_per_event: rounded(cpu),
            rss_mib,
            public_bytes_per_event: rounded(public as f64 / leaves as f64),
            machine,
        })
    }

    /// Appends until the log has as many events as the options ask for. Returns the events a second of each round.
    async fn fill(&mut self) -> Result<Vec<f64>> {
        let mut rounds = Vec::new();
        while self.source.sent() < u64::from(self.options.events) {
            let took = self.source.round(self.options.round).await?;
            let rate = f64::from(self.options.round) / took.as_secs_f64();
            print_progress(format_args!("{} events: {rate:.0} a second", self.source.sent()));
            rounds.push(rate);
        }
        ensure!(!rounds.is_empty(), "nothing to append: --events is too small");
        Ok(rounds)
    }

    /// Sends 500 events a second, and measures the time until each delivery is acknowledged, and until it is in a
    /// cosigned head.
    async fn latency(&mut self) -> Result<AuditLatency> {
        print_progress(format_args!("500 events a second for {} s", self.options.seconds));
        until("no head is published within 2 min", || log_folder(&self.border.mz).ok()).await?;
        let folder = log_folder(&self.border.mz)?;
        let seen = SeenHeads::default();
        let watching = tokio::spawn(watch(folder.join("checkpoint"), Arc::clone(&seen)));
        let times = self.options.seconds * SMALL_A_SECOND;
        let sent = self.source.paced(times, SMALL_BATCH, SMALL_EVERY).await?;
        // Soon after the last delivery, a cosigned head covers every delivery.
        let auditor = auditor(&self.border.mz, "node").await?;
        let mut indexed = Vec::new();
        for delivery in sent.iter().step_by(20) {
            indexed.push((delivery, self.source.index(&auditor, delivery.last).await?));
        }
        let last = indexed.last().map_or(0, |(_, index)| *index);
        until_head(&folder.join("checkpoint"), last).await?;
        watching.abort();
        let heads = seen.lock().map(|heads| heads.clone()).unwrap_or_default();
        let cosigned = indexed.iter().filter_map(|(delivery, index)| {
            let at = heads.iter().find(|(_, size)| size > index).map(|(at, _)| *at)?;
            Some(at.saturating_duration_since(delivery.at))
        });
        Ok(AuditLatency {
            cosigned: cosigned.collect(),
            acknowledged: sent.iter().map(|delivery| delivery.acknowledged).collect(),
        })
    }

    async fn who_read(&self, auditor: &Api) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        for object in objects(QUESTIONS, u64::from(self.options.events)) {
            let path = format!("/v1/events?action=message.read&object={object}&limit=200");
            let begun = Instant::now();
            let page = auditor.get(&path).await?.ok()?;
            times.push(begun.elapsed());
            let found = page["items"].as_array().map_or(0, Vec::len);
            ensure!(found > 0, "nobody read {object}");
        }
        Ok(times)
    }

    async fn proofs(&self, auditor: &Api) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        for number in 0..QUESTIONS {
            let sequence = 1 + u64::from(number) * self.source.sent() / u64::from(QUESTIONS) / 2;
            let path = self.source.path(sequence);
            let begun = Instant::now();
            auditor.get(&format!("{path}/proof")).await?.ok()?;
            times.push(begun.elapsed());
        }
        Ok(times)
    }

    /// Waits until every event so far is published. Returns the number of leaves.
    async fn until_published(&self, auditor: &Api) -> Result<u64> {
        let index = self.source.index(auditor, self.source.sent()).await?;
        until_head(&log_folder(&self.border.mz)?.join("checkpoint"), index).await
    }
}

/// The latencies of deliveries sent at fixed times.
struct AuditLatency {
    acknowledged: Vec<Duration>,
    cosigned: Vec<Duration>,
}

/// The sizes of the published heads, and when each was seen first.
type SeenHeads = Arc<Mutex<Vec<(Instant, u64)>>>;

async fn watch(checkpoint: PathBuf, seen: SeenHeads) {
    loop {
        if let Some(size) = size_of(&checkpoint)
            && let Ok(mut heads) = seen.lock()
            && heads.last().is_none_or(|(_, last)| *last < size)
        {
            heads.push((Instant::now(), size));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The size that a checkpoint states, if both countries have cosigned it.
fn size_of(checkpoint: &Path) -> Option<u64> {
    let note = std::fs::read_to_string(checkpoint).ok()?;
    let cosigned = ["— mz.audit ", "— tz.audit "].iter().all(|line| note.contains(line));
    note.lines().nth(1)?.parse().ok().filter(|_| cosigned)
}

/// Waits until a cosigned head with more than `index` leaves is published. Returns its size.
async fn until_head(checkpoint: &Path, index: u64) -> Result<u64> {
    let what = format!("no cosigned head with entry {index} within 2 min");
    until(&what, || size_of(checkpoint).filter(|size| *size > index)).await
}

/// Waits until a cosigned head covers every entry that the auditor finds now.
///
/// # Errors
/// When none does within two minutes.
pub(crate) async fn until_covered(auditor: &Api) -> Result<()> {
    let newest = auditor.get("/v1/events?limit=1").await?.ok()?;
    let newest = newest["items"][0]["index"].as_u64().context("an entry")?;
    let begun = Instant::now();
    loop {
        let logs = auditor.get("/v1/logs").await?.ok()?;
        let log = logs["logs"].as_array().and_then(|logs| logs.last()).cloned().unwrap_or_default();
        if log["good"]["size"].as_u64() > Some(newest) {
            return Ok(());
        }
        ensure!(begun.elapsed() < COVER_TIMEOUT, "no cosigned head covers entry {newest}: {log}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Waits until `look` returns a value.
async fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        ensure!(begun.elapsed() < COVER_TIMEOUT, "{what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The API of the country's audit service, as an auditor of one of its agencies asks it.
///
/// # Errors
/// When the log-in fails.
pub(crate) async fn auditor(country: &Country, agency: &str) -> Result<Api> {
    let login = format!("auditor.{agency}");
    let token = person::log_in(&country.url("identity")?, &login, &country.layout().secret(&login)).await?;
    Api::new(&country.url("audit")?, Some(token))
}

/// The folder of the country's present log.
fn log_folder(country: &Country) -> Result<PathBuf> {
    let logs = country.layout().data("audit-log").join(format!("{}.audit", country.plan().country));
    let newest = std::fs::read_dir(&logs)?.flatten().map(|entry| entry.path()).max();
    newest.context("no log is published")
}

fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes +=
            if entry.file_type()?.is_dir() { folder_bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

fn store_bytes(country: &Country) -> Result<u64> {
    let store = country.layout().store("audit");
    let beside = |suffix: &str| {
        let mut name = store.clone().into_os_string();
        name.push(suffix);
        std::fs::metadata(name).map_or(0, |file| file.len())
    };
    Ok(std::fs::metadata(&store)?.len() + beside("-wal"))
}

fn verify(country: &Country, programs: &Path) -> Result<Duration> {
    let begun = Instant::now();
    let output = Command::new(programs.join("rovumactl"))
        .args(["audit", "verify", "--policy"])
        .arg(country.layout().audit_policy())
        .arg(log_folder(country)?)
        .output()?;
    let took = begun.elapsed();
    ensure!(output.status.success(), "the log does not hold: {}", String::from_utf8_lossy(&output.stdout));
    Ok(took)
}
