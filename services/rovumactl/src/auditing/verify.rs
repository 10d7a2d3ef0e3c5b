//! `audit verify`: checks a whole log, a bundle or a proof against pinned keys, and trusts no server.

mod bundle;
mod files;
mod leaves;
mod proof;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use clap::Args;
use rovuma_schemas::{CountryCode, Timestamp};
use rovuma_tlog::{CHECKPOINT_PATH, Checkpoint, LogFault, LogPolicy, Pruned, WholeLog, check_log};
use serde::Serialize;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    files::read_text,
    output::safe,
    progress,
    session::{ApiServer, ServerArgs},
    trust::country_and_file,
};
pub(super) use files::origin_path;
use files::{LocalLog, ReadFault, RemoteLog};

use leaves::{EntryFault, Leaves};

/// Options of `audit verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// An evidence bundle, a log's folder with its checkpoint and tiles, or a proof that was saved from the API
    #[arg(required_unless_present = "log", conflicts_with = "log")]
    what: Option<PathBuf>,
    /// A log of the audit service, read over HTTP: mz.audit/2026
    #[arg(long, value_name = "ORIGIN")]
    log: Option<String>,
    /// Which logs there are and whose cosignatures they need: the policy that was handed over
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// For a proof: the event that it is about, as `rovumactl audit show --json` prints it
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// For a bundle: the authority key pinned for a country, <country>=<file>; without them nobody's signature under a message
    /// is checked
    #[arg(long = "authority", value_name = "CC=FILE", value_parser = country_and_file)]
    authorities: Vec<(CountryCode, PathBuf)>,
    /// For a bundle: a trust list that is newer than the bundle's own, from its country
    #[arg(long = "trust", value_name = "FILE")]
    lists: Vec<PathBuf>,
    /// For a bundle: write the report that its files make to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// For a bundle whose report this version does not make from its files, because another version made it: set the report aside
    /// and check the rest; the command then ends with 1
    #[arg(long)]
    set_report_aside: bool,
    /// For a log that took entries out: a written policy by which it may, word for word; may be given several times
    #[arg(long, value_name = "POLICY")]
    pruned_by: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// The result of checking a log, a bundle or a proof.
#[derive(Debug, Serialize)]
struct VerifyReport {
    what: String,
    holds: bool,
    /// The checks that passed, in their order.
    checked: Vec<String>,
    /// The checks that could not be made, and what they need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unchecked: Vec<String>,
    /// What whoever made the file states: nobody signed it, and nothing here proves it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stated: Vec<String>,
    /// One sentence that says what a good result proves.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<&'static str>,
    /// The first fault found.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<SignedHead>,
    /// The logs of a bundle's entries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logs: Vec<SignedHead>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<usize>,
}

const SAYS_WHOLE: &str =
    "Nothing of it was changed, removed or slipped in since those named above signed it.";
const SAYS_PRUNED: &str =
    "Nothing of it was changed or slipped in since those named above signed it; what was taken out is gone.";
pub(super) const SAYS_PROOF: &str = "It stands in the log that those named above signed, as it was written.";
pub(super) const SAYS_BUNDLE: &str =
    "What is in it is as it was when those named above signed; it does not show that nothing was left out.";

/// A verified head, for display.
#[derive(Debug, Serialize)]
struct SignedHead {
    origin: String,
    leaves: u64,
    root: String,
    /// The witnesses, each with the time of its cosignature.
    cosigned: Vec<String>,
}

/// Refuses a folder that is no log: what is wrong is where it was looked for.
fn check_is_log(folder: &Path) -> Outcome<()> {
    let is_log = |folder: &Path| folder.join(CHECKPOINT_PATH).is_file();
    if is_log(folder) {
        return Ok(());
    }
    // A service's folder has a folder for each origin, with a log for each year.
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    };
    let children = below(folder);
    let logs = children.iter().cloned().chain(children.iter().flat_map(|child| below(child)));
    let logs: Vec<String> = logs.filter(|path| is_log(path)).map(|path| path.display().to_string()).collect();
    let failure = Failure::usage(format!("{} is no log: it has no {CHECKPOINT_PATH}", folder.display()));
    Err(if logs.is_empty() { failure } else { failure.next(format!("give one of {}", logs.join(", "))) })
}

impl VerifyReport {
    fn of(what: String) -> Self {
        Self {
            what,
            holds: false,
            checked: Vec::new(),
            unchecked: Vec::new(),
            stated: Vec::new(),
            says: Some(SAYS_WHOLE),
            fault: None,
            log: None,
            logs: Vec::new(),
            sources: None,
        }
    }

