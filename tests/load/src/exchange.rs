//! The programme `exchange`: starts both countries and measures the product against the bare relay.

use std::{collections::BTreeMap, fmt::Display, time::Duration};

use anyhow::{Context, Result};
use rovuma_lab::{
    border::{Border, Nodes},
    config::LabTimings,
    country::STOP_GRACE,
};
use tempfile::TempDir;

use crate::{
    bare::Bare,
    line::Lines,
    machine::MachineFacts,
    metrics::Metrics,
    options::ExchangeOptions,
    process,
    product::{self, COPIES},
    report::{LoadReport, median, percentile_ms, rounded},
    usage::{LabProcesses, UsageDelta},
};

/// Alerts posted before anything is measured: they open connections, prepare statements and fill caches.
const WARM_UP: u32 = 200;

/// Messages sent through the bare relay before it is measured.
const BARE_WARM_UP: u32 = 2000;

/// Processors that other programs may keep busy: the kernel's own work on our behalf is about half of it.
const OTHER_LOAD_MAX: f64 = 0.1;

/// Both countries, running.
struct ExchangeLab {
    border: Border,
    nodes: Nodes,
    parts: LabProcesses,
    options: ExchangeOptions,
    /// Number of alerts posted so far.
    sent: u32,
    _folder: TempDir,
}

/// The results of the rounds.
#[derive(Default)]
struct Rounds {
    raw: Vec<f64>,
    full: Vec<f64>,
    raw_used: Vec<UsageDelta>,
    used: Vec<UsageDelta>,
    mean_bundle: Option<f64>,
    mean_receipt: Option<f64>,
}

/// Runs the measurements that `options` ask for.
///
/// # Errors
/// When a step fails, or a message is lost or arrives twice.
pub(crate) async fn run(options: &ExchangeOptions) -> Result<LoadReport> {
    let mut lab = ExchangeLab::start(options).await?;
    let machine = MachineFacts::this(&lab.nodes).await?;
    print_progress(format_args!(
        "{} cores ({}), {} GiB, Linux {}, RabbitMQ {}, load average {}",
        machine.cores,
        machine.processor,
        machine.memory_gib,
        machine.kernel,
        machine.rabbitmq,
        std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
    ));
    let measured = lab.measure(machine).await;
    lab.border.stop().await;
    lab.nodes.stop().await;
    measured
}

impl ExchangeLab {
    async fn start(options: &ExchangeOptions) -> Result<Self> {
        let (border, nodes, folder) = start_border().await?;
        let parts = LabProcesses::of(&border, &nodes)?;
        for (name, pid) in parts.services() {
            print_progress(format_args!("{name} is process {pid}"));
        }
        Ok(Self { border, nodes, parts, options: options.clone(), sent: 0, _folder: folder })
    }

