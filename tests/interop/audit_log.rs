//! Go's reference implementation of transparency logs checks a published audit log, without any code of ours.

mod bends;
mod checker;
mod copied;
mod note;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use rovuma_envelope::SigningKey;
use rovuma_tests::{Lab, drafts, eventually};
use serde_json::json;

use self::{checker::GoChecker, copied::LogCopy, note::Note};
use crate::desk::ScriptFolder;

/// Minimum leaves: more than a tile holds, so that there are full tiles and bundles, partial ones, and a tile of the
/// level above.
const LEAVES_MIN: u64 = 260;

/// Searches in flight at the same time.
const SEARCHES_AT_ONCE: usize = 8;

/// Positions of a head's signatures: the log's own, its country's witness's, the partner's.
const LOG: usize = 0;
const OWN: usize = 1;
const PARTNER: usize = 2;

/// The logs of two countries whose services have stopped, the policy that both have, and the checker.
struct PublishedLogs {
    checker: GoChecker,
    lab: Lab,
    mz: PathBuf,
    tz: PathBuf,
}

impl PublishedLogs {
    async fn start() -> Result<Self> {
        let checker = GoChecker::build().await?;
        let mut lab = Lab::start().await?;
        fill(&lab).await?;
        let (mz, tz) = (published(&lab, "mz", LEAVES_MIN).await?, published(&lab, "tz", 1).await?);
        // Stop the services, so that nothing is written while the log is copied.
        lab.border.stop().await;
        Ok(Self { checker, lab, mz, tz })
    }

    fn policy(&self) -> PathBuf {
        self.lab.country("mz").layout().audit_policy()
    }

    /// The checker's verdict on a log, by the policy.
    async fn check(&self, log: &LogCopy) -> Result<Result<String, String>> {
        self.checker.check(&self.policy(), log.folder()).await
    }

    async fn is_refused(&self, what: &str, log: &LogCopy, words: &str) -> Result<()> {
        let said = self.check(log).await?;
        let fault = said.expect_err(what);
        assert!(fault.contains(words), "{what}: the checker says {fault:?}, and not {words:?}");
        Ok(())
    }

    /// A private key of a country's audit service.
    fn key(&self, country: &str, name: &str) -> Result<SigningKey> {
        let file = self.lab.country(country).layout().key(name);
        Ok(SigningKey::from_pkcs8_pem(&fs::read_to_string(file)?)?)
    }
}

/// Fills both countries' logs. Each search of an auditor appends an event.
async fn fill(lab: &Lab) -> Result<()> {
    let sender = lab.officer("mz.prm").await?;
    let id = lab.send("mz.prm", &drafts::motorcycle(&["tz.tpf"])).await?;
    lab.hops(&sender, &id, "delivered", 1).await?;
    let auditor = lab.api("mz.node", "auditor", "audit").await?;
    let search = || async { auditor.get("/v1/events?limit=1").await?.ok() };
    let searches = stream::iter(0..LEAVES_MIN).map(|_| search()).buffer_unordered(SEARCHES_AT_ONCE);
    searches.try_for_each(|_| async { Ok(()) }).await
}

