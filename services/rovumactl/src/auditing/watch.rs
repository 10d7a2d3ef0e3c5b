//! `audit watch`: follows a log, and raises an alarm when it forks, shrinks, is no longer cosigned, or lacks events of a source.

mod heads;
mod sources;
mod succession;

use std::{fmt, path::PathBuf, time::Duration};

use clap::Args;
use rovuma_schemas::Timestamp;
use rovuma_tlog::{CHECKPOINT_PATH, Checkpoint, LogPolicy, PolicyVerdict, UnverifiedCheckpoint};
use serde::Serialize;

use super::verify::{origin_path, read_policy};
use crate::{
    app::App,
    client::Client,
    exit::{Exit, Failure, Outcome},
    files,
    output::safe,
    session::{ApiServer, ServerArgs},
};

/// Options of `audit watch`.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The log: mz.audit/2026; or mz.audit, the present year's and then those after it
    log: String,
    /// Which logs there are and whose cosignatures they need: the policy that was handed over
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// The file that keeps the last good head: a later run continues from it, and notices a log that was put back
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Seconds between two checks
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Alarm when the newest cosignature is older than this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    stale_after: u64,
    /// Check once and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// The result of one check of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum WatchFinding {
    /// The log continues the remembered one, and its head meets the policy.
    Good,
    /// Events of a source are missing although later ones arrived.
    Gap,
    /// The head, or its newest cosignature, is old.
    Stale,
    /// The head lacks cosignatures.
    Unwitnessed,
    /// The head has fewer leaves than the remembered one.
    Shrunken,
    /// The log does not continue the remembered one.
    Fork,
    /// No log of the policy signed the head.
    NotSigned,
    /// The audit service did not answer, or its answer was unusable.
    Unreachable,
}

impl WatchFinding {
    /// The exit status of the command when it ends with this finding.
    const fn exit(self) -> Exit {
        match self {
            Self::Good => Exit::Ok,
            Self::Gap | Self::Stale | Self::Unwitnessed => Exit::Negative,
            Self::Unreachable => Exit::Unreachable,
            Self::Shrunken | Self::Fork | Self::NotSigned => Exit::Verification,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Gap => "ALARM gap",
            Self::Stale => "ALARM stale",
            Self::Unwitnessed => "ALARM unwitnessed",
            Self::Shrunken => "ALARM shrunken",
            Self::Fork => "ALARM fork",
            Self::NotSigned => "ALARM not signed",
            Self::Unreachable => "ALARM unreachable",
        }
    }
}

/// A finding that is not good, and a sentence about it.
type WatchAlarm = (WatchFinding, String);

/// One check of a log, for display.
#[derive(Debug, Serialize)]
struct Observation {
    at: Timestamp,
    log: String,
    finding: WatchFinding,
    leaves: u64,
    detail: String,
}

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, log, finding, leaves, detail } = self;
        write!(f, "{at}  {}  {leaves} leaves  {}: {}", safe(log), finding.word(), safe(detail))
    }
}

impl Watch {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let policy = read_policy(&self.policy)?;
        if !self.follows_years() {
            origin_path(&self.log)?;
        }
        loop {
            let observation = match self.observe(app, &policy).await {
                Ok(observation) => observation,
                // The watch continues: an audit service that does not answer is itself a finding.
                Err(failure) if failure.exit == Exit::Unreachable && !self.once => Observation {
                    at: app.now(),
                    log: self.log.clone(),
                    finding: WatchFinding::Unreachable,
                    leaves: 0,
                    detail: failure.what,
                },
                Err(failure) => return Err(failure),
            };
            app.out.show(&observation)?;
            // Waiting cannot cure these findings, so the watch ends and an operator must act.
            if self.once || observation.finding.exit() == Exit::Verification {
                return Ok(observation.finding.exit());
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(self.every)) => {}
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
            }
        }
    }

    /// Whether to follow the logs of all years.
    fn follows_years(&self) -> bool {
        !self.log.contains('/')
    }

    async fn observe(&self, app: &App, policy: &LogPolicy) -> Outcome<Observation> {
        // A token expires, so each check makes a new client.
        let client = self.server.client(app, ApiServer::Audit).await?;
        let former = self.remembered(policy)?;
        let log = match self.follows_years() {
            true => succession::present(&client, &self.log).await?,
            false => self.log.clone(),
        };
        let note = client.get_bytes(&format!("{}/{CHECKPOINT_PATH}", origin_path(&log)?)).await?;
        let (leaves, found) = match heads::verify_head(&note, &log, policy) {
            Err(found) => (0, Some(found)),
            Ok((checkpoint, missing)) => {
                let found = self.compare(&client, policy, former.as_ref(), &checkpoint).await?;
                let found = found.or_else(|| heads::unwitnessed(&missing));
                if found.is_none() {
                    self.remember(&note)?;
                }
                let stale = || heads::staleness(&checkpoint, self.stale_after, app.now());
                let found = match found.or_else(stale) {
                    None => sources::gap(&client).await?,
                    found => found,
                };
                (checkpoint.head().size, found)
            }
        };
        let good = || (WatchFinding::Good, "continues, cosigned by all whom the policy requires".to_owned());
        let (finding, detail) = found.unwrap_or_else(good);
        Ok(Observation { at: app.now(), log, finding, leaves, detail })
    }

    /// The alarm that a head raises when compared with the remembered one, if any.
    async fn compare(
        &self,
        client: &Client,
        policy: &LogPolicy,
        former: Option<&Checkpoint>,
        checkpoint: &Checkpoint,
    ) -> Outcome<Option<WatchAlarm>> {
        let Some(former) = former else { return Ok(None) };
        let found = if former.head().origin == checkpoint.head().origin {
            heads::check_continues(client, former.head(), checkpoint.head()).await?
        } else {
            succession::follows(client, policy, former, checkpoint).await?
        };
        let file = self.state.display();
        Ok(found
            .map(|(finding, detail)| (finding, format!("{detail}; the former head is in {file}: keep it"))))
    }

    fn remembered(&self, policy: &LogPolicy) -> Outcome<Option<Checkpoint>> {
        if !self.state.exists() {
            return Ok(None);
        }
        let unusable =
            |fault: &dyn fmt::Display| Failure::usage(format!("{}: {fault}", self.state.display()));
        let read =
            UnverifiedCheckpoint::read(&files::read(&self.state)?).map_err(|fault| unusable(&fault))?;
        let is_followed = |origin: &str| match self.follows_years() {
            true => origin.split_once('/').is_some_and(|(service, _)| service == self.log),
            false => origin == self.log,
        };
        match policy.judge(read) {
            PolicyVerdict::Good(checkpoint) if is_followed(&checkpoint.head().origin) => Ok(Some(checkpoint)),
            _ => Err(unusable(&"not a good head of this log").next("give another file with --state")),
        }
    }

    fn remember(&self, note: &[u8]) -> Outcome<()> {
        let text = String::from_utf8_lossy(note);
        if self.state.exists() {
            files::replace(&self.state, &text)
        } else {
            files::create_public(&self.state, &text)
        }
    }
}
