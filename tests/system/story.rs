//! The stories of the quickstart, on two countries of their own; and what follows an alert that they do not play.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use rovuma_lab::{
    border::{Border, Nodes},
    config::LabTimings,
    desk::Desk,
    story,
};
use rovuma_schemas::Timestamp;
use rovuma_tests::{Lab, drafts, programs};
use serde_json::{Value, json};

/// An alert's life through the command line of both sides, with a key that is lost on the way, after the quickstart has sent its example.
#[tokio::test(flavor = "multi_thread")]
async fn an_alert_lives_from_its_issue_to_the_last_certificate() -> Result<()> {
    let mut lab = Lab::start().await?;
    let example = include_str!("../../schemas/examples/valid/alert-stolen-motorcycle.json");
    let officer = Desk::log_in(lab.country("mz"), "officer.prm").await?;
    send(&lab, &officer, &serde_json::from_str(example)?, &["--release"])?;
    let steps = story::alert::play(&mut lab.border, &programs()?, &|line| println!("{line}")).await?;
    assert!(steps >= 15, "{steps} steps");
    Ok(())
}

/// A request for assistance through the command line of both sides, over a line that is cut: on brokers of its own, one of which it
/// stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_asked_answered_cancelled_and_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut nodes = Nodes::start(folder.path(), |_| {}).await?;
    let (vhost, timings) = (rovuma_broker::topology::VHOST, LabTimings::default());
    let mut border =
        Border::prepare(folder.path(), &nodes, &programs()?, vhost, &timings, |_: &str| {}).await?;
    border.start(|_: &str| {}).await?;
    let played = story::request::play(&mut border, &mut nodes, &|line| println!("{line}")).await;
    border.stop().await;
    nodes.stop().await;
    let steps = played?;
    assert!(steps >= 15, "{steps} steps");
    Ok(())
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().with_context(|| format!("no text: {value}"))?.to_owned())
}

/// Sends a draft from a file, and waits for its receipts; its id.
fn send(lab: &Lab, desk: &Desk, draft: &Value, words: &[&str]) -> Result<String> {
    let file = lab.country("mz").layout().data("draft.json");
    fs::write(&file, draft.to_string())?;
    let file = file.to_string_lossy().into_owned();
    let words: Vec<&str> = ["send", &file].iter().chain(words).copied().collect();
    let id = text(&desk.run(&words)?["id"])?;
    delivered(desk, &id)?;
    Ok(id)
}

