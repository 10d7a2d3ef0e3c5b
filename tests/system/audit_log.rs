//! The audit log that neither country can rewrite: cosigned across the border, checked offline, and found out when bent.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::StatusCode;
use rovuma_envelope::{Signer as _, SigningKey};
use rovuma_lab::{ctl::Ctl, layout::Layout};
use rovuma_tests::{Lab, drafts, eventually, send};
use rovuma_tlog::{
    Hash, Head, LogPolicy, NoteKey, PolicyVerdict, UnverifiedCheckpoint, add_cosignature, cosign, sign,
};
use serde_json::Value;
use tempfile::TempDir;

/// Waits until the present log of a country has a good head with more than `index` entries; the log's origin.
async fn witnessed(lab: &Lab, country: &str, index: u64) -> Result<String> {
    let auditor = lab.api(&format!("{country}.node"), "auditor", "audit").await?;
    eventually(&format!("a cosigned head of {country} with entry {index}"), || async {
        let logs = auditor.get("/v1/logs").await?.ok()?;
        let last = logs["logs"].as_array().and_then(|logs| logs.last()).cloned().unwrap_or_default();
        let size = last["good"]["size"].as_u64().unwrap_or_default();
        Ok((size > index).then(|| last["origin"].as_str().unwrap_or_default().to_owned()))
    })
    .await
}

/// An auditor's desk: `rovumactl`, the policy that was handed over, and a folder.
struct Desk {
    ctl: Ctl,
    policy: PathBuf,
    home: TempDir,
    layout: Layout,
}

/// What a command said, and its exit status.
type Said = (String, Option<i32>);

