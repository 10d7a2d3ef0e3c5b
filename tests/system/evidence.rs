//! An evidence bundle: made with two running countries, checked with none.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use rovuma_evidence::EvidenceBundle;
use rovuma_lab::ctl::Ctl;
use rovuma_tests::{Lab, drafts, eventually, send};
use serde_json::{Value, json};
use tempfile::TempDir;

const REFERENCE: &str = "PRM-EX-2026-0417";

/// An auditor of `mz.prm` with `rovumactl`, who asks both of the country's services.
struct Auditor {
    ctl: Ctl,
    home: TempDir,
    audit: String,
    gateway: String,
    policy: String,
    authorities: Vec<String>,
}

impl Auditor {
    async fn of(lab: &Lab, agency: &str) -> Result<Self> {
        Self::with_role(lab, agency, "auditor").await
    }

    /// The same desk for somebody with another role.
    async fn with_role(lab: &Lab, agency: &str, role: &str) -> Result<Self> {
        let (country, home) = (lab.country("mz"), tempfile::tempdir()?);
        rovuma_lab::certs::write_private(&home.path().join("token"), &lab.token(agency, role).await?)?;
        let authority = |code: &str| -> Result<String> {
            Ok(format!("{code}={}", country.layout().authority(code.parse()?).display()))
        };
        Ok(Self {
            ctl: country.ctl(),
            home,
            audit: country.url("audit")?,
            gateway: country.url("gateway")?,
            policy: country.layout().audit_policy().to_string_lossy().into_owned(),
            authorities: vec![authority("mz")?, authority("tz")?],
        })
    }

    fn file(&self, name: &str) -> String {
        self.home.path().join(name).to_string_lossy().into_owned()
    }

    fn run(&self, words: &[&str]) -> Result<(Value, Option<i32>)> {
        let output = self.ctl.command(words).output()?;
        let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        let said = serde_json::from_slice(&said)
            .with_context(|| format!("{words:?}: {}", String::from_utf8_lossy(&said)))?;
        Ok((said, output.status.code()))
    }

    /// `rovumactl audit` with these words, at the servers.
    fn ask(&self, words: &[&str]) -> Result<Value> {
        let token = self.file("token");
        let server = ["--server", &self.audit, "--token-file", &token];
        let (said, status) = self.run(&[&["audit"], words, &server].concat())?;
        ensure!(status == Some(0), "{words:?} ended with {status:?}: {said}");
        Ok(said)
    }

    fn bundle(&self, name: &str, words: &[&str]) -> Result<Value> {
        let out = self.file(name);
        let all = ["bundle", "--policy", &self.policy, "--gateway", &self.gateway, "--out", &out];
        self.ask(&[&all, words].concat())
    }

    /// Makes a bundle in which no matching entry is missing: making one is itself recorded, and so is every other act about the
    /// message, and a cosigned head covers it a little later.
    async fn whole_bundle(&self, lab: &Lab, name: &str, words: &[&str]) -> Result<Value> {
        let (out, token) = (self.file(name), self.file("token"));
        let all = ["audit", "bundle", "--policy", &self.policy, "--gateway", &self.gateway, "--out", &out];
        let server = ["--server", &self.audit, "--token-file", &token];
        eventually(&format!("a bundle {name} with everything"), || async {
            settled(lab, &format!("reference={REFERENCE}")).await?;
            let (said, status) = self.run(&[&all, words, &server].concat())?;
            if status == Some(0) {
                return Ok(Some(said));
            }
            ensure!(status == Some(1) && said["uncovered"].is_object(), "{words:?}: {status:?} {said}");
            fs::remove_file(&out)?;
            Ok(None)
        })
        .await
    }

    /// What a check says that asks no server.
    fn verify(&self, name: &str, authorities: &[String]) -> Result<(Value, Option<i32>)> {
        let file = self.file(name);
        let mut words = vec!["audit", "verify", &file, "--policy", &self.policy];
        words.extend(authorities.iter().flat_map(|authority| ["--authority", authority]));
        self.run(&words)
    }
}

