//! An alert's life: sent, read, reported wrong, changed, flagged in one agency, issued again after its key was compromised,
//! withdrawn, certified.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rovuma_schemas::{AgencyCode, Date, Timestamp};
use serde_json::{Value, json};

use super::{Story, text};
use crate::{border::Border, country::STOP_GRACE, ctl::Ctl, keys::path};

/// The alert of the story: a stolen motorcycle, with a wrong chassis number.
const EXAMPLE: &str = include_str!("../../../../schemas/examples/valid/alert-stolen-motorcycle.json");

const ISSUER: &str = "mz.prm";
const RECIPIENTS: [&str; 2] = ["tz.tpf", "tz.tisd"];

/// Time limit for what comes by itself: a receipt, a message issued again.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often it is looked at.
const POLL: Duration = Duration::from_millis(300);

/// Plays the story, and returns how many steps it had.
///
/// # Errors
/// When a step does not end as it should; the error says which.
pub async fn play(border: &mut Border, programs: &Path, say: &(dyn Fn(&str) + Sync)) -> Result<usize> {
    let mut story = Story::new(border, say);
    let (id, name) = issue(&mut story).await?;
    read(&mut story, &id, &name).await?;
    let report = report_error(&mut story, &name).await?;
    correct(&mut story, &name, &report).await?;
    flag(&mut story, &name).await?;
    lose_key(&mut story, programs, &name).await?;
    withdraw(&mut story, &name).await?;
    certify(&mut story, &name).await?;
    compare(&mut story, &name).await?;
    Ok(story.steps)
}

async fn issue(story: &mut Story<'_>) -> Result<(String, String)> {
    let mut draft: Value = serde_json::from_str(EXAMPLE)?;
    draft["terms"]["urgency"] = json!({ "level": "normal" });
    let file = story.border.mz.layout().data("story-alert.json");
    fs::write(&file, format!("{draft:#}\n")).with_context(|| format!("writing {}", file.display()))?;
    let file = path(&file);
    let words = ["send", &file, "--release", "--despite-duplicates", super::SENT_AGAIN];
    let sent = story.does(ISSUER, "officer", "sends the alert", &words).await?;
    let id = text(&sent, "id").to_owned();
    story.delivered(ISSUER, "officer", &id).await?;
    let row =
        story.desk(ISSUER, "officer").await?.run(&["case", "list", "--limit", "1"])?["items"][0].clone();
    ensure!(row["case"]["id"] == id.as_str(), "the newest case is not the alert's: {row}");
    let name = text(&row, "short_reference").to_owned();
    story.tell(&format!("→ the case is {name}, in both countries, on paper and on the telephone"));
    Ok((id, name))
}

async fn read(story: &mut Story<'_>, id: &str, name: &str) -> Result<()> {
    for agency in RECIPIENTS {
        let shown = story.does(agency, "officer", "opens it", &["show", id]).await?;
        ensure!(shown["payload"]["body"]["category"] == "vehicle", "{shown}");
    }
    story.tell(&format!("→ the sender is told that it was read; here too the case is {name}"));
    let seen = story.desk(RECIPIENTS[0], "officer").await?.run(&["case", "show", name])?;
    ensure!(state(&seen) == "active", "{seen}");
    let desk = story.desk(ISSUER, "officer").await?;
    desk.run(&["trace", id, "--follow", "--until", "read", "--timeout", "90s"]).map(drop)
}

async fn report_error(story: &mut Story<'_>, name: &str) -> Result<String> {
    let words = [
        "alert",
        "report-error",
        name,
        "--subject",
        "v1",
        "--at",
        "/subjects/vehicles/0/chassis_number",
        "--proposal",
        "Kwenye chombo imeandikwa MD2EXAMPLE0000471.",
        "--written-in",
        "sw",
        "--yes",
    ];
    let sent = story.does("tz.tpf", "officer", "reports an error", &words).await?;
    let report = text(&sent, "id").to_owned();
    story.delivered("tz.tpf", "officer", &report).await?;
    let mine =
        story.does(ISSUER, "officer", "sees what needs an answer", &["case", "list", "--mine"]).await?;
    let rows = mine["items"].as_array().context("rows")?;
    ensure!(rows.iter().any(|row| row["short_reference"] == name && row["ball"] == "ours"), "{mine}");
    story.tell(&format!("→ {name}: one error report waits for an answer"));
    Ok(report)
}

async fn correct(story: &mut Story<'_>, name: &str, report: &str) -> Result<()> {
    let words = [
        "alert",
        "update",
        name,
        "--set",
        "/subjects/vehicles/0/chassis_number=MD2EXAMPLE0000471",
        "--change",
        "Corrigido o número do quadro.",
        "--answers",
        report,
        "--yes",
    ];
    let sent = story.does(ISSUER, "officer", "corrects the alert: version 2", &words).await?;
    story.delivered(ISSUER, "officer", text(&sent, "id")).await?;
    for (agency, person) in [(ISSUER, "officer"), ("tz.tpf", "officer")] {
        let seen = story.desk(agency, person).await?.run(&["case", "show", name])?;
        ensure!(
            seen["case"]["version"] == 2 && seen["alert"]["reports"][0]["answer"] == "updated",
            "{agency}: {seen}"
        );
    }
    story.tell("→ both sides show version 2, and the report as answered by it");
    Ok(())
}

