//! The line between the brokers is cut, or slow.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use rovuma_lab::config::LabTimings;
use rovuma_tests::{drafts, eventually, quick};

use crate::{
    chance::Chance,
    reconcile::{FaultReport, reconcile},
    stage::{RunningCountries, TestBed},
    traffic::{Accepted, DIRECTIONS, Traffic, post, unhurried},
};

/// The speed of a slow line, as districts have.
const SLOW_BITS_PER_S: u64 = 64_000;

/// An urgent alert must arrive within this, whatever else waits.
const URGENT_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn cut(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let stage = ground.stage().await?;
    let lines = ground.lay_lines(&stage.border).await?;
    let mut accepted = warm_up(&stage).await?;
    lines.from_mz.cut();
    lines.from_tz.cut();
    let waiting = Traffic::start(&stage, messages).await?.accepted().await?;
    // Data is lost on the way as well: a cut in the middle of the backlog.
    lines.from_mz.mend();
    lines.from_tz.mend();
    tokio::time::sleep(chance.pause(200..6000)).await;
    lines.from_mz.cut();
    tokio::time::sleep(chance.pause(200..1000)).await;
    lines.from_mz.mend();
    let note = format!("{} waited during the cut", waiting.len());
    accepted.extend(waiting);
    Ok(reconcile(&stage, &accepted).await?.note(note))
}

pub(super) async fn slow(ground: &mut TestBed, _chance: Chance, messages: u32) -> Result<FaultReport> {
    // A message that waits for a slow line is not lost. Send it again as late as a real installation would: every 2
    // s, as in other scenarios, the line would carry nothing else.
    let real = LabTimings { retransmit_first_ms: LabTimings::default().retransmit_first_ms, ..quick() };
    let stage = ground.stage_with(&real).await?;
    let lines = ground.lay_lines(&stage.border).await?;
    let mut accepted = warm_up(&stage).await?;
    lines.from_mz.cut();
    accepted.extend(Traffic::start_with(&stage, messages, unhurried).await?.accepted().await?);
    lines.from_mz.slow_down(SLOW_BITS_PER_S);
    lines.from_tz.slow_down(SLOW_BITS_PER_S);
    lines.from_mz.mend();
    let sender = stage.api("mz.prm", "officer", "gateway").await?;
    eventually("the backlog is moving", || async {
        let page = sender.get("/v1/sent?state=delivered&limit=2").await?.ok()?;
        // The alert that brought the links up, and another one.
        Ok(page["items"].as_array().is_some_and(|rows| rows.len() > 1).then_some(()))
    })
    .await?;
    let waiting = sender.get("/v1/sent?state=queued&limit=200").await?.ok()?;
    let behind = waiting["items"].as_array().map_or(0, Vec::len);
    let started = Instant::now();
    let urgent = post(std::slice::from_ref(&sender), 0, &drafts::motorcycle(&["tz.tpf", "tz.tisd"])).await?;
    let recipient = stage.api("tz.tpf", "officer", "gateway").await?;
    eventually("the urgent alert arrives", || async {
        let answer = recipient.get(&format!("/v1/messages/{urgent}/trace")).await?;
        Ok(answer.status.is_success().then_some(()))
    })
    .await?;
    let took = started.elapsed();
    ensure!(took < URGENT_WITHIN, "the urgent alert took {took:?} with {behind} or more waiting");
    accepted.push(Accepted { id: urgent, sender: "mz.prm", recipients: DIRECTIONS[0].recipients.to_vec() });
    let report = reconcile(&stage, &accepted).await?;
    Ok(report.note(format!("the urgent alert took {} ms, at least {behind} before it", took.as_millis())))
}

/// Sends one message in each direction, so that the links are up.
async fn warm_up(stage: &RunningCountries) -> Result<Vec<Accepted>> {
    let accepted = Traffic::start(stage, 1).await?.accepted().await?;
    for message in &accepted {
        let api = stage.api(message.sender, "officer", "gateway").await?;
        eventually("the links are up", || async {
            let sent = api.get("/v1/sent?state=delivered&limit=200").await?.ok()?;
            let rows = sent["items"].as_array().cloned().unwrap_or_default();
            Ok(rows.iter().any(|row| row["id"] == message.id.as_str()).then_some(()))
        })
        .await?;
    }
    Ok(accepted)
}