    async fn measure(&mut self, machine: MachineFacts) -> Result<LoadReport> {
        let bundle_bytes = product::size_of_a_bundle(&self.border).await?;
        self.sent += 1;
        print_progress(format_args!(
            "a sealed bundle of one example alert has {bundle_bytes} bytes; warming up"
        ));
        self.post(WARM_UP).await?;
        let rounds = self.rounds(bundle_bytes).await?;
        let latency = self.latency().await?;
        print_progress("counting what the recipients have");
        product::reconcile(&self.border, self.sent as usize).await?;
        let rss_mib = self.rss_mib()?;
        let line = self.line().await?;
        let duplicates = Metrics::of(&self.border.tz, "gateway").await?.sum("rovuma_duplicates_total");
        let (raw, full) = (some_median(&rounds.raw), some_median(&rounds.full));
        let other_load =
            rounds.raw_used.iter().chain(&rounds.used).map(|used| used.other_load).fold(0.0, f64::max);
        let percentile = |percent| latency.as_ref().map(|latency| percentile_ms(&latency.receipt, percent));
        let copies = self.options.messages * COPIES;
        Ok(LoadReport {
            raw_per_s: raw.map(rounded),
            full_per_s: full.map(rounded),
            ratio: full.zip(raw).map(|(full, raw)| rounded(full / raw)),
            p50_ms: percentile(50),
            p95_ms: percentile(95),
            p99_ms: percentile(99),
            cpu_us_per_message: per_message(&rounds.used, |used| used.services, copies),
            rss_mib,
            line_bytes_per_message: line.as_ref().map(|line| rounded(line.per_message)),
            line_bytes_per_receipt: line.as_ref().map(|line| rounded(line.per_receipt)),
            mean_bundle: rounds.mean_bundle.map(rounded),
            clean: other_load <= OTHER_LOAD_MAX,
            other_load: rounded(other_load),
            messages_per_s: full.map(|full| rounded(full / f64::from(COPIES))),
            raw_rounds: rounds.raw.iter().copied().map(rounded).collect(),
            full_rounds: rounds.full.iter().copied().map(rounded).collect(),
            broker_cpu_us_per_message: per_message(&rounds.used, |used| used.brokers, copies),
            client_cpu_us_per_message: per_message(&rounds.used, |used| used.client, copies),
            raw_broker_cpu_us_per_message: per_message(
                &rounds.raw_used,
                |used| used.brokers,
                self.options.bare_messages,
            ),
            raw_client_cpu_us_per_message: per_message(
                &rounds.raw_used,
                |used| used.client,
                self.options.bare_messages,
            ),
            mean_receipt: rounds.mean_receipt.map(rounded),
            accepted_p99_ms: latency.as_ref().map(|latency| percentile_ms(&latency.accepted, 99)),
            bundle_bytes,
            duplicates,
            machine,
        })
    }

    async fn rounds(&mut self, bundle_bytes: usize) -> Result<Rounds> {
        let mut rounds = Rounds::default();
        if self.options.rounds == 0 {
            return Ok(rounds);
        }
        let bare = Bare::prepare(&self.border, &self.nodes, bundle_bytes).await?;
        bare.round(BARE_WARM_UP).await?;
        let before = (self.sent_by("mz").await?, self.sent_by("tz").await?);
        for number in 1..=self.options.rounds {
            self.bare_round(&bare, number, &mut rounds).await?;
            self.product_round(number, &mut rounds).await?;
        }
        let after = (self.sent_by("mz").await?, self.sent_by("tz").await?);
        let copies = f64::from(self.options.rounds * self.options.messages * COPIES);
        rounds.mean_bundle =
            Some((after.0.messages - before.0.messages) / (after.0.bundles - before.0.bundles));
        rounds.mean_receipt = Some(copies / (after.1.messages - before.1.messages));
        Ok(rounds)
    }

    async fn bare_round(&self, bare: &Bare, number: u32, rounds: &mut Rounds) -> Result<()> {
        self.parts.at_rest().await?;
        let before = self.parts.usage()?;
        let elapsed = bare.round(self.options.bare_messages).await?;
        self.parts.at_rest().await?;
        rounds.raw_used.push(self.parts.usage()?.since(&before));
        let per_s = f64::from(self.options.bare_messages) / elapsed.as_secs_f64();
        rounds.raw.push(per_s);
        print_progress(format_args!("round {number}: bare relay {per_s:.0} messages/s"));
        Ok(())
    }

    async fn product_round(&mut self, number: u32, rounds: &mut Rounds) -> Result<()> {
        self.parts.at_rest().await?;
        let before = self.parts.usage()?;
        let elapsed = self.post(self.options.messages).await?;
        self.parts.at_rest().await?;
        let used = self.parts.usage()?.since(&before);
        let per_s = f64::from(self.options.messages * COPIES) / elapsed.as_secs_f64();
        rounds.full.push(per_s);
        rounds.used.push(used);
        print_progress(format_args!(
            "round {number}: product {per_s:.0} copies/s; services {:.1} s, brokers {:.1} s, this program {:.1} s of \
             processor time; others kept {:.2} processors busy",
            used.services.as_secs_f64(),
            used.brokers.as_secs_f64(),
            used.client.as_secs_f64(),
            used.other_load
        ));
        Ok(())
    }