async fn flag(story: &mut Story<'_>, name: &str) -> Result<()> {
    let words =
        ["alert", "flag", name, "--on", "--reason", "own_proceedings", "--instead", "inform_only", "--yes"];
    let sent = story.does("tz.tisd", "officer", "marks it as not executable in Tanzania", &words).await?;
    story.delivered("tz.tisd", "officer", text(&sent, "id")).await?;
    let seen = story.desk(ISSUER, "officer").await?.run(&["case", "show", name])?;
    ensure!(seen["alert"]["flagged_countries"] == json!(["tz"]), "{seen}");
    Ok(())
}

/// While Tanzania cannot be reached, the key that signed the next version turns out to be compromised. The version is issued again
/// under another key, without anybody's doing.
async fn lose_key(story: &mut Story<'_>, programs: &Path, name: &str) -> Result<()> {
    story.step("tz.node, operator", "the gateway is down");
    let mut gateway = story.country_mut("tz").take_service("gateway")?;
    gateway.stop(STOP_GRACE).await.context("Tanzania's gateway did not end")?;
    let words = [
        "alert",
        "update",
        name,
        "--set",
        "/circumstances=A mota foi vista em Newala.",
        "--change",
        "Vista em Newala.",
        "--yes",
    ];
    let sent = story.does(ISSUER, "officer", "sends version 3, which waits", &words).await?;
    let first = text(&sent, "id").to_owned();
    replace_key(story, programs).await?;

    story.step("tz.node, operator", "the gateway is up again");
    let tanzania = story.country_mut("tz");
    tanzania.start_service("gateway")?;
    tanzania.ready("gateway").await?;
    let again = issued_again(story, name, &first).await?;
    story.tell(&format!("→ {first} is signed again under the new key: {again}"));
    story.delivered(ISSUER, "officer", &again).await?;
    let seen = story.desk("tz.tpf", "officer").await?.run(&["case", "show", name])?;
    ensure!(seen["case"]["version"] == 3, "{seen}");
    Ok(())
}

/// Revokes the issuer's signing key as compromised, and puts another in its place.
async fn replace_key(story: &mut Story<'_>, programs: &Path) -> Result<()> {
    let who = "mz.node, operator and authority";
    story.step(who, "the signing key of mz.prm is compromised: it is revoked, and a new one takes its place");
    let layout = story.border.mz.layout().clone();
    let (prm, mz): (AgencyCode, _) = (ISSUER.parse()?, "mz".parse()?);
    let key = layout.signing_key(&prm);
    let ctl = Ctl::new(programs);
    let former = ctl.run(["keys", "show", &path(&key.with_extension("jwk"))])?;
    let former = text(&former, "id").to_owned();
    // A story that is played again makes another one.
    let next = layout.key(&format!("{ISSUER}.after-{former}.pem"));
    let (list, draft) = (path(&layout.trust_list(mz)), layout.trust_draft());
    let _ = fs::remove_file(&draft);
    let (next_text, draft) = (path(&next), path(&draft));
    let (public, authority) = (path(&next.with_extension("jwk")), path(&layout.authority(mz)));
    let authority_key = path(&layout.key("authority.pem"));
    let commands: [Vec<&str>; 5] = [
        vec!["keys", "generate", "signing", "--out", &next_text],
        vec!["trust", "revise", &list, "--authority", &authority, "--draft", &draft],
        vec!["trust", "rotate", ISSUER, "--signing", &public, "--draft", &draft],
        vec!["trust", "revoke", ISSUER, &former, "--reason", "compromised", "--draft", &draft],
        vec!["trust", "sign", "--draft", &draft, "--authority-key", &authority_key, "--out", &list],
    ];
    for command in commands {
        story.tell(&format!("$ rovumactl {}", super::as_typed(&command)));
        ctl.run(command)?;
    }
    replace(&next, &key, 0o600)?;
    replace(&next.with_extension("jwk"), &key.with_extension("jwk"), 0o644)?;
    // The list is carried over, as people do it with a memory stick.
    replace(Path::new(&list), &story.border.tz.layout().trust_list(mz), 0o644)?;
    let mozambique = story.country_mut("mz");
    let mut gateway = mozambique.take_service("gateway")?;
    gateway.stop(STOP_GRACE).await.context("Mozambique's gateway did not end")?;
    mozambique.start_service("gateway")?;
    mozambique.ready("gateway").await?;
    story.tell("→ the list is handed to Tanzania, and the gateway signs with the new key");
    Ok(())
}

