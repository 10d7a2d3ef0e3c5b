//! Vehicles are screened at a post while the watchlist, its gateway and its broker are killed, a list is replaced, and alerts are withdrawn
//! whose hits wait. Afterwards each owner was told once.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::CONTENT_TYPE;
use rovuma_lab::{api::Api, country::WATCHLIST};
use rovuma_tests::{drafts, eventually, send};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    chance::Chance,
    reconcile::{FaultReport, pages},
    stage::{RunningCountries, TestBed},
    traffic::{post, post_until_answered},
};

/// Maximum alerts, whatever the number of messages: each is scanned, and every scan of the same is one hit.
const ALERTS_MAX: u32 = 120;

const OWNER: &str = "mz.prm";
const REPORTER: &str = "tz.tpf";

/// The list that is replaced, with the number that only its first file has and the one that only its second has.
const LIST: &str = "stolen";
const OLD_NUMBER: &str = "QX100001";
const NEW_NUMBER: &str = "QX200002";

/// Records of the second file: reading it takes long enough to be killed in.
const NEW_RECORDS: u32 = 40_000;

/// What breaks while vehicles are scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The watchlist is killed, between a match and its notice or anywhere.
    Watchlist,
    /// The gateway that signs the notices.
    Gateway,
    /// The broker between them and the owner.
    Broker,
    /// The watchlist is killed while a list is replaced.
    Import,
    /// The gateway is killed, hits wait for it, and their alerts are withdrawn meanwhile.
    Withdrawal,
}

/// An alert about a motorcycle.
#[derive(Clone, Debug)]
struct Wanted {
    alert: String,
    plate: String,
}

pub(super) async fn run(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let mut stage = ground.stage().await?;
    stage.border.tz.start_watchlist().await?;
    let booth = stage.api(REPORTER, "border", WATCHLIST).await?;
    let mut wanted = issue(&stage, messages.min(ALERTS_MAX)).await?;
    for one in &wanted {
        until_in_force(&stage, one).await?;
    }
    import(&stage, &list_of(10, OLD_NUMBER)).await?.context("nobody answers")??;

    let mut faults = vec![
        Fault::Watchlist,
        Fault::Watchlist,
        Fault::Gateway,
        Fault::Broker,
        Fault::Import,
        Fault::Withdrawal,
    ];
    chance.shuffle(&mut faults);
    chance.shuffle(&mut wanted);
    let parts: Vec<Vec<Wanted>> =
        wanted.chunks(wanted.len().div_ceil(faults.len())).map(<[_]>::to_vec).collect();
    let mut withdrawn = BTreeSet::new();
    for (fault, part) in faults.iter().zip(parts) {
        println!("   {fault:?}");
        match fault {
            Fault::Withdrawal => withdrawn.extend(withdraw_while_hits_wait(&mut stage, &booth, &part).await?),
            fault => {
                let scans = scan_all(&booth, &part, &mut chance);
                break_and_repair(ground, &mut stage, *fault, &mut chance).await?;
                scans.await??;
            }
        }
    }
    let told = count(&stage, &booth, &wanted, &withdrawn).await?;
    Ok(FaultReport::default().note(format!(
        "{} alerts scanned, {told} owners told once, {} withdrawn before",
        wanted.len(),
        wanted.len() - told
    )))
}

/// Issues alerts about motorcycles.
async fn issue(stage: &RunningCountries, count: u32) -> Result<Vec<Wanted>> {
    let owner = [stage.api(OWNER, "officer", "gateway").await?];
    let mut wanted = Vec::new();
    for turn in 0..count {
        let draft = drafts::motorcycle(&[REPORTER]);
        let plate =
            draft["body"]["subjects"]["vehicles"][0]["plate"]["number"].as_str().context("a plate")?;
        wanted.push(Wanted { alert: post(&owner, turn, &draft).await?, plate: plate.to_owned() });
    }
    Ok(wanted)
}

/// Waits until a look-up, which tells nobody, finds it.
async fn until_in_force(stage: &RunningCountries, wanted: &Wanted) -> Result<()> {
    let desk = stage.api(REPORTER, "officer", WATCHLIST).await?;
    let look = json!({
        "text": wanted.plate, "kind": "plate", "state": "MOZ", "purpose": { "code": "detection", "reference": "TPF-1" },
    });
    eventually(&format!("{} in force at the post", wanted.plate), || async {
        let found = desk.post("/v1/screen", &look).await?.ok()?;
        Ok((found["verdict"] == "hit").then_some(()))
    })
    .await
}

