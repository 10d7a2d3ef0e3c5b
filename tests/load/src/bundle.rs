//! The programme `bundle`: makes an evidence bundle of many messages as an auditor does, and verifies it.

use std::{
    fmt,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rovuma_lab::{
    border::{Border, Nodes},
    certs::write_private,
    person,
};
use rovuma_schemas::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    audit,
    exchange::{print_progress, start_border},
    machine::MachineFacts,
    options::BundleOptions,
    process,
    product::{self, COPIES},
    report::rounded,
    sender::Posting,
    usage::LabProcesses,
};

/// Connections that post alerts at the same time.
const CONNECTIONS: u32 = 16;

/// Alerts that are posted between two lines of progress.
const BLOCK: u32 = 500;

/// How often the memory of a running command is read.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The figures: the last line of the output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BundleReport {
    bundle_s: f64,
    verify_s: f64,
    messages: u64,
    receipts: u64,
    entries: u64,
    file_mib: f64,
    bundle_rss_mib: f64,
    verify_rss_mib: f64,
    exchange_s: f64,
    /// The processors that other programs kept busy while the bundle was made, `rovumactl` itself among them.
    other_load: f64,
    machine: MachineFacts,
}

impl fmt::Display for BundleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

struct BundleLab {
    border: Border,
    nodes: Nodes,
    folder: TempDir,
}

/// Runs the measurements that `options` ask for.
///
/// # Errors
/// When a step fails, the bundle lacks something, or it does not hold.
pub(crate) async fn run(options: &BundleOptions) -> Result<BundleReport> {
    let (border, nodes, folder) = start_border().await?;
    let mut lab = BundleLab { border, nodes, folder };
    let measured = lab.measure(options.messages).await;
    lab.border.stop().await;
    lab.nodes.stop().await;
    measured
}

impl BundleLab {
    async fn measure(&mut self, messages: u32) -> Result<BundleReport> {
        let machine = MachineFacts::this(&self.nodes).await?;
        let processes = LabProcesses::of(&self.border, &self.nodes)?;
        let from = Timestamp::system_now();
        let exchange = self.exchange(messages).await?;
        processes.at_rest().await?;
        let to = Timestamp::system_now();
        print_progress("waiting for a head of the audit log that covers all of it");
        let auditor = audit::auditor(&self.border.mz, "prm").await?;
        audit::until_covered(&auditor).await?;

        let login = "auditor.prm";
        let token = self.folder.path().join("token");
        let country = &self.border.mz;
        let given = person::log_in(&country.url("identity")?, login, &country.layout().secret(login)).await?;
        write_private(&token, &given)?;
        let before = processes.usage()?;
        print_progress("making the bundle");
        let file = self.folder.path().join("evidence.zip");
        let made = self.make(&file, &token, (from, to)).await?;
        let other_load = processes.usage()?.since(&before).other_load;
        print_progress(format_args!("{:.1} s; verifying it with all services stopped", made.took));
        self.border.stop().await;
        let verified = self.verify(&file).await?;
        ensure!(verified.said["holds"] == true, "the bundle does not hold: {}", verified.said);

        let counts = &made.said["counts"];
        let count = |name: &str| counts[name].as_u64().with_context(|| format!("a count of {name}"));
        let (bundled, receipts) = (count("messages")?, count("receipts")?);
        let expected = (u64::from(messages), u64::from(messages * COPIES));
        ensure!(
            (bundled, receipts) == expected,
            "{counts} are not the messages and receipts of {expected:?}"
        );
        ensure!(made.said["left_out"] == 0 && count("unproven")? == 0, "something is missing: {}", made.said);
        Ok(BundleReport {
            bundle_s: rounded(made.took),
            verify_s: rounded(verified.took),
            messages: bundled,
            receipts,
            entries: count("items")?,
            file_mib: rounded(std::fs::metadata(&file)?.len() as f64 / 1024.0 / 1024.0),
            bundle_rss_mib: rounded(made.rss_mib),
            verify_rss_mib: rounded(verified.rss_mib),
            exchange_s: rounded(exchange.as_secs_f64()),
            other_load: rounded(other_load),
            machine,
        })
    }

    /// Exchanges alerts until the sender has verified the receipts of all.
    async fn exchange(&self, messages: u32) -> Result<Duration> {
        let started = Instant::now();
        let mut sent = 0;
        while sent < messages {
            let block = BLOCK.min(messages - sent);
            product::round(&self.border, Posting::OneCall, sent, block, CONNECTIONS).await?;
            sent += block;
            print_progress(format_args!("{sent} of {messages} alerts exchanged"));
        }
        Ok(started.elapsed())
    }

    async fn make(
        &self,
        file: &Path,
        token: &Path,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<CommandRun> {
        let country = &self.border.mz;
        let mut command = country.ctl().command(["audit", "bundle", "--reason", "LOAD-1"]);
        command.args(["--agency", "mz.prm", "--from", &from.to_string(), "--to", &to.to_string()]);
        command.arg("--policy").arg(country.layout().audit_policy()).arg("--out").arg(file);
        command.arg("--token-file").arg(token);
        CommandRun::of(command).await
    }

    async fn verify(&self, file: &Path) -> Result<CommandRun> {
        let layout = self.border.mz.layout();
        let mut command = self.border.mz.ctl().command(["audit", "verify"]);
        command.arg(file).arg("--policy").arg(layout.audit_policy());
        for country in ["mz", "tz"] {
            let authority = layout.authority(country.parse()?);
            command.arg("--authority").arg(format!("{country}={}", authority.display()));
        }
        CommandRun::of(command).await
    }
}

/// A command of `rovumactl` that has ended well.
struct CommandRun {
    /// Seconds that it took.
    took: f64,
    /// Its largest resident memory, as often as it was read.
    rss_mib: f64,
    /// Its result.
    said: Value,
}

impl CommandRun {
    /// Runs a command, whose standard error is this program's.
    async fn of(command: std::process::Command) -> Result<Self> {
        let mut command = tokio::process::Command::from(command);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().context("starting rovumactl")?;
        let pid = child.id().context("rovumactl has ended")?;
        let (mut rss_mib, mut look) = (0.0, tokio::time::interval(LOOK_EVERY));
        let mut ending = std::pin::pin!(child.wait_with_output());
        let output = loop {
            tokio::select! {
                output = &mut ending => break output?,
                // A process that has just ended has no memory any more.
                _ = look.tick() => rss_mib = process::peak_rss_mib(pid).unwrap_or(rss_mib),
            }
        };
        let took = started.elapsed().as_secs_f64();
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "rovumactl ended with {}: {text}", output.status);
        let said = serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))?;
        Ok(Self { took, rss_mib, said })
    }
}