    /// The exit status. A result that holds but was not checked completely is not good yet.
    fn exit(&self) -> Exit {
        match (self.holds, self.unchecked.is_empty()) {
            (true, true) => Exit::Ok,
            (true, false) => Exit::Negative,
            (false, _) => Exit::Verification,
        }
    }
}

impl SignedHead {
    fn of(checkpoint: &Checkpoint) -> Self {
        let head = checkpoint.head();
        let cosigned =
            checkpoint.cosigned().iter().map(|word| format!("{} at {}", word.witness, instant(word.unix_s)));
        Self {
            origin: head.origin.clone(),
            leaves: head.size,
            root: head.root.to_string(),
            cosigned: cosigned.collect(),
        }
    }
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.holds, self.unchecked.is_empty()) {
            (true, true) => "HOLDS",
            (true, false) => "HOLDS, as far as it was checked",
            (false, _) => "DOES NOT HOLD",
        };
        writeln!(f, "{verdict}: {}", safe(&self.what))?;
        for log in self.log.iter().chain(&self.logs) {
            writeln!(f, "  log       {}", safe(&log.origin))?;
            writeln!(f, "  leaves    {}", log.leaves)?;
            writeln!(f, "  root      {}", log.root)?;
            writeln!(f, "  cosigned  {}", log.cosigned.join(", "))?;
        }
        for checked in &self.checked {
            writeln!(f, "  holds     {}", safe(checked))?;
        }
        for unchecked in &self.unchecked {
            writeln!(f, "  unchecked {}", safe(unchecked))?;
        }
        if !self.stated.is_empty() {
            writeln!(f, "  Whoever made it says, and nothing proves:")?;
        }
        for stated in &self.stated {
            writeln!(f, "  says      {}", safe(stated))?;
        }
        match &self.fault {
            Some(fault) => write!(f, "  FAILS     {}", safe(fault)),
            None => write!(f, "  {}", self.says.unwrap_or_default()),
        }
    }
}

impl Verify {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let policy_text = read_text(&self.policy)?;
        let policy = parse_policy(&self.policy, &policy_text)?;
        let pruning = PruningRule { by: self.pruned_by.clone(), now: app.now() };
        let mut report = match (&self.what, &self.log) {
            (Some(what), _) if what.is_file() && bundle::looks_like_bundle(what) => {
                let shown = format!("checking {}", what.display());
                let check = bundle::BundleCheck {
                    path: what.clone(),
                    policy,
                    policy_text,
                    pins: self.authorities,
                    lists: self.lists,
                    report_out: self.report,
                    set_report_aside: self.set_report_aside,
                    pruned_by: self.pruned_by,
                    now: app.now(),
                };
                run_blocking(&shown, move || check.run()).await?
            }
            (Some(what), _) if what.is_file() => proof::check(what, self.event.as_deref(), &policy)?,
            (Some(what), _) if what.is_dir() => {
                check_is_log(what)?;
                let folder = LocalLog::new(what.clone());
                let shown = what.display().to_string();
                let check = move || {
                    let mut report = check_whole_log(shown, &folder, &policy, &pruning)?;
                    if report.holds && folder.beyond() > 0 {
                        let beyond = folder.beyond();
                        report.checked.push(format!(
                            "only files that the head covers were checked; {beyond} files beyond it were not"
                        ));
                    }
                    Ok(report)
                };
                run_blocking(&format!("checking {}", what.display()), check).await?
            }
            (Some(what), _) => return Err(Failure::usage(format!("{} is not there", what.display()))),
            (None, Some(origin)) => {
                let client = self.server.client(app, ApiServer::Audit).await?;
                let remote = RemoteLog::of(client, origin)?;
                let shown = format!("{origin} over HTTP");
                run_blocking(&format!("reading and checking {origin}"), move || {
                    check_whole_log(shown, &remote, &policy, &pruning)
                })
                .await?
            }
            (None, None) => return Err(Failure::usage("give a folder, a proof, or --log")),
        };
        report.says = report.says.filter(|_| report.holds);
        app.out.show(&report)?;
        Ok(report.exit())
    }
}

/// Reads a policy file. People hand its keys over.
pub(super) fn read_policy(path: &std::path::Path) -> Outcome<LogPolicy> {
    parse_policy(path, &read_text(path)?)
}

/// Parses the text of a policy file.
pub(super) fn parse_policy(path: &std::path::Path, text: &str) -> Outcome<LogPolicy> {
    text.parse().map_err(|fault| {
        Failure::usage(format!("{}: {fault}", path.display()))
            .next("give the policy that was handed over with the keys: rovumactl audit policy writes one")
    })
}

