//! A service that others depend on is away for a while.

use anyhow::{Result, ensure};
use rovuma_lab::person;

use crate::{
    chance::Chance,
    reconcile::{FaultReport, reconcile},
    stage::TestBed,
    traffic::Traffic,
};

pub(super) async fn audit(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let mut stage = ground.stage().await?;
    let traffic = Traffic::start(&stage, messages).await?;
    for code in ["mz", "tz"] {
        stage.country(code).take_service("audit")?.kill();
    }
    // Only the events wait for it.
    let accepted = traffic.accepted().await?;
    tokio::time::sleep(chance.pause(100..1000)).await;
    for code in ["mz", "tz"] {
        stage.restart_service(code, "audit").await?;
    }
    Ok(reconcile(&stage, &accepted).await?.note("everything was accepted while it was away"))
}

pub(super) async fn identity(ground: &mut TestBed, _chance: Chance, messages: u32) -> Result<FaultReport> {
    let mut stage = ground.stage().await?;
    // The gateways have its keys from before.
    let mut accepted = Traffic::start(&stage, 1).await?.accepted().await?;
    let traffic = Traffic::start(&stage, messages).await?;
    for code in ["mz", "tz"] {
        stage.country(code).take_service("identity")?.kill();
    }
    let issuer = stage.border.mz.url("identity")?;
    let secret = stage.border.mz.layout().secret("officer.prm");
    ensure!(person::log_in(&issuer, "officer.prm", &secret).await.is_err(), "somebody logged in at nobody");
    accepted.extend(traffic.accepted().await?);
    for code in ["mz", "tz"] {
        stage.restart_service(code, "identity").await?;
    }
    Ok(reconcile(&stage, &accepted).await?.note("everything was accepted while it was away"))
}
