//! Services killed without warning.

use anyhow::Result;
use rovuma_lab::country::SERVICES;

use crate::{
    chance::Chance,
    reconcile::{FaultReport, reconcile},
    stage::TestBed,
    traffic::Traffic,
};

/// Minimum number of times that every service is killed.
const TIMES_EACH: usize = 2;

pub(super) async fn run(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let mut stage = ground.stage().await?;
    let traffic = Traffic::start(&stage, messages).await?;
    let victims: Vec<(&str, &'static str)> =
        ["mz", "tz"].iter().flat_map(|code| SERVICES.map(|service| (*code, service))).collect();
    let mut kills = 0;
    for _ in 0..TIMES_EACH {
        for place in 0..victims.len() {
            let (code, service) = if traffic.is_done() { victims[place] } else { *chance.one_of(&victims) };
            tokio::time::sleep(chance.pause(50..700)).await;
            stage.country(code).take_service(service)?.kill();
            kills += 1;
            tokio::time::sleep(chance.pause(0..500)).await;
            stage.restart_service(code, service).await?;
        }
    }
    while !traffic.is_done() {
        let (code, service) = *chance.one_of(&victims);
        tokio::time::sleep(chance.pause(200..1500)).await;
        stage.country(code).take_service(service)?.kill();
        kills += 1;
        stage.restart_service(code, service).await?;
    }
    let accepted = traffic.accepted().await?;
    Ok(reconcile(&stage, &accepted).await?.note(format!("{kills} kills")))
}