/// Waits until the log of mz has a cosigned head with everything that it has now for a search.
async fn settled(lab: &Lab, query: &str) -> Result<()> {
    let newest = lab.audited("mz", query, |_| true).await?;
    let newest = newest["index"].as_u64().context("an index")?;
    let auditor = lab.api("mz.node", "auditor", "audit").await?;
    eventually(&format!("a cosigned head with entry {newest}"), || async {
        let logs = auditor.get("/v1/logs").await?.ok()?;
        let last = logs["logs"].as_array().and_then(|logs| logs.last()).cloned().unwrap_or_default();
        Ok((last["good"]["size"].as_u64() > Some(newest)).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_proven_offline_with_its_messages_and_receipts() -> Result<()> {
    let mut lab = Lab::start().await?;
    let sender = lab.officer("mz.prm").await?;
    let mut draft = drafts::motorcycle(&["tz.tpf"]);
    draft["reference"] = json!(REFERENCE);
    let id = send(&sender, &draft).await?;
    lab.hops(&sender, &id, "delivered", 1).await?;
    lab.officer("tz.tpf").await?.get(&format!("/v1/messages/{id}")).await?.ok()?;
    lab.hops(&sender, &id, "read", 1).await?;
    for (action, country) in [("message.send", "mz"), ("receipt.accept", "mz"), ("message.receive", "tz")] {
        lab.audited(country, &format!("action={action}&reference={REFERENCE}"), |_| true).await?;
    }
    // One that is signed for two countries: its digests are in the event alone.
    let mut draft = drafts::motorcycle(&["tz.tpf", "mz.senami"]);
    draft["reference"] = json!(REFERENCE);
    let for_two = send(&sender, &draft).await?;
    lab.hops(&sender, &for_two, "delivered", 2).await?;
    settled(&lab, &format!("action=message.send&message={for_two}")).await?;

    let auditor = Auditor::of(&lab, "mz.prm").await?;
    let words = ["--reference", REFERENCE, "--reason", "AUD-2026-7", "--language", "pt"];
    let made = auditor.whole_bundle(&lab, "alert.zip", &words).await?;
    ensure!(made["counts"]["messages"] == 2 && made["counts"]["receipts"] == 4, "{made}");
    ensure!(made["counts"]["items"].as_u64() > Some(4) && made["counts"]["unproven"] == 0, "{made}");
    // Without a reason nothing is opened, and that is told.
    let closed = auditor.whole_bundle(&lab, "closed.zip", &["--reference", REFERENCE]).await?;
    ensure!(closed["counts"]["messages"] == 0 && closed["left_out"] == 2, "{closed}");
    // The national auditor sees the log of the country, and no agency's messages.
    let national = Auditor::of(&lab, "mz.node").await?;
    let words_of_nation = ["--message", &id, "--reason", "AUD-2026-8", "--without-uncovered"];
    let refused = national.bundle("national.zip", &words_of_nation)?;
    ensure!(refused["counts"]["messages"] == 0 && refused["left_out"] == 1, "{refused}");
    lab.audited("mz", "action=export", |row| row["event"]["details"]["form"] == "evidence").await?;

    // What one of its events said is erased: the bundle says on whose order.
    let officer = Auditor::with_role(&lab, "mz.prm", "dpo").await?;
    let scope = format!("reference/{REFERENCE}");
    let done = officer.ask(&["erase", &scope, "--legal-basis", "Lei n.º 3/2017, art. 63", "--yes"])?;
    ensure!(done["entries"].as_u64() > Some(3), "{done}");
    let (count, table) =
        (auditor.ask(&["count", "--reference", REFERENCE, "--by", "action"])?, auditor.file("alert.csv"));
    ensure!(
        count["items"].as_array().is_some_and(|items| items.iter().any(|item| item["value"] == "erase")),
        "{count}"
    );
    settled(&lab, "action=erase").await?;
    let erased = auditor.whole_bundle(&lab, "erased.zip", &words).await?;
    ensure!(erased["counts"]["erased"].as_u64() > Some(3), "{erased}");
    // The leaf still names the message that was signed once, and its receipts. The digests of the one that was signed for two
    // countries were in its event.
    ensure!(erased["counts"]["messages"] == 1 && erased["left_out"] == 1, "{erased}");
    ensure!(erased["counts"]["receipts"] == 2, "{erased}");
    searches_are_kept_and_exported(&auditor, &table)?;

    lab.border.mz.stop().await;
    lab.border.tz.stop().await;
    for name in ["alert.zip", "closed.zip", "erased.zip"] {
        let (said, status) = auditor.verify(name, &auditor.authorities)?;
        ensure!(status == Some(0) && said["holds"] == true, "{name}: {said}");
    }
    let (said, status) = auditor.verify("alert.zip", &[])?;
    ensure!(status == Some(1) && said["unchecked"].to_string().contains("--authority"), "{said}");
    let report = EvidenceBundle::unpack(&fs::read(auditor.file("erased.zip"))?)?.report;
    ensure!(
        report.contains("Lei n.º 3/2017, art. 63") && report.contains("O que não está provado"),
        "{report}"
    );
    what_is_bent_is_named(&auditor)
}

fn searches_are_kept_and_exported(auditor: &Auditor, table: &str) -> Result<()> {
    let token = auditor.file("token");
    let server = ["--server", &auditor.audit, "--token-file", &token];
    let run = |words: &[&str]| -> Result<()> {
        let output = auditor.ctl.command([&["audit"], words, &server].concat()).output()?;
        ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    };
    run(&["save", "the alert", "--reference", REFERENCE, "--oldest-first"])?;
    run(&["export", "--saved", "the alert", "--out", table])?;
    let rows = fs::read_to_string(table)?;
    ensure!(rows.starts_with("index,stored_at,time,") && rows.contains("message.send"), "{rows}");
    let found = auditor.ask(&["search", "--saved", "the alert", "--action", "erase"])?;
    ensure!(found["items"].as_array().map(Vec::len) == Some(1), "{found}");
    run(&["forget", "the alert"])?;
    let kept = auditor.ask(&["saved"])?;
    ensure!(kept["items"] == json!([]), "{kept}");
    Ok(())
}

/// Changes that leave a sound bundle, with a manifest that fits, and prove nothing.
fn what_is_bent_is_named(auditor: &Auditor) -> Result<()> {
    let bytes = fs::read(auditor.file("alert.zip"))?;
    let repack = |bend: &dyn Fn(&mut EvidenceBundle)| -> Result<()> {
        let mut bundle = EvidenceBundle::unpack(&bytes)?;
        bend(&mut bundle);
        fs::write(Path::new(&auditor.file("bent.zip")), bundle.pack()?)?;
        Ok(())
    };
    let fails = |authorities: &[String], word: &str| -> Result<()> {
        let (said, status) = auditor.verify("bent.zip", authorities)?;
        ensure!(status == Some(5) && said["fault"].to_string().contains(word), "{word}: {status:?} {said}");
        ensure!(said["holds"] == false && said["says"].is_null(), "{said}");
        Ok(())
    };
    repack(&|bundle| bundle.report = bundle.report.replace(REFERENCE, "PRM-EX-2026-0418"))?;
    fails(&auditor.authorities, "report.html is not the report that the files give")?;
    // A report that says it is another version's is not believed either. Whoever sets it aside gets the true one.
    repack(&|bundle| {
        bundle.contents.manifest.made_with = "rovumactl 0.0.0".to_owned();
        bundle.report = "<p>Nothing happened.</p>".to_owned();
    })?;
    fails(&auditor.authorities, "report.html is not the report that the files give")?;
    let (file, out) = (auditor.file("bent.zip"), auditor.file("true.html"));
    let mut words = vec!["audit", "verify", &file, "--policy", &auditor.policy, "--report", &out];
    words.push("--set-report-aside");
    words.extend(auditor.authorities.iter().flat_map(|authority| ["--authority", authority]));
    let (said, status) = auditor.run(&words)?;
    ensure!(status == Some(1) && said["unchecked"].to_string().contains("report.html"), "{status:?} {said}");
    ensure!(fs::read_to_string(out)?.contains(REFERENCE), "the report that the files give");
    repack(&|bundle| {
        for entry in bundle.contents.entries.values_mut() {
            entry.leaf = entry.leaf.replace("message.send", "message.read");
        }
    })?;
    fails(&auditor.authorities, "another leaf")?;
    // A trust list that another authority signed; and messages without their lists.
    let swapped = auditor.authorities.iter().map(|pin| match pin.split_once('=') {
        Some(("mz", file)) => format!("tz={file}"),
        Some((_, file)) => format!("mz={file}"),
        None => pin.clone(),
    });
    repack(&|_| {})?;
    fails(&swapped.collect::<Vec<_>>(), "trust/mz.json")?;
    repack(&|bundle| bundle.contents.trust.clear())?;
    fails(&auditor.authorities, "messages/")?;
    // A receipt with one byte changed.
    repack(&|bundle| {
        let receipts = bundle.contents.messages.values_mut().flat_map(|files| files.receipts.values_mut());
        receipts.for_each(|jws| *jws = jws.replacen('.', ".A", 1));
    })?;
    fails(&auditor.authorities, "receipts/")
}