/// Runs a long check on a blocking thread, and shows `what` while it runs.
async fn run_blocking(
    what: &str,
    work: impl FnOnce() -> Outcome<VerifyReport> + Send + 'static,
) -> Outcome<VerifyReport> {
    let done = progress::waiting(what, tokio::task::spawn_blocking(work)).await;
    done.map_err(|fault| Failure::local(fault.to_string()))?
}

/// Checks a whole log from its raw bytes.
fn check_whole_log<S>(
    what: String,
    files: &S,
    policy: &LogPolicy,
    pruning: &PruningRule,
) -> Outcome<VerifyReport>
where
    S: rovuma_tlog::LogFiles<Fault = ReadFault>,
{
    let mut leaves = Leaves::default();
    let checked = check_log(files, policy, |index, entry| leaves.inspect(index, entry));
    let mut report = VerifyReport::of(what);
    match checked {
        Ok(WholeLog { checkpoint, pruned }) => {
            report.holds = true;
            report.checked = vec![
                "the head is signed by the log, and cosigned by those whom the policy asks for".to_owned(),
                match &pruned {
                    None => "the entries, and no others, make exactly that head".to_owned(),
                    Some(_) => {
                        "the entries, and the hashes of those that were taken out, make exactly that head"
                            .to_owned()
                    }
                },
                "every file of hashes matches the entries".to_owned(),
                format!(
                    "every entry is an audit leaf; those of each of {} sources follow each other without a gap",
                    leaves.sources()
                ),
            ];
            if let Some(pruned) = pruned {
                report.says = Some(SAYS_PRUNED);
                let size = checkpoint.head().size;
                let allowed = if pruned.minimum_index == size {
                    pruning.check(&pruned)
                } else {
                    Err(partly_pruned(&pruned))
                };
                match allowed {
                    Ok(Some(unchecked)) => report.unchecked.push(unchecked),
                    Ok(None) => report.checked.push(taken_out(&pruned)),
                    Err(fault) => (report.holds, report.fault) = (false, Some(fault)),
                }
            }
            report.log = Some(SignedHead::of(&checkpoint));
            report.sources = Some(leaves.sources());
        }
        // A log that could not be read was not checked: report a failure, not a verdict.
        Err(LogFault::Files(fault)) => return Err(fault.into()),
        Err(fault) => report.fault = Some(describe(&fault)),
    }
    Ok(report)
}

/// The written policies by which logs may take entries out, as the caller names them.
struct PruningRule {
    by: Vec<String>,
    now: Timestamp,
}

impl PruningRule {
    /// Checks that a log was allowed to take all its entries out: its year is over and the caller named its policy. When the
    /// caller named none, returns what remains to be checked, because the log's own statement is no permission.
    fn check(&self, pruned: &Pruned) -> Result<Option<String>, String> {
        let year =
            pruned.origin.rsplit('/').next().and_then(|year| year.split('-').next()?.parse::<i16>().ok());
        if year.is_none_or(|year| year >= self.now.year()) {
            return Err(format!("entries were taken out of {}, whose year is not over", pruned.origin));
        }
        match self.by.as_slice() {
            by if by.contains(&pruned.policy) => Ok(None),
            [] => {
                let hint = "give --pruned-by with the policy that allows it";
                Ok(Some(format!("{}; {hint}", taken_out(pruned))))
            }
            by => Err(format!(
                "entries of {} were taken out by {:?}, and not by {by:?}",
                pruned.origin, pruned.policy
            )),
        }
    }
}

fn partly_pruned(pruned: &Pruned) -> String {
    format!(
        "entries below {} were taken out of {}: a policy may only take out whole logs",
        pruned.minimum_index, pruned.origin
    )
}

/// The sentence about entries that a log took out.
fn taken_out(pruned: &Pruned) -> String {
    let at = instant(pruned.unix_s);
    let Pruned { origin, minimum_index, policy, .. } = pruned;
    format!(
        "the log {origin} took its {minimum_index} entries out at {at}, by {policy}; whoever kept one can still prove it"
    )
}

/// A time in seconds since the Unix epoch, in RFC 3339.
fn instant(unix_s: u64) -> String {
    Timestamp::from_unix_s(unix_s).map_or_else(|| format!("{unix_s} s"), |at| at.to_string())
}

fn describe(fault: &LogFault<ReadFault, EntryFault>) -> String {
    fault.to_string()
}
