//! `audit watch`: follows a log, and says when it forks, shrinks, or is no longer cosigned.

use std::{fmt, path::PathBuf, time::Duration};

use clap::Args;
use rovuma_schemas::Timestamp;
use rovuma_tlog::{
    CHECKPOINT_PATH, Checkpoint, Policy, ProofFault, Tile, Tiles, UnverifiedCheckpoint, Verdict,
    needed_for_consistency,
};
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
    /// The log: mz.audit/2026
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
            Self::Stale | Self::Unwitnessed => Exit::Negative,
            Self::Unreachable => Exit::Unreachable,
            Self::Shrunken | Self::Fork | Self::NotSigned => Exit::Verification,
        }
    }
}

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
        let word = match self.finding {
            Finding::Good => "good",
            Finding::Stale => "ALARM stale",
            Finding::Unwitnessed => "ALARM unwitnessed",
            Finding::Shrunken => "ALARM shrunken",
            Finding::Fork => "ALARM fork",
            Finding::NotSigned => "ALARM not signed",
            Finding::Unreachable => "ALARM unreachable",
        };
        write!(f, "{}  {}  {} leaves  {word}: {}", self.at, safe(&self.log), self.leaves, safe(&self.detail))
    }
}

impl Watch {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let policy = read_policy(&self.policy)?;
        let base = origin_path(&self.log)?;
        loop {
            let look = match self.try_look(app, &base, &policy).await {
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

    async fn try_look(&self, app: &App, base: &str, policy: &Policy) -> Outcome<Look> {
        // A token ends: each look asks for a client anew.
        let client = self.server.client(app, Server::Audit).await?;
        self.look(app, &client, base, policy).await
    }

    async fn look(&self, app: &App, client: &Client, base: &str, policy: &Policy) -> Outcome<Look> {
        let note = client.get_bytes(&format!("{base}/{CHECKPOINT_PATH}")).await?;
        let at = app.now();
        let say =
            |finding, leaves, detail: String| Look { at, log: self.log.clone(), finding, leaves, detail };
        let read = match UnverifiedCheckpoint::read(&note) {
            Ok(read) if read.unverified_head().origin == self.log => read,
            Ok(_) => return Ok(say(Finding::NotSigned, 0, "the head is another log's".to_owned())),
            Err(fault) => return Ok(say(Finding::NotSigned, 0, fault.to_string())),
        };
        let (checkpoint, missing) = match policy.judge(read) {
            Verdict::Good(checkpoint) => (checkpoint, Vec::new()),
            Verdict::Unwitnessed { checkpoint, missing } => (checkpoint, missing),
            Verdict::NotSigned => {
                return Ok(say(
                    Finding::NotSigned,
                    0,
                    "no log that the policy names signed the head".to_owned(),
                ));
            }
            Verdict::Forged { name } => {
                return Ok(say(Finding::NotSigned, 0, format!("what says it is signed by {name} is not")));
            }
        };
        let leaves = checkpoint.head().size;
        if let Some((finding, detail)) = self.compare(client, base, policy, &checkpoint).await? {
            return Ok(say(finding, leaves, detail));
        }
        if !missing.is_empty() {
            return Ok(say(Finding::Unwitnessed, leaves, format!("not cosigned by {}", missing.join(", "))));
        }
        self.remember(&note)?;
        Ok(match staleness(&checkpoint, self.stale_after, at) {
            Some(detail) => say(Finding::Stale, leaves, detail),
            None => {
                say(Finding::Good, leaves, "went on, cosigned by all whom the policy asks for".to_owned())
            }
        })
    }

    /// What is wrong with a head beside the one that is remembered.
    async fn compare(
        &self,
        client: &Client,
        base: &str,
        policy: &Policy,
        checkpoint: &Checkpoint,
    ) -> Outcome<Option<(Finding, String)>> {
        let Some(former) = self.remembered(policy)? else { return Ok(None) };
        let (old, new) = (former.head(), checkpoint.head());
        if new.size < old.size {
            let detail = format!(
                "{} leaves were signed before; the former head is in {}",
                old.size,
                self.state.display()
            );
            return Ok(Some((Finding::Shrunken, detail)));
        }
        let mut tiles = Tiles::of(new.size);
        for tile in needed_for_consistency(old.size, new.size).map_err(unproved)? {
            let (tile, bytes) = fetch(client, base, tile).await?;
            tiles.add(tile, bytes);
        }
        let proof = tiles.consistency(old.size).map_err(unproved)?;
        match new.continues(old, &proof) {
            Ok(()) => Ok(None),
            Err(_) => {
                let detail = format!(
                    "it is not the log of {} leaves gone on, whose head is in {}: keep both heads, they prove it",
                    old.size,
                    self.state.display()
                );
                Ok(Some((Finding::Fork, detail)))
            }
        }
    }

    fn remembered(&self, policy: &Policy) -> Outcome<Option<Checkpoint>> {
        if !self.state.exists() {
            return Ok(None);
        }
        let unusable =
            |fault: &dyn fmt::Display| Failure::usage(format!("{}: {fault}", self.state.display()));
        let read =
            UnverifiedCheckpoint::read(&files::read(&self.state)?).map_err(|fault| unusable(&fault))?;
        match policy.judge(read) {
            Verdict::Good(checkpoint) if checkpoint.head().origin == self.log => Ok(Some(checkpoint)),
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

/// Why a head counts as old, if it does: its newest cosignature is older than so many seconds.
fn staleness(checkpoint: &Checkpoint, stale_after: u64, at: Timestamp) -> Option<String> {
    let newest = checkpoint.cosigned().iter().map(|word| word.unix_s).max()?;
    let now = u64::try_from(at.as_micros() / 1_000_000).ok()?;
    let age = now.saturating_sub(newest);
    (age > stale_after).then(|| format!("the newest cosignature is {age} s old"))
}

/// A tile; in the place of a partial one that is gone, the full one that it has become meanwhile.
async fn fetch(client: &Client, base: &str, tile: Tile) -> Outcome<(Tile, Vec<u8>)> {
    match client.get_bytes(&format!("{base}/{tile}")).await {
        Ok(bytes) => Ok((tile, bytes)),
        Err(_) if !tile.is_full() => {
            let full = tile.full();
            Ok((full, client.get_bytes(&format!("{base}/{full}")).await?))
        }
        Err(failure) => Err(failure),
    }
}

fn unproved(fault: ProofFault) -> Failure {
    Failure::new(Exit::Verification, format!("the log cannot be proven to go on: {fault}"))
        .next("look again; if it stays so, the log's files are not whole")
}

#[cfg(test)]
mod tests {
    use rovuma_envelope::{Signer as _, SigningKey};
    use rovuma_tlog::{Hash, Head, NoteKey, add_cosignature, cosign, sign};

    use super::*;

    /// A head that one witness cosigned at this second.
    fn cosigned_at(unix_s: u64) -> Checkpoint {
        let (log, witness) = (SigningKey::generate().expect("a key"), SigningKey::generate().expect("a key"));
        let head = Head { origin: "mz.audit/2026".to_owned(), size: 7, root: Hash([7; 32]) };
        let read = UnverifiedCheckpoint::read(&sign(&head, &log).expect("signed")).expect("a checkpoint");
        let log = NoteKey::of_log(&head.origin, log.public_key()).expect("a name");
        let key = NoteKey::of_cosigner("tz.audit", witness.public_key()).expect("a name");
        let policy: Policy = format!("log {log}\nwitness tz {key}\nquorum tz").parse().expect("a policy");
        let Verdict::Unwitnessed { checkpoint, .. } = policy.judge(read.clone()) else {
            panic!("not cosigned yet")
        };
        let line = cosign(&checkpoint, key.name(), &witness, unix_s).expect("cosigned");
        match policy.judge(add_cosignature(&read, &line, &key).expect("its own")) {
            Verdict::Good(checkpoint) => checkpoint,
            other => panic!("cosigned: {other:?}"),
        }
    }

    #[test]
    fn a_head_is_stale_when_its_newest_cosignature_is_old() {
        let checkpoint = cosigned_at(1_790_000_000);
        let at = |unix_s: i64| Timestamp::from_micros(unix_s * 1_000_000).expect("an instant");
        assert_eq!(staleness(&checkpoint, 900, at(1_790_000_900)), None);
        let stale = staleness(&checkpoint, 900, at(1_790_000_901)).expect("stale");
        assert!(stale.contains("901 s old"), "{stale}");
        // A clock behind the witness's says nothing of the head.
        assert_eq!(staleness(&checkpoint, 0, at(1_780_000_000)), None);
    }
}