/// Waits until a country's log is published with at least `leaves_min` leaves, signed and cosigned by both. Returns
/// its folder.
async fn published(lab: &Lab, country: &str, leaves_min: u64) -> Result<PathBuf> {
    let years = lab.country(country).layout().data("audit-log").join(format!("{country}.audit"));
    eventually(&format!("{leaves_min} leaves of {country}, cosigned"), || async {
        for year in fs::read_dir(&years).into_iter().flatten() {
            let folder = year?.path();
            // Before the first head there is no checkpoint.
            let Ok(text) = fs::read_to_string(folder.join("checkpoint")) else { continue };
            let note = Note::read(&text)?;
            if note.size()? >= leaves_min && note.signatures.len() > PARTNER {
                return Ok(Some(folder));
            }
        }
        Ok(None)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_check_our_audit_log() -> Result<()> {
    let audited = PublishedLogs::start().await?;
    let size = LogCopy::of(&audited.mz)?.note()?.size()?;
    holds(&audited, size).await?;
    for (what, bend, words) in bends::all() {
        let log = LogCopy::of(&audited.mz)?;
        bend(&log)?;
        audited.is_refused(what, &log, words).await?;
    }
    a_fork_needs_the_partner(&audited).await?;
    aics_tlog_agrees(&audited).await
}

/// The one alteration that aics-tlog does not notice, because it does not need these files.
const NOT_SEEN_BY_AICS_TLOG: &str = "a former tile of other leaves";

/// PyPI's aics-tlog, which knows cosignatures too, accepts the log and refuses altered copies. Needs Python 3.12 or
/// later.
async fn aics_tlog_agrees(audited: &PublishedLogs) -> Result<()> {
    let desk = ScriptFolder::new()?;
    let mut logs = vec![("nothing", LogCopy::of(&audited.mz)?)];
    for (what, bend, _) in bends::all().filter(|(what, ..)| *what != NOT_SEEN_BY_AICS_TLOG) {
        let log = LogCopy::of(&audited.mz)?;
        bend(&log)?;
        logs.push((what, log));
    }
    let folders: Vec<&Path> = logs.iter().map(|(_, log)| log.folder()).collect();
    let facts = json!({ "policy": audited.policy(), "logs": folders });
    if !desk.run_with_python_312("audit_tiles.py", &facts).await? {
        eprintln!("no Python 3.12 or later here: aics-tlog was not asked");
        return Ok(());
    }
    let verdicts: Vec<Option<String>> = serde_json::from_slice(&desk.answer("verdicts.json")?)?;
    assert_eq!(verdicts.len(), logs.len());
    for ((what, _), verdict) in logs.iter().zip(verdicts) {
        assert_eq!(verdict.is_none(), *what == "nothing", "{what}: {verdict:?}");
    }
    Ok(())
}

/// The published log holds by the policy; without the partner's cosignature, only by a policy that does not require
/// both.
async fn holds(audited: &PublishedLogs, size: u64) -> Result<()> {
    let log = LogCopy::of(&audited.mz)?;
    let said = audited.check(&log).await?.expect("what was published holds");
    assert!(said.starts_with("holds: mz.audit/"), "{said}");
    assert!(said.ends_with(&format!(" {size} leaves, cosigned by mz, tz")), "{said}");
    log.change_note(|note| drop(note.signatures.remove(PARTNER)))?;
    let either = fs::read_to_string(audited.policy())?.replace("group countries all", "group countries any");
    log.write("policy", either.as_bytes())?;
    let said = audited.checker.check(&log.folder().join("policy"), log.folder()).await?;
    assert!(said.as_ref().is_ok_and(|said| said.ends_with(" cosigned by mz")), "{said:?}");
    Ok(())
}

/// Mozambique presents another log under its own name, here the whole of Tanzania's, signed with every key that it
/// has. Only the partner's missing cosignature prevents that.
async fn a_fork_needs_the_partner(audited: &PublishedLogs) -> Result<()> {
    let log = LogCopy::of(&audited.tz)?;
    let mut fork = LogCopy::of(&audited.mz)?.note()?;
    fork.head[1..].clone_from_slice(&log.note()?.head[1..]);
    fork.sign(LOG, &audited.key("mz", "audit.log.pem")?)?;
    fork.cosign(OWN, &audited.key("mz", "audit.witness.pem")?)?;
    log.write_note(&fork)?;
    audited
        .is_refused("a fork with a cosignature of the true log", &log, "signature for key tz.audit+")
        .await?;
    log.change_note(|note| drop(note.signatures.remove(PARTNER)))?;
    audited.is_refused("a fork without the partner's cosignature", &log, "not cosigned by tz").await?;
    fork.cosign(PARTNER, &audited.key("tz", "audit.witness.pem")?)?;
    log.write_note(&fork)?;
    let said = audited.check(&log).await?;
    assert!(said.is_ok(), "a fork that the partner cosigns is as good as any log: {said:?}");
    Ok(())
}