/// Scans each of these twice, until it is answered.
fn scan_all(booth: &Api, part: &[Wanted], chance: &mut Chance) -> JoinHandle<Result<()>> {
    let mut scans = [part, part].concat();
    chance.shuffle(&mut scans);
    let (booth, pauses): (_, Vec<_>) =
        ([booth.clone()], scans.iter().map(|_| chance.pause(0..150)).collect());
    tokio::spawn(async move {
        for (wanted, pause) in scans.iter().zip(pauses) {
            scan(&booth, wanted).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    })
}

/// Scans one until it is answered. Whatever is broken, it is a hit, and every list says how old it is.
async fn scan(booth: &[Api], wanted: &Wanted) -> Result<Value> {
    let scan = json!({
        "text": wanted.plate, "kind": "plate", "state": "MOZ",
        "crossing": { "post": "namoto_kilambo", "direction": "entry" },
    });
    let answer = post_until_answered(booth, 0, "/v1/screen", &scan, None).await?.ok()?;
    let hits = answer["hits"].as_array().context("hits")?;
    let found = hits.iter().find(|hit| hit["case"]["id"] == wanted.alert.as_str());
    let found = found.with_context(|| format!("{} is on nobody's list: {answer}", wanted.plate))?;
    ensure!(found["forwarded"] == true, "{} is not told: {found}", wanted.plate);
    let lists = answer["lists"].as_array().context("lists")?;
    let says_age =
        |list: &Value| list["age_s"].is_u64() || list["state"] == "missing" || list["state"] == "loading";
    ensure!(!lists.is_empty() && lists.iter().all(says_age), "a list without an age: {answer}");
    Ok(answer)
}

async fn break_and_repair(
    ground: &mut TestBed,
    stage: &mut RunningCountries,
    fault: Fault,
    chance: &mut Chance,
) -> Result<()> {
    tokio::time::sleep(chance.pause(20..800)).await;
    match fault {
        Fault::Watchlist => {
            stage.country("tz").take_service(WATCHLIST)?.kill();
            stage.restart_service("tz", WATCHLIST).await
        }
        Fault::Gateway => {
            stage.country("tz").take_service("gateway")?.kill();
            tokio::time::sleep(chance.pause(0..2000)).await;
            stage.restart_service("tz", "gateway").await
        }
        Fault::Broker => {
            ground.nodes.tz.kill();
            ground.nodes.tz.restart(|_| ()).await
        }
        Fault::Import => kill_while_importing(stage, chance).await,
        Fault::Withdrawal => Ok(()),
    }
}

/// A file with this many stolen passports, this one among them.
fn list_of(records: u32, number: &str) -> String {
    let mut file = "id,surname,given,doc_type,doc_issuer,doc_number\n".to_owned();
    for record in 1..records {
        file.push_str(&format!("R{record},,,passport,MOZ,QM{record:06}\n"));
    }
    file.push_str(&format!("R{records},,,passport,MOZ,{number}\n"));
    file
}

/// Imports a file: whether it was taken; none where the service went away meanwhile.
async fn import(stage: &RunningCountries, file: &str) -> Result<Option<Result<()>>> {
    let url = format!("{}/v1/lists/{LIST}?source=csv", stage.border.tz.url(WATCHLIST)?);
    let token = stage.token(REPORTER, "supervisor").await?;
    let request = reqwest::Client::new()
        .post(url)
        .bearer_auth(token)
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(file.to_owned());
    let Ok(answer) = request.send().await else { return Ok(None) };
    let status = answer.status();
    let Ok(said) = answer.text().await else { return Ok(None) };
    Ok(Some(if status.is_success() { Ok(()) } else { Err(anyhow::anyhow!("{status}: {said}")) }))
}

/// Kills the watchlist while a list is replaced: the old one stands, or the new one, whole.
async fn kill_while_importing(stage: &mut RunningCountries, chance: &mut Chance) -> Result<()> {
    let file = list_of(NEW_RECORDS, NEW_NUMBER);
    let pause = chance.pause(50..1500);
    let mut watchlist = stage.country("tz").take_service(WATCHLIST)?;
    let (imported, ()) = tokio::join!(import(stage, &file), async {
        tokio::time::sleep(pause).await;
        watchlist.kill();
    });
    stage.restart_service("tz", WATCHLIST).await?;
    let was_answered = match imported? {
        Some(outcome) => outcome.map(|()| true)?,
        None => false,
    };
    let (old, new) = (is_listed(stage, OLD_NUMBER).await?, is_listed(stage, NEW_NUMBER).await?);
    println!(
        "   the import was {}, the list is the {} one",
        if was_answered { "answered" } else { "cut off" },
        if new { "new" } else { "old" }
    );
    ensure!(old != new, "half a list: old {old}, new {new}");
    ensure!(new || !was_answered, "the list is the old one, and the import was answered");
    // Whoever was cut off imports it again.
    import(stage, &file).await?.context("nobody answers")??;
    ensure!(
        is_listed(stage, NEW_NUMBER).await? && !is_listed(stage, OLD_NUMBER).await?,
        "the new list is not in force"
    );
    Ok(())
}

async fn is_listed(stage: &RunningCountries, number: &str) -> Result<bool> {
    let desk = stage.api(REPORTER, "officer", WATCHLIST).await?;
    let look = json!({
        "text": number, "kind": "document", "state": "MOZ", "document_type": "passport",
        "purpose": { "code": "detection", "reference": "TPF-1" },
    });
    let found = desk.post("/v1/screen", &look).await?.ok()?;
    Ok(found["hits"].as_array().is_some_and(|hits| !hits.is_empty()))
}

/// Hits wait for a gateway that is away, and half of their alerts are withdrawn meanwhile; returns those.
async fn withdraw_while_hits_wait(
    stage: &mut RunningCountries,
    booth: &Api,
    part: &[Wanted],
) -> Result<Vec<String>> {
    stage.country("tz").take_service("gateway")?.kill();
    for wanted in part {
        scan(std::slice::from_ref(booth), wanted).await?;
    }
    let supervisor = stage.api(OWNER, "supervisor", "gateway").await?;
    let mut withdrawn = Vec::new();
    for wanted in part.iter().step_by(2) {
        let case = supervisor.get(&format!("/v1/cases/alert/{OWNER}/{}", wanted.alert)).await?.ok()?;
        let terms = drafts::motorcycle(&[REPORTER])["terms"].take();
        let draft = json!({
            "type": "alert.withdraw", "status": "exercise", "case": case["case"]["case"], "terms": terms,
            "body": { "reason": "purpose_achieved" },
        });
        send(&supervisor, &draft).await?;
        withdrawn.push(wanted.alert.clone());
    }
    stage.restart_service("tz", "gateway").await?;
    Ok(withdrawn)
}

/// Counts: each alert that was scanned is one hit here, and one at its owner; or it was withdrawn before its owner could be told, and the hit
/// says so. Returns how many owners were told.
async fn count(
    stage: &RunningCountries,
    booth: &Api,
    wanted: &[Wanted],
    withdrawn: &BTreeSet<String>,
) -> Result<usize> {
    // Another hit follows on the same way, behind whatever is on it.
    let last = issue(stage, 1).await?.pop().context("an alert")?;
    until_in_force(stage, &last).await?;
    scan(std::slice::from_ref(booth), &last).await?;
    let desk = stage.api(REPORTER, "officer", WATCHLIST).await?;
    eventually("every hit told or refused", || async {
        Ok(pages(&desk, "/v1/candidates", "state=queued&").await?.is_empty().then_some(()))
    })
    .await?;
    let owner = stage.api(OWNER, "officer", "gateway").await?;
    let forwarded = by_alert(&pages(&desk, "/v1/candidates", "state=forwarded&").await?);
    let told: usize = forwarded.values().sum();
    eventually("every hit at its owner", || async {
        Ok((pages(&owner, "/v1/cases", "kind=hit&").await?.len() >= told).then_some(()))
    })
    .await?;
    let refused = pages(&desk, "/v1/candidates", "state=refused&").await?;
    let other = refused.iter().find(|hit| hit["refusal"] != "not_allowed_in_state");
    ensure!(other.is_none(), "refused for another reason: {other:?}");
    let refused = by_alert(&refused);
    let mut wrong = Vec::new();
    for one in wanted.iter().chain([&last]) {
        let alert = owner.get(&format!("/v1/cases/alert/{OWNER}/{}", one.alert)).await?.ok()?;
        let at_owner = alert["hanging"].as_array().map_or(0, Vec::len);
        let here: (usize, usize) = (times(&forwarded, one), times(&refused, one));
        let holds = match here {
            (1, 0) => at_owner == 1,
            (0, 1) => at_owner == 0 && withdrawn.contains(&one.alert),
            _ => false,
        };
        if !holds {
            wrong
                .push(format!("{}: told {}, refused {}, at its owner {at_owner}", one.plate, here.0, here.1));
        }
    }
    if !wrong.is_empty() {
        bail!("{} hits are lost or doubled: {}", wrong.len(), wrong.join("; "));
    }
    Ok(told - 1)
}

fn times(counts: &BTreeMap<String, usize>, wanted: &Wanted) -> usize {
    counts.get(&wanted.alert).copied().unwrap_or_default()
}

/// How many of these hits each alert has.
fn by_alert(hits: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for alert in hits.iter().filter_map(|hit| hit["hit"]["case"]["id"].as_str()) {
        *counts.entry(alert.to_owned()).or_default() += 1;
    }
    counts
}
