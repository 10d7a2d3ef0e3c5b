//! A gateway's store is put back from an older copy: the database alone, which the gateway notices by itself, and its
//! whole folder, which an operator reports.

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
    reconcile::{ExpectedCounts, FaultReport, reconcile, reconcile_with},
    stage::{RunningCountries, TestBed},
    traffic::{Accepted, DIRECTIONS, Traffic},
};

/// The files that SQLite keeps beside a database, and leaves there when its process is killed.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The part of the store that is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RestoredPart {
    /// The database and the files that SQLite keeps beside it, as a backup has them.
    Database,
    /// The restore mark too, as a snapshot of the machine has it, so that nothing remains to notice the restore by.
    Everything,
}

pub(super) async fn run(ground: &mut TestBed, _chance: Chance, messages: u32) -> Result<FaultReport> {
    let noticed =
        put_back(ground, RestoredPart::Database, messages).await.context("the database put back")?;
    let told =
        put_back(ground, RestoredPart::Everything, messages).await.context("its whole folder put back")?;
    Ok(noticed.and(told))
}

async fn put_back(ground: &mut TestBed, what: RestoredPart, messages: u32) -> Result<FaultReport> {
    let mut stage = ground.stage().await?;
    let before = Traffic::start(&stage, messages).await?.accepted().await?;
    reconcile(&stage, &before).await?;
    stop(&mut stage, "mz").await?;
    let store = stage.border.mz.layout().store("gateway");
    let copy = copy_store(&store, what)?;
    stage.restart_service("mz", "gateway").await?;
    let forgotten = Traffic::start(&stage, messages).await?.accepted().await?;
    let all: Vec<Accepted> = before.iter().chain(&forgotten).cloned().collect();
    reconcile(&stage, &all).await?;
    let streams_before = streams(&stage).await?;

    stop(&mut stage, "mz").await?;
    put_in_place(&store, &copy)?;
    if what == RestoredPart::Everything {
        report_restore(&mut stage, "mz")?;
    }
    stage.restart_service("mz", "gateway").await?;
    let after = Traffic::start(&stage, messages).await?.accepted().await?;

    // Messages that the partner sent and the copy lacks arrive again, once.
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
    // A new stream: no number was used twice, so nothing is in conflict, and every new message arrives once.
    let fresh = streams(&stage).await?;
    ensure!(!fresh.is_empty() && fresh.is_disjoint(&streams_before), "the streams go on: {fresh:?}");
    let of = |sender: &str| {
        forgotten.iter().filter(|message| message.sender == sender).cloned().collect::<Vec<_>>()
    };
    let (again, unknown) = (of("tz.tpf"), of("mz.prm"));
    let accepted: Vec<Accepted> = before.iter().chain(&again).chain(&after).cloned().collect();
    let report =
        reconcile_with(&stage, &ExpectedCounts { accepted: &accepted, again: &again, unknown: &unknown })
            .await?;
    Ok(report.note(format!("{} came again", lost_with_the_store.len())))
}

/// Stops a country's gateway.
pub(super) async fn stop(stage: &mut RunningCountries, code: &str) -> Result<()> {
    let mut process = stage.country(code).take_service("gateway")?;
    process.stop(STOP_GRACE).await.context("the gateway stayed")?;
    Ok(())
}

/// Tells a country's gateway, as an operator does, that its store is an older copy.
pub(super) fn report_restore(stage: &mut RunningCountries, code: &str) -> Result<()> {
    let country = stage.country(code);
    let config = country.layout().config("gateway").display().to_string();
    country.ctl().run(["store", "restored", "--service", &config, "--yes"])?;
    Ok(())
}

/// Copies the store. Returns each copied file and the path that it belongs to.
pub(super) fn copy_store(store: &Path, what: RestoredPart) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut copies = Vec::new();
    let mark = (what == RestoredPart::Everything).then_some(".restore-mark");
    for suffix in [""].into_iter().chain(BESIDE).chain(mark) {
        let place = with_suffix(store, suffix);
        if place.exists() {
            let kept = place.with_added_extension("kept");
            fs::copy(&place, &kept)?;
            copies.push((kept, place));
        }
    }
    Ok(copies)
}

/// Replaces the present files by the copy. Files that SQLite keeps beside the database are replaced or removed: a
/// write-ahead log of the later state beside the older database would match neither.
pub(super) fn put_in_place(store: &Path, copy: &[(PathBuf, PathBuf)]) -> Result<()> {
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

/// The streams in which Mozambique now numbers what it sends.
async fn streams(stage: &RunningCountries) -> Result<BTreeSet<String>> {
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
