//! A service that others lean on is away for a while.

use anyhow::{Result, ensure};
use rovuma_lab::person;

use crate::{
    chance::Chance,
    reconcile::{Report, reconcile},
    stage::Ground,
    traffic::Traffic,
};

pub(super) async fn audit(ground: &mut Ground, mut chance: Chance, messages: u32) -> Result<Report> {
    let mut stage = ground.stage().await?;
    let traffic = Traffic::start(&stage, messages).await?;
    for code in ["mz", "tz"] {
        stage.country(code).take_service("audit")?.kill();
    }
    // Nothing waits for it but the events.
    let accepted = traffic.accepted().await?;
    tokio::time::sleep(chance.pause(100..1000)).await;
    for code in ["mz", "tz"] {
        stage.bring_back(code, "audit").await?;
    }
    Ok(reconcile(&stage, &accepted).await?.note("everything was accepted while it was away"))
}

pub(super) async fn identity(ground: &mut Ground, _chance: Chance, messages: u32) -> Result<Report> {
    let mut stage = ground.stage().await?;
    // The gateways have seen its keys.
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
        stage.bring_back(code, "identity").await?;
    }
    Ok(reconcile(&stage, &accepted).await?.note("everything was accepted while it was away"))
}
