//! `audit watch`: follows a log, and says when it forks, shrinks, is no longer cosigned, or lacks events of a source.

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
    session::{Server, ServerArgs},
};

/// Options of `audit watch`.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The log: mz.audit/2026; or mz.audit, the present year's and then those after it
    log: String,
    /// Which logs there are and whose cosignatures they need: the policy that was handed over
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Where the last good head is remembered: a later run goes on from it, and knows a log that was put back
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Alarm when the newest cosignature is older than so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    stale_after: u64,
    /// Look once and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// What a look has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Finding {
    /// The log went on, and both countries say so.
    Good,
    /// Events of a source have not come although later ones have.
    Gap,
    /// The head, or the newest cosignature, is old.
    Stale,
    /// The head lacks cosignatures.
    Unwitnessed,
    /// Fewer leaves than the head that is remembered.
    Shrunken,
    /// Not the log that is remembered gone on.
    Fork,
    /// No log of the policy signed the head.
    NotSigned,
    /// The audit service did not answer, or not with what was asked for.
    Unreachable,
}

impl Finding {
    /// How the command ends with it, when it ends.
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

/// Something about a log that is not good, in words.
type Found = (Finding, String);

/// One look.
#[derive(Debug, Serialize)]
struct Look {
    at: Timestamp,
    log: String,
    finding: Finding,
    leaves: u64,
    detail: String,
}

impl fmt::Display for Look {
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
            let look = match self.look(app, &policy).await {
                Ok(look) => look,
                // A watch goes on: that nobody answers is what it has to tell.
                Err(failure) if failure.exit == Exit::Unreachable && !self.once => Look {
                    at: app.now(),
                    log: self.log.clone(),
                    finding: Finding::Unreachable,
                    leaves: 0,
                    detail: failure.what,
                },
                Err(failure) => return Err(failure),
            };
            app.out.show(&look)?;
            // What cannot be mended by waiting ends the watch: somebody has to look.
            if self.once || look.finding.exit() == Exit::Verification {
                return Ok(look.finding.exit());
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(self.every)) => {}
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Ok),
            }
        }
    }

    /// Whether it is every year's log that is followed.
    fn follows_years(&self) -> bool {
        !self.log.contains('/')
    }

    async fn look(&self, app: &App, policy: &LogPolicy) -> Outcome<Look> {
        // A token ends: each look asks for a client anew.
        let client = self.server.client(app, Server::Audit).await?;
        let former = self.remembered(policy)?;
        let log = match self.follows_years() {
            true => succession::present(&client, &self.log).await?,
            false => self.log.clone(),
        };
        let note = client.get_bytes(&format!("{}/{CHECKPOINT_PATH}", origin_path(&log)?)).await?;
        let (leaves, found) = match heads::signed(&note, &log, policy) {
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
        let good = || (Finding::Good, "went on, cosigned by all whom the policy asks for".to_owned());
        let (finding, detail) = found.unwrap_or_else(good);
        Ok(Look { at: app.now(), log, finding, leaves, detail })
    }

    /// What is wrong with a head beside the one that is remembered.
    async fn compare(
        &self,
        client: &Client,
        policy: &LogPolicy,
        former: Option<&Checkpoint>,
        checkpoint: &Checkpoint,
    ) -> Outcome<Option<Found>> {
        let Some(former) = former else { return Ok(None) };
        let found = if former.head().origin == checkpoint.head().origin {
            heads::gone_on(client, former.head(), checkpoint.head()).await?
        } else {
            succession::follows(client, policy, former, checkpoint).await?
        };
        let kept = self.state.display();
        Ok(found
            .map(|(finding, detail)| (finding, format!("{detail}; the former head is in {kept}: keep it"))))
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
