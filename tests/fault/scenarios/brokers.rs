//! A broker node killed and restarted.

use anyhow::Result;

use crate::{
    chance::Chance,
    reconcile::{FaultReport, reconcile},
    stage::TestBed,
    traffic::Traffic,
};

pub(super) async fn run(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let stage = ground.stage().await?;
    let traffic = Traffic::start(&stage, messages).await?;
    tokio::time::sleep(chance.pause(100..800)).await;
    let victim = *chance.one_of(&["mz", "tz"]);
    let node = if victim == "mz" { &mut ground.nodes.mz } else { &mut ground.nodes.tz };
    node.kill();
    tokio::time::sleep(chance.pause(100..2000)).await;
    node.restart(|_| ()).await?;
    let accepted = traffic.accepted().await?;
    Ok(reconcile(&stage, &accepted).await?.note(format!("the node of {victim}")))
}