impl Desk {
    fn of(lab: &Lab) -> Result<Self> {
        let layout = lab.country("mz").layout().clone();
        let (ctl, policy) = (lab.country("mz").ctl(), layout.audit_policy());
        Ok(Self { ctl, policy, home: tempfile::tempdir()?, layout })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn put(&self, name: &str, text: &str) -> Result<String> {
        fs::write(self.file(name), text)?;
        Ok(self.file(name).to_string_lossy().into_owned())
    }

    /// Runs `rovumactl audit` with these words.
    fn audit(&self, policy: &Path, words: &[&str]) -> Result<Said> {
        let policy = policy.to_string_lossy();
        let all = [&["audit"], words, &["--json", "--policy", &policy]].concat();
        let output = self.ctl.command(all).output()?;
        let said = [output.stdout, output.stderr].concat();
        Ok((String::from_utf8_lossy(&said).into_owned(), output.status.code()))
    }

    fn holds(&self, words: &[&str]) -> Result<String> {
        let (said, status) = self.audit(&self.policy, words)?;
        ensure!(status == Some(0), "{words:?} ended with {status:?}: {said}");
        Ok(said)
    }

    fn fails(&self, words: &[&str], word: &str) -> Result<()> {
        let (said, status) = self.audit(&self.policy, words)?;
        ensure!(status == Some(5) && said.contains(word), "{words:?} ended with {status:?}: {said}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_proven_offline_by_what_both_countries_signed() -> Result<()> {
    let mut lab = Lab::start().await?;
    let sender = lab.officer("mz.prm").await?;
    let id = send(&sender, &drafts::motorcycle(&["tz.tpf"])).await?;
    lab.hops(&sender, &id, "delivered", 1).await?;
    let sent = lab.audited("mz", &format!("action=message.send&message={id}"), |_| true).await?;
    let origin = witnessed(&lab, "mz", sent["index"].as_u64().context("an index")?).await?;
    witnessed(&lab, "tz", 0).await?;
    let desk = Desk::of(&lab)?;
    an_event_is_proven(&lab, &desk, &sent["event"]).await?;
    the_log_is_followed(&lab, &desk, &origin).await?;
    lab.border.mz.stop().await;
    let theirs = lab.country("tz").layout().data("audit-log");
    ensure!(fs::read_dir(theirs)?.flatten().all(|log| log.file_name() == "tz.audit"), "a log of mz in tz");
    the_folder_holds_and_what_is_bent_is_named(&desk, &desk.layout.data("audit-log").join(&origin))
}

/// One event with its proof, as an agency's own auditor takes it home.
async fn an_event_is_proven(lab: &Lab, desk: &Desk, event: &Value) -> Result<()> {
    let auditor = lab.api("mz.prm", "auditor", "audit").await?;
    let name = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let path = format!("/v1/events/{}/{}/{}", name("source"), name("epoch"), event["sequence"]);
    let shown = auditor.get(&path).await?.ok()?.to_string();
    let proof = auditor.get(&format!("{path}/proof")).await?.ok()?;
    let proof = desk.put("event.proof", proof.as_str().context("a text")?)?;
    let file = desk.put("event.json", &shown)?;
    let said = desk.holds(&["verify", &proof, "--event", &file])?;
    let answer: Value = serde_json::from_str(&said)?;
    ensure!(answer["log"]["cosigned"].as_array().is_some_and(|all| all.len() == 2), "{answer}");
    // Another event than the one that is proven.
    let bent = desk.put("bent.json", &shown.replace("message.send", "message.read"))?;
    desk.fails(&["verify", &proof, "--event", &bent], "another event")
}

/// The files of a log over HTTP, which are the national auditor's alone; and what a watch says of them.
async fn the_log_is_followed(lab: &Lab, desk: &Desk, origin: &str) -> Result<()> {
    let auditor = lab.api("mz.prm", "auditor", "audit").await?;
    for path in ["checkpoint", "tile/entries/000.p/1"] {
        let path = format!("/v1/logs/{origin}/{path}");
        assert_eq!(auditor.get(&path).await?.status, StatusCode::FORBIDDEN, "{path}");
    }
    rovuma_lab::certs::write_private(&desk.file("token"), &lab.token("mz.node", "auditor").await?)?;
    let (token, server) =
        (desk.file("token").to_string_lossy().into_owned(), lab.country("mz").url("audit")?);
    let server = ["--server", &server, "--token-file", &token];
    desk.holds(&[&["verify", "--log", origin][..], &server].concat())?;

    let state = desk.file("last-head").to_string_lossy().into_owned();
    let watch = [&["watch", origin, "--once", "--state", &state][..], &server].concat();
    for _ in 0..2 {
        let said = desk.holds(&watch)?;
        ensure!(said.contains("\"good\""), "{said}");
    }
    // What both countries signed before, and the log is not the one gone on.
    for (size, word) in [(1_000_000, "shrunken"), (1, "fork")] {
        fs::write(&state, forged(lab, desk, origin, size)?)?;
        desk.fails(&watch, word)?;
    }
    fs::remove_file(&state)?;
    let policy = fs::read_to_string(&desk.policy)?;
    let others = desk.put("others.policy", &policy.replace("log mz.audit/", "# "))?;
    let (said, status) = desk.audit(Path::new(&others), &watch)?;
    ensure!(status == Some(5) && said.contains("not_signed"), "{said}");
    let third = NoteKey::of_cosigner("observer.example", SigningKey::generate()?.public_key())?;
    let third = format!(
        "witness third {third}\n{}",
        policy.replace("group countries all", "group countries all third")
    );
    let (said, status) = desk.audit(Path::new(&desk.put("third.policy", &third)?), &watch)?;
    ensure!(status == Some(1) && said.contains("unwitnessed"), "{said}");
    Ok(())
}

/// A head that nobody would have made, with the signatures of the log and of both countries.
fn forged(lab: &Lab, desk: &Desk, origin: &str, size: u64) -> Result<Vec<u8>> {
    let key = |country: &str, name: &str| -> Result<SigningKey> {
        let pem = fs::read_to_string(lab.country(country).layout().key(name))?;
        Ok(SigningKey::from_pkcs8_pem(&pem)?)
    };
    let head = Head { origin: origin.to_owned(), size, root: Hash([7; 32]) };
    let mut note = UnverifiedCheckpoint::read(&sign(&head, &key("mz", "audit.log.pem")?)?)?;
    let policy: LogPolicy = fs::read_to_string(&desk.policy)?.parse()?;
    for country in ["mz", "tz"] {
        let (PolicyVerdict::Good(checkpoint) | PolicyVerdict::Unwitnessed { checkpoint, .. }) =
            policy.judge(note.clone())
        else {
            bail!("the log's own key signed it");
        };
        let (name, key) = (format!("{country}.audit"), key(country, "audit.witness.pem")?);
        let line = cosign(&checkpoint, &name, &key, 1_790_000_000)?;
        note = add_cosignature(&note, &line, &NoteKey::of_cosigner(&name, key.public_key())?)?;
    }
    Ok(note.as_bytes().to_vec())
}

/// The whole log in its folder, with no service running.
fn the_folder_holds_and_what_is_bent_is_named(desk: &Desk, folder: &Path) -> Result<()> {
    let at = folder.to_string_lossy().into_owned();
    desk.holds(&["verify", &at])?;
    // A tile that the head does not reach yet is nobody's word, and no fault.
    let ahead = folder.join("tile/entries/007.p/3");
    fs::create_dir_all(ahead.parent().context("a folder")?)?;
    fs::write(&ahead, b"nobody signed this")?;
    let said = desk.holds(&["verify", &at])?;
    ensure!(said.contains("1 files beyond it were not"), "{said}");

    let checkpoint = folder.join("checkpoint");
    let signed = fs::read_to_string(&checkpoint)?;
    let alone: Vec<&str> = signed.lines().filter(|line| !line.starts_with("— tz.audit ")).collect();
    fs::write(&checkpoint, alone.join("\n") + "\n")?;
    desk.fails(&["verify", &at], "not cosigned by tz")?;
    fs::write(&checkpoint, signed)?;
    let mut bundle = folder.join("tile/entries");
    while bundle.is_dir() {
        bundle = fs::read_dir(&bundle)?.next().context("a bundle")??.path();
    }
    let mut bytes = fs::read(&bundle)?;
    bytes[40] ^= 1;
    fs::write(&bundle, bytes)?;
    desk.fails(&["verify", &at], "\"fault\"")
}
