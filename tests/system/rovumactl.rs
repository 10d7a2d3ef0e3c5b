//! `rovumactl` in a person's hands: logged in through the browser, sending, reading, following; and in an
//! operator's, whose acts are in the audit log.

use std::{io::Write, path::Path, process::Stdio};

use anyhow::{Context, Result, ensure};
use rovuma_lab::{ctl::Ctl, desk};
use rovuma_tests::{Lab, drafts, items};
use serde_json::Value;
use tempfile::TempDir;

/// A desk where an officer uses `rovumactl`, logged in; and who they are.
async fn logged_in(lab: &Lab, agency: &str, home: &Path) -> Result<(Ctl, Value)> {
    logged_in_as(lab, agency, "officer", home).await
}

/// A desk where one person uses `rovumactl`, logged in; and who they are.
async fn logged_in_as(lab: &Lab, agency: &str, person: &str, home: &Path) -> Result<(Ctl, Value)> {
    let (code, name) = agency.split_once('.').context("an agency code")?;
    let country = lab.country(code);
    let ctl = country.ctl().with_home(home);
    let login = format!("{person}.{name}");
    let who = desk::log_in(country, ctl.command(["login", "--no-browser"]), &login).await?;
    Ok((ctl, who))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_logs_in_with_a_browser_and_sends_reads_and_follows() -> Result<()> {
    let lab = Lab::start().await?;
    let (here, there) = (TempDir::new()?, TempDir::new()?);
    let (sender, who) = logged_in(&lab, "mz.prm", here.path()).await?;
    assert_eq!((&who["agency"], &who["roles"][0]), (&"mz.prm".into(), &"liaison_officer".into()), "{who}");
    assert_eq!(sender.run(["whoami"])?["subject"], who["subject"]);

    let draft = here.path().join("draft.json");
    std::fs::write(&draft, drafts::motorcycle(&["tz.tpf"]).to_string())?;
    let draft = draft.to_string_lossy().into_owned();
    let sent = sender.run(["send", &draft, "--release"])?;
    let id = sent["id"].as_str().context("an id")?;
    assert_eq!(sent["copies"][0]["recipient"], "tz.tpf", "{sent}");
    sender.run(["trace", id, "--follow", "--until", "delivered", "--timeout", "45s"])?;

    let (recipient, reader) = logged_in(&lab, "tz.tpf", there.path()).await?;
    let inbox = items(&recipient.run(["inbox", "--unread"])?);
    assert!(inbox.iter().any(|row| row["id"] == id && row["sender"] == "mz.prm"), "{inbox:?}");
    let shown = recipient.run(["show", id])?;
    assert_eq!(shown["payload"]["body"]["category"], "vehicle", "{shown}");
    let way = sender.run(["trace", id, "--follow", "--until", "read", "--timeout", "45s"])?;
    let hops = way["hops"].as_array().context("hops")?;
    assert!(hops.iter().any(|hop| hop["hop"] == "read" && hop["agency"] == "tz.tpf"), "{way}");
    // Another person's session is not this one's.
    let alien = sender.command(["show", id]).env("XDG_STATE_HOME", there.path().join("nobody")).output()?;
    assert_eq!(alien.status.code(), Some(6), "{}", String::from_utf8_lossy(&alien.stderr));

    let by = |who: &Value, action: &str| {
        let actor = who["subject"].clone();
        (format!("action={action}"), move |row: &Value| row["event"]["actor"] == actor)
    };
    for action in ["login.succeed", "message.send"] {
        let (query, is_it) = by(&who, action);
        lab.audited("mz", &query, is_it).await?;
    }
    for action in ["login.succeed", "inbox.search", "message.read"] {
        let (query, is_it) = by(&reader, action);
        lab.audited("tz", &query, is_it).await?;
    }
    sender.run(["logout"])?;
    let after = sender.command(["inbox"]).output()?;
    assert_eq!(after.status.code(), Some(6), "{}", String::from_utf8_lossy(&after.stderr));
    Ok(())
}

/// A draft comes back from the supervisor, is mended from the command line, and is released once the supervisor has read it.
#[tokio::test(flavor = "multi_thread")]
async fn a_returned_draft_is_mended_and_released() -> Result<()> {
    let lab = Lab::start().await?;
    let (here, there) = (TempDir::new()?, TempDir::new()?);
    let (officer, _) = logged_in_as(&lab, "mz.prm", "officer", here.path()).await?;
    let (supervisor, _) = logged_in_as(&lab, "mz.prm", "supervisor", there.path()).await?;
    let file = |name: &str, content: &Value| -> Result<String> {
        let path = here.path().join(name);
        std::fs::write(&path, content.to_string())?;
        Ok(path.to_string_lossy().into_owned())
    };
    let mut draft = drafts::wanted_person(&["tz.tpf"]);
    let kept = officer.run(["send", &file("draft.json", &draft)?])?;
    let id = kept["id"].as_str().context("an id")?.to_owned();
    officer.run(["draft", "submit", &id])?;
    supervisor.run(["draft", "return", &id, "--reason", "Say where."])?;
    let returned = officer.run(["draft", "show", &id])?;
    assert_eq!((&returned["state"], &returned["return_reason"]), (&"returned".into(), &"Say where.".into()));

    draft["body"]["circumstances"] = "Seen last in Mueda.".into();
    let mended = officer.run(["draft", "change", &id, &file("mended.json", &draft)?])?;
    assert_eq!(mended["fault_count"], 0, "{mended}");
    officer.run(["draft", "submit", &id])?;

    let mut release = supervisor.command(["draft", "release", &id]);
    release.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut release = release.spawn()?;
    release.stdin.take().context("piped")?.write_all(b"yes\n")?;
    let ended = release.wait_with_output()?;
    let shown = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{shown}");
    ensure!(shown.contains("Seen last in Mueda."), "the draft was not shown: {shown}");
    let way = officer.run(["trace", &id, "--follow", "--timeout", "45s"])?;
    assert_eq!(way["copies"][0]["state"], "delivered", "{way}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_does_with_rovumactl_is_in_the_audit_log() -> Result<()> {
    let lab = Lab::start().await?;
    let country = lab.country("mz");
    let (ctl, layout) = (country.ctl(), country.layout());
    let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let mz = "mz".parse()?;
    let (key, draft) = (text(layout.key("mz.prm.next.pem")), text(layout.trust_draft()));
    let (list, authority) = (text(layout.trust_list(mz)), text(layout.authority(mz)));
    let authority_key = text(layout.key("authority.pem"));

    ctl.run(["keys", "generate", "signing", "--agency", "mz.prm", "--out", &key])?;
    std::fs::remove_file(&draft)?;
    ctl.run(["trust", "revise", &list, "--authority", &authority, "--draft", &draft])?;
    let public = text(layout.key("mz.prm.next.jwk"));
    ctl.run(["trust", "add-key", "mz.prm", "--draft", &draft, "--signing", &public])?;
    let sign = ["trust", "sign", "--draft", &draft, "--authority-key", &authority_key, "--out", &list];
    ctl.run(sign)?;
    // With the key of somebody else: refused, and that is an act too.
    let stranger = text(layout.key("gateway.pem"));
    let mut refused = sign.map(str::to_owned);
    refused[5] = stranger;
    assert!(ctl.run(refused).is_err(), "a service's key signed a trust list");

    let shipped = ctl.run(["audit", "ship"])?;
    assert_eq!(shipped["acknowledged"], 0, "each command had shipped its own: {shipped}");
    let found = lab.audit_events("mz", "source=mz.rovumactl").await?;
    let acts: Vec<(String, String)> = found.iter().map(|row| act(&row["event"])).collect();
    for (action, outcome) in [("key.create", "success"), ("trust.sign", "success"), ("trust.sign", "failed")]
    {
        let wanted = (action.to_owned(), outcome.to_owned());
        assert_eq!(acts.iter().filter(|act| **act == wanted).count(), 1, "{wanted:?} in {acts:?}");
    }
    // By number: a name would be personal data.
    let is_number = |row: &Value| row["event"]["actor"].as_str().is_some_and(|who| who.starts_with("uid:"));
    assert!(found.iter().all(is_number), "{found:?}");
    Ok(())
}

fn act(event: &Value) -> (String, String) {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    (text("action"), text("outcome"))
}
