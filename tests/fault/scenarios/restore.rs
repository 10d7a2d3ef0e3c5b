//! A gateway's store put back from an older copy: the database alone, which it notices by itself, and its whole folder,
//! which it is told of.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use rovuma_lab::{api::Api, country::STOP_GRACE};
use rovuma_tests::eventually;

use crate::{
    chance::Chance,
    reconcile::{Expected, Report, reconcile, reconcile_with},
    stage::{Ground, Stage},
    traffic::{Accepted, DIRECTIONS, Traffic},
};

/// What SQLite keeps beside a database, and leaves there when its process ends in the middle.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// What of the store is put back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    /// The database and what SQLite keeps beside it, as a backup has it.
    Database,
    /// The witness too, as a snapshot of the machine has it: nothing is left that could tell.
    Everything,
}

pub(super) async fn run(ground: &mut Ground, _chance: Chance, messages: u32) -> Result<Report> {
    let noticed = put_back(ground, Copied::Database, messages).await.context("the database put back")?;
    let told = put_back(ground, Copied::Everything, messages).await.context("its whole folder put back")?;
    Ok(noticed.and(told))
}

async fn put_back(ground: &mut Ground, what: Copied, messages: u32) -> Result<Report> {
    let mut stage = ground.stage().await?;
    let before = Traffic::start(&stage, messages).await?.accepted().await?;
    reconcile(&stage, &before).await?;
    stop(&mut stage).await?;
    let store = stage.border.mz.layout().store("gateway");
    let copy = copied(&store, what)?;
    stage.bring_back("mz", "gateway").await?;
    let forgotten = Traffic::start(&stage, messages).await?.accepted().await?;
    let all: Vec<Accepted> = before.iter().chain(&forgotten).cloned().collect();
    reconcile(&stage, &all).await?;
    let streams_before = streams(&stage).await?;

    stop(&mut stage).await?;
    put_in_place(&store, &copy)?;
    if what == Copied::Everything {
        let config = stage.border.mz.layout().config("gateway").display().to_string();
        stage.border.mz.ctl().run(["store", "restored", "--service", &config, "--yes"])?;
    }
    stage.bring_back("mz", "gateway").await?;
    let after = Traffic::start(&stage, messages).await?.accepted().await?;

    // What the partner sent and the copy lacks comes again, once.
    let lost_with_the_store: BTreeSet<&str> = forgotten
        .iter()
        .filter(|message| message.sender == "tz.tpf")
        .map(|message| message.id.as_str())
        .collect();
    for recipient in DIRECTIONS[1].recipients {
        let api = stage.api(recipient, "officer", "gateway").await?;
        eventually(&format!("what {recipient} had lost comes again"), || async {
            let back = inbox(&api).await?;
            Ok(lost_with_the_store.iter().all(|id| back.contains(*id)).then_some(()))
        })
        .await?;
    }
    // A new stream: no number was used twice, so nothing is in conflict, and everything new arrives once.
    let fresh = streams(&stage).await?;
    ensure!(!fresh.is_empty() && fresh.is_disjoint(&streams_before), "the streams go on: {fresh:?}");
    let of = |sender: &str| {
        forgotten.iter().filter(|message| message.sender == sender).cloned().collect::<Vec<_>>()
    };
    let (again, unknown) = (of("tz.tpf"), of("mz.prm"));
    let accepted: Vec<Accepted> = before.iter().chain(&again).chain(&after).cloned().collect();
    let report =
        reconcile_with(&stage, &Expected { accepted: &accepted, again: &again, unknown: &unknown }).await?;
    Ok(report.note(format!("{} came again", lost_with_the_store.len())))
}

async fn stop(stage: &mut Stage) -> Result<()> {
    let mut process = stage.border.mz.take_service("gateway")?;
    process.stop(STOP_GRACE).await.context("the gateway stayed")?;
    Ok(())
}

/// Copies the store; where each file is and belongs.
fn copied(store: &Path, what: Copied) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut copies = Vec::new();
    let witness = (what == Copied::Everything).then_some(".witness");
    for suffix in [""].into_iter().chain(BESIDE).chain(witness) {
        let place = with_suffix(store, suffix);
        if place.exists() {
            let kept = place.with_added_extension("kept");
            fs::copy(&place, &kept)?;
            copies.push((kept, place));
        }
    }
    Ok(copies)
}

/// Puts the copy in the place of what is there now. What SQLite keeps beside the database goes with it or goes away: a
/// write-ahead log of the later state beside the older database is neither of the two.
fn put_in_place(store: &Path, copy: &[(PathBuf, PathBuf)]) -> Result<()> {
    for suffix in BESIDE {
        let place = with_suffix(store, suffix);
        if place.exists() {
            fs::remove_file(&place).with_context(|| format!("removing {}", place.display()))?;
        }
    }
    for (kept, place) in copy {
        fs::copy(kept, place).with_context(|| format!("putting back {}", place.display()))?;
    }
    Ok(())
}

fn with_suffix(store: &Path, suffix: &str) -> PathBuf {
    let mut place = store.as_os_str().to_owned();
    place.push(suffix);
    place.into()
}

/// The streams in which Mozambique numbers what it sends now.
async fn streams(stage: &Stage) -> Result<BTreeSet<String>> {
    let api = stage.api("mz.prm", "officer", "gateway").await?;
    let page = api.get("/v1/sent?limit=1").await?.ok()?;
    let copies = page["items"][0]["copies"].as_array().cloned().unwrap_or_default();
    Ok(copies.iter().filter_map(|copy| copy["stream"].as_str().map(str::to_owned)).collect())
}

async fn inbox(api: &Api) -> Result<BTreeSet<String>> {
    let (mut ids, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = api.get(&format!("/v1/inbox?limit=200{cursor}")).await?.ok()?;
        ids.extend(
            page["items"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|row| row["id"].as_str().map(str::to_owned)),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(ids),
        }
    }
}