fn replace(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let content = fs::read(from).with_context(|| format!("reading {}", from.display()))?;
    rovuma_files::replace(to, &content, mode).with_context(|| format!("writing {}", to.display()))
}

/// Waits until the case of the issuer shows both ids of the message that it first signed as `first`; the new one.
async fn issued_again(story: &mut Story<'_>, name: &str, first: &str) -> Result<String> {
    let desk = story.desk(ISSUER, "officer").await?;
    story.typed(ISSUER, "officer", &["case", "timeline", name]);
    let started = Instant::now();
    loop {
        let timeline = desk.run(&["case", "timeline", name])?;
        let steps = timeline["steps"].as_array().context("steps")?;
        let ids =
            steps.iter().filter_map(|step| step["ids"].as_array()).find(|ids| ids.contains(&json!(first)));
        let other = ids.and_then(|ids| ids.iter().find_map(|id| id.as_str().filter(|id| *id != first)));
        if let Some(other) = other {
            return Ok(other.to_owned());
        }
        ensure!(started.elapsed() < PATIENCE, "{first} was not issued again: {timeline}");
        tokio::time::sleep(POLL).await;
    }
}

async fn withdraw(story: &mut Story<'_>, name: &str) -> Result<()> {
    let words = [
        "alert",
        "withdraw",
        name,
        "--reason",
        "purpose_achieved",
        "--note",
        "A mota foi apreendida em Newala.",
        "--submit",
        "--yes",
    ];
    let kept = story.does(ISSUER, "officer", "asks for the withdrawal", &words).await?;
    ensure!(kept["state"] == "pending_release", "{kept}");
    let draft = text(&kept, "id").to_owned();
    story.tell("→ a supervisor must release it: nothing has been sent yet");
    let released = story.released(ISSUER, &draft, &[]).await?;
    story.delivered(ISSUER, "supervisor", &released).await?;

    let words = ["alert", "update", name, "--set", "/circumstances=Afinal não.", "--change", "x", "--yes"];
    let desk = story.desk(ISSUER, "officer").await?;
    story.step(
        &super::who(ISSUER, "officer"),
        "tries to change it afterwards, and is told what the case is now",
    );
    story.typed(ISSUER, "officer", &words);
    let refused = desk.refused(&words)?;
    ensure!(refused["problem"]["code"] == "not_allowed_in_state", "{refused}");
    story.tell(&format!("→ {}", text(&refused, "what")));
    Ok(())
}

async fn certify(story: &mut Story<'_>, name: &str) -> Result<()> {
    let until = Date::of(Timestamp::system_now()).plus_days(365).to_string();
    let erased = ["alert", "certify", name, "--outcome", "erased", "--yes"];
    let retained = [
        "alert",
        "certify",
        name,
        "--outcome",
        "retained",
        "--ground",
        "own_proceedings",
        "--until",
        &until,
        "--yes",
    ];
    let sent = story.does("tz.tpf", "supervisor", "certifies that the data are erased", &erased).await?;
    story.delivered("tz.tpf", "supervisor", text(&sent, "id")).await?;
    let sent = story
        .does("tz.tisd", "supervisor", "certifies that they are kept, why and until when", &retained)
        .await?;
    story.delivered("tz.tisd", "supervisor", text(&sent, "id")).await
}

/// Both sides show the same, as far as both have it.
async fn compare(story: &mut Story<'_>, name: &str) -> Result<()> {
    let words = ["case", "show", name];
    let seen = story.does(ISSUER, "officer", "sees the whole life of the alert", &words).await?;
    let shown = story.desk(ISSUER, "officer").await?.read(&words)?;
    story.tell(&shown);
    ensure!(state(&seen) == "withdrawn", "{seen}");
    let recipients = seen["alert"]["recipients"].as_array().context("recipients")?;
    ensure!(recipients.len() == 2 && recipients.iter().all(|one| one["state"] == "certified"), "{seen}");
    for agency in RECIPIENTS {
        let theirs = story.desk(agency, "officer").await?.run(&words)?;
        ensure!(state(&theirs) == "withdrawn", "{agency}: {theirs}");
        ensure!(theirs["case"]["short_reference"] == name, "{agency}: {theirs}");
        let (here, there) = (said_by(&seen, ISSUER), said_by(&theirs, ISSUER));
        ensure!(here == there, "the issuer's messages differ: {here:?}, at {agency} {there:?}");
    }
    story.tell("→ the recipients show the same state and the same messages of the issuer");
    Ok(())
}

fn state(case: &Value) -> &str {
    text(&case["case"], "state")
}

/// Turn, type and effect of each message of an agency.
fn said_by(case: &Value, agency: &str) -> Vec<(Option<u64>, String, String)> {
    let steps = case["steps"].as_array().cloned().unwrap_or_default();
    let of_agency = steps.iter().filter(|step| step["sender"] == agency);
    of_agency
        .map(|step| (step["turn"].as_u64(), text(step, "type").to_owned(), text(step, "effect").to_owned()))
        .collect()
}
