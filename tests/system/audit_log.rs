//! The audit log that neither country can rewrite: cosigned across the border, checked offline, and found out when bent.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use rovuma_lab::ctl::Ctl;
use rovuma_tests::{Lab, drafts, eventually, send};
use serde_json::Value;

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

/// Runs `rovumactl audit verify`; its answer and its exit status.
fn verify(ctl: &Ctl, policy: &Path, arguments: &[&str]) -> Result<(Value, Option<i32>)> {
    let policy = policy.to_string_lossy();
    let mut all = vec!["audit", "verify", "--json", "--policy", &policy];
    all.extend(arguments);
    let output = ctl.command(all).output()?;
    let answer = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&output.stderr).into_owned()));
    Ok((answer, output.status.code()))
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

    // One event with its proof, as an agency's own auditor takes it home.
    let auditor = lab.api("mz.prm", "auditor", "audit").await?;
    let event = &sent["event"];
    let name = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
    let path = format!("/v1/events/{}/{}/{}", name("source"), name("epoch"), event["sequence"]);
    let shown = auditor.get(&path).await?.ok()?;
    let proof = auditor.get(&format!("{path}/proof")).await?.ok()?;
    let home = tempfile::tempdir()?;
    let file = |name: &str| home.path().join(name).to_string_lossy().into_owned();
    fs::write(file("event.json"), shown.to_string())?;
    fs::write(file("event.proof"), proof.as_str().context("a text")?)?;
    let layout = lab.country("mz").layout().clone();
    let (ctl, policy) = (lab.country("mz").ctl(), layout.audit_policy());
    let (answer, status) = verify(&ctl, &policy, &[&file("event.proof"), "--event", &file("event.json")])?;
    ensure!(status == Some(0) && answer["holds"] == true, "{answer}");
    ensure!(answer["log"]["cosigned"].as_array().is_some_and(|all| all.len() == 2), "{answer}");
    // Another event than the one that is proven.
    let bent = shown.to_string().replace("message.send", "message.read");
    fs::write(file("event.json"), bent)?;
    let (answer, status) = verify(&ctl, &policy, &[&file("event.proof"), "--event", &file("event.json")])?;
    ensure!(status == Some(5) && answer["holds"] == false, "{answer}");

    // The files of the log are the national auditor's alone.
    let checkpoint = format!("/v1/logs/{origin}/checkpoint");
    for path in [checkpoint.as_str(), &format!("/v1/logs/{origin}/tile/entries/000.p/1")] {
        assert_eq!(auditor.get(path).await?.status, StatusCode::FORBIDDEN, "{path}");
    }
    let token = file("token");
    rovuma_lab::certs::write_private(Path::new(&token), &lab.token("mz.node", "auditor").await?)?;
    let server = lab.country("mz").url("audit")?;
    let over_http = ["--log", &origin, "--server", &server, "--token-file", &token];
    let (answer, status) = verify(&ctl, &policy, &over_http)?;
    ensure!(status == Some(0) && answer["holds"] == true, "{answer}");

    // Whoever follows the log sees it go on; with keys of others it is nobody's.
    let state = file("last-head");
    let watch = |policy: &Path| {
        let policy = policy.to_string_lossy().into_owned();
        let fixed = ["audit", "watch", &origin, "--once", "--json", "--state", &state, "--policy", &policy];
        let output = ctl.command(fixed).args(&over_http[2..]).output()?;
        anyhow::Ok((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code()))
    };
    for _ in 0..2 {
        let (said, status) = watch(&policy)?;
        ensure!(status == Some(0) && said.contains("\"good\""), "{said}");
    }
    let others = home.path().join("others.policy");
    fs::write(&others, fs::read_to_string(&policy)?.replace("log mz.audit/", "# "))?;
    let (said, status) = watch(&others)?;
    ensure!(status == Some(5) && said.contains("not_signed"), "{said}");

    // The whole log in its folder, with no service running; and no entry of it in the other country.
    lab.border.mz.stop().await;
    let folder = layout.data("audit-log").join(&origin);
    let at = folder.to_string_lossy().into_owned();
    let (answer, status) = verify(&ctl, &policy, &[&at])?;
    ensure!(status == Some(0) && answer["holds"] == true, "{answer}");
    let theirs = lab.country("tz").layout().data("audit-log");
    ensure!(fs::read_dir(theirs)?.flatten().all(|log| log.file_name() == "tz.audit"), "a log of mz in tz");

    // A tile that the head does not reach yet is nobody's word, and no fault.
    let ahead = folder.join("tile/entries/007.p/3");
    fs::create_dir_all(ahead.parent().context("a folder")?)?;
    fs::write(&ahead, b"nobody signed this")?;
    let (answer, status) = verify(&ctl, &policy, &[&at])?;
    ensure!(status == Some(0) && answer.to_string().contains("1 files beyond the head"), "{answer}");

    // Without the partner's cosignature, and with one bit of one entry changed, it does not hold.
    let checkpoint = folder.join("checkpoint");
    let signed = fs::read_to_string(&checkpoint)?;
    let alone: Vec<&str> = signed.lines().filter(|line| !line.starts_with("— tz.audit ")).collect();
    fs::write(&checkpoint, alone.join("\n") + "\n")?;
    let (answer, status) = verify(&ctl, &policy, &[&at])?;
    ensure!(status == Some(5), "{answer}");
    ensure!(answer["fault"].as_str().is_some_and(|fault| fault.contains("not cosigned by tz")), "{answer}");
    fs::write(&checkpoint, signed)?;
    let bundle = fs::read_dir(folder.join("tile/entries"))?.next().context("a bundle")??.path();
    let bundle =
        if bundle.is_dir() { fs::read_dir(bundle)?.next().context("a bundle")??.path() } else { bundle };
    let mut bytes = fs::read(&bundle)?;
    bytes[40] ^= 1;
    fs::write(&bundle, bytes)?;
    let (answer, status) = verify(&ctl, &policy, &[&at])?;
    ensure!(status == Some(5) && answer["fault"].is_string(), "{answer}");
    Ok(())
}