fn delivered(desk: &Desk, id: &str) -> Result<()> {
    desk.run(&["trace", id, "--follow", "--timeout", "60s"]).map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_person_sends_in_an_emergency_another_confirms() -> Result<()> {
    let lab = Lab::start().await?;
    let officer = Desk::log_in(lab.country("mz"), "officer.prm").await?;
    let supervisor = Desk::log_in(lab.country("mz"), "supervisor.prm").await?;
    let recipient = Desk::log_in(lab.country("tz"), "officer.tpf").await?;
    let draft = drafts::wanted_person(&["tz.tpf"]);
    let id = send(&lab, &officer, &draft, &["--emergency", "A pessoa está agora na ponte."])?;
    for desk in [&officer, &recipient] {
        let case = desk.run(&["case", "show", &id])?;
        ensure!(case["alert"]["confirm_by"].is_string() && case["case"]["due"].is_string(), "{case}");
    }
    let name = text(&officer.run(&["case", "show", &id])?["case"]["short_reference"])?;
    let refused = officer.refused(&["alert", "confirm", &id, "--yes"])?;
    assert_eq!(refused["problem"]["code"], "supervisor_only", "{refused}");
    let confirmed = supervisor.run(&["alert", "confirm", &id, "--yes"])?;
    delivered(&supervisor, &text(&confirmed["id"])?)?;
    for desk in [&officer, &recipient] {
        let case = desk.run(&["case", "show", &name])?;
        assert_eq!(
            (&case["case"]["state"], &case["alert"]["confirm_by"]),
            (&json!("active"), &Value::Null),
            "{case}"
        );
    }

    // A new version about a person needs the second person again, and the author's check of protection.
    let change = ["alert", "update", &name, "--set", "/circumstances=Vista em Newala.", "--change", "Vista."];
    let with = |more: &[&'static str]| -> Vec<String> {
        change.iter().chain(more).map(|word| (*word).to_owned()).collect()
    };
    let unchecked = with(&["--submit", "--yes"]);
    let refused = officer.refused(&unchecked.iter().map(String::as_str).collect::<Vec<_>>())?;
    assert_eq!(refused["problem"]["code"], "draft_faulty", "{refused}");
    let checked = with(&["--protection-checked", "--submit", "--yes"]);
    let submitted = officer.run(&checked.iter().map(String::as_str).collect::<Vec<_>>())?;
    let draft = text(&submitted["id"])?;
    let version = supervisor.run(&["draft", "show", &draft])?["version"].to_string();
    supervisor.run(&["draft", "release", &draft, "--yes", "--version", &version])?;
    delivered(&officer, &draft)?;

    // What the issuer does not accept it answers, and the report is open no more.
    let words =
        ["alert", "report-error", &name, "--at", "/circumstances", "--proposal", "Si Newala.", "--yes"];
    let report = text(&recipient.run(&words)?["id"])?;
    delivered(&recipient, &report)?;
    let reply = officer.run(&["alert", "reply", &report, "--reason", "Confirmado no local.", "--yes"])?;
    delivered(&officer, &text(&reply["id"])?)?;
    let case = recipient.run(&["case", "show", &name])?;
    assert_eq!(
        (&case["case"]["version"], &case["alert"]["reports"][0]["answer"]),
        (&json!(2), &json!("not_accepted"))
    );
    for mark in [&["--on", "--reason", "national_law", "--instead", "locate"][..], &["--off"]] {
        let words: Vec<&str> = ["alert", "flag", &name, "--yes"].iter().chain(mark).copied().collect();
        delivered(&recipient, &text(&recipient.run(&words)?["id"])?)?;
    }
    let case = officer.run(&["case", "show", &name])?;
    assert_eq!(case["alert"]["flagged"], json!([]), "{case}");

    // What frees an innocent person waits for nobody.
    let withdrawn = officer.run(&["alert", "withdraw", &name, "--reason", "misused_identity", "--yes"])?;
    delivered(&officer, &text(&withdrawn["id"])?)?;
    assert_eq!(recipient.run(&["case", "show", &name])?["alert"]["withdrawn"], "misused_identity");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_prolongs_an_alert() -> Result<()> {
    let lab = Lab::start().await?;
    let officer = Desk::log_in(lab.country("mz"), "officer.prm").await?;
    let supervisor = Desk::log_in(lab.country("mz"), "supervisor.prm").await?;
    let (now, mut draft) = (Timestamp::system_now(), drafts::motorcycle(&["tz.tpf"]));
    draft["body"]["validity"] = json!({ "until": now.plus(30 * DAY) });
    draft["terms"]["retain_until"] = json!(rovuma_schemas::Date::of(now.plus(31 * DAY)));
    let id = send(&lab, &officer, &draft, &["--release"])?;
    let until = now.plus(90 * DAY).to_string();
    let extend = ["alert", "extend", &id, "--until", &until, "--reason", "Ainda não apareceu.", "--yes"];
    assert_eq!(officer.refused(&extend)?["problem"]["code"], "supervisor_only");
    delivered(&supervisor, &text(&supervisor.run(&extend)?["id"])?)?;
    // A later version leaves the end where it is now, though the content before it states an earlier one.
    let update =
        ["alert", "update", &id, "--set", "/subjects/vehicles/0/colour=blue", "--change", "Azul.", "--yes"];
    delivered(&officer, &text(&officer.run(&update)?["id"])?)?;
    let recipient = Desk::log_in(lab.country("tz"), "officer.tpf").await?;
    let case = recipient.run(&["case", "show", &id])?;
    assert_eq!((&case["alert"]["ends"], &case["case"]["version"]), (&json!(until), &json!(2)), "{case}");
    Ok(())
}

/// A scan at a border post: found and told without anybody's hand, confirmed, withdrawn; a misread plate; a discreet check.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_is_answered_and_what_is_certain_is_told() -> Result<()> {
    let mut lab = Lab::start().await?;
    lab.border.mz.start_watchlist().await?;
    lab.border.tz.start_watchlist().await?;
    let steps = story::hit::play(&mut lab.border, &|line| println!("{line}")).await?;
    assert!(steps >= 15, "{steps} steps");
    Ok(())
}