    async fn post(&mut self, messages: u32) -> Result<Duration> {
        let first = self.sent;
        self.sent += messages;
        product::round(&self.border, self.options.posting(), first, messages, self.options.connections).await
    }

    async fn latency(&mut self) -> Result<Option<product::ExchangeLatency>> {
        let ExchangeOptions { rate, seconds, .. } = self.options;
        if seconds == 0 {
            return Ok(None);
        }
        self.parts.at_rest().await?;
        print_progress(format_args!("latency: {rate} alerts/s for {seconds} s"));
        let first = self.sent;
        self.sent += rate * seconds;
        product::latency(&self.border, self.options.posting(), first, rate, seconds).await.map(Some)
    }

    /// Ends the audit services first: the heads of their logs cross the same line, a while after each alert.
    async fn line(&mut self) -> Result<Option<crate::line::LineBytes>> {
        if self.options.line_messages == 0 {
            return Ok(None);
        }
        print_progress("bytes on the line: leading the links through counting proxies");
        for country in [&mut self.border.mz, &mut self.border.tz] {
            country.take_service("audit")?.stop(STOP_GRACE).await;
        }
        let lines = Lines::lay(&self.border, &self.nodes).await?;
        lines.measure(self.options.line_messages).await.map(Some)
    }

    async fn sent_by(&self, country: &str) -> Result<SentBy> {
        let country = if country == "mz" { &self.border.mz } else { &self.border.tz };
        let metrics = Metrics::of(country, "gateway").await?;
        Ok(SentBy {
            messages: metrics.sum("rovuma_outbox_messages_total"),
            bundles: metrics.sum("rovuma_outbox_bundles_total"),
        })
    }

    fn rss_mib(&self) -> Result<BTreeMap<String, f64>> {
        let of = |(name, pid): &(String, u32)| Ok((name.clone(), rounded(process::peak_rss_mib(*pid)?)));
        self.parts.services().iter().map(of).collect()
    }
}

/// The numbers of messages and bundles that a gateway's relay has sent.
struct SentBy {
    messages: f64,
    bundles: f64,
}

/// Starts both countries and their brokers, in a new folder.
///
/// # Errors
/// When a broker or a service does not start.
pub(crate) async fn start_border() -> Result<(Border, Nodes, TempDir)> {
    let this = std::env::current_exe()?;
    let programs = this.parent().context("a folder of programs")?;
    // Beside the programs and not in a temporary folder, which may be in memory: commits must cost what they really cost.
    let folder = tempfile::Builder::new().prefix("load-").tempdir_in(programs)?;
    let nodes = Nodes::start(folder.path(), print_step).await?;
    let vhost = rovuma_broker::topology::VHOST;
    let timings = LabTimings::default();
    let mut border = Border::prepare(folder.path(), &nodes, programs, vhost, &timings, print_step).await?;
    border.start(print_step).await?;
    Ok((border, nodes, folder))
}

fn per_message(used: &[UsageDelta], of: fn(&UsageDelta) -> Duration, messages: u32) -> Option<f64> {
    let each: Vec<f64> = used.iter().map(|used| of(used).as_secs_f64() * 1e6 / f64::from(messages)).collect();
    some_median(&each).map(rounded)
}

fn some_median(figures: &[f64]) -> Option<f64> {
    (!figures.is_empty()).then(|| median(figures))
}

/// Prints a line of progress.
pub(crate) fn print_progress(what: impl Display) {
    eprintln!("{what}");
}

pub(crate) fn print_step(what: &str) {
    // Lines that count seconds are for people at a terminal only.
    if !what.ends_with(" s)") {
        print_progress(what);
    }
}
