//! Two gateways, hence two relays, on one PostgreSQL database.

use anyhow::{Result, ensure};
use rovuma_lab::{
    api::Api,
    postgres::{PostgresServer, fresh_folder},
};

use crate::{
    chance::Chance,
    reconcile::{FaultReport, reconcile},
    stage::TestBed,
    traffic::{DIRECTIONS, Traffic},
};

pub(super) async fn run(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let mut server = PostgresServer::start(&fresh_folder())?;
    let mut stage = ground.stage_on(&server).await?;
    let second = stage.border.mz.start_second_gateway()?;
    stage.border.mz.ready("gateway2").await?;
    let token = stage.token("mz.prm", "officer").await?;
    let both = vec![
        Api::new(&stage.border.mz.url("gateway")?, Some(token.clone()))?,
        Api::new(&second, Some(token))?,
    ];
    let other = vec![stage.api(DIRECTIONS[1].sender, "officer", "gateway").await?];
    let doors = vec![(DIRECTIONS[0], both), (DIRECTIONS[1], other)];
    let traffic = Traffic::through(doors, messages, rovuma_tests::drafts::motorcycle);
    let mut kills = 0;
    for victim in ["gateway", "gateway2", "server", "gateway2", "gateway"] {
        tokio::time::sleep(chance.pause(200..1500)).await;
        kills += 1;
        match victim {
            "server" => {
                server.kill();
                tokio::time::sleep(chance.pause(100..1000)).await;
                server.resume()?;
            }
            "gateway" => {
                stage.border.mz.take_service("gateway")?.kill();
                stage.restart_service("mz", "gateway").await?;
            }
            _ => {
                stage.border.mz.take_service("gateway2")?.kill();
                stage.border.mz.start_second_gateway()?;
                stage.border.mz.ready("gateway2").await?;
            }
        }
    }
    let accepted = traffic.accepted().await?;
    let report = reconcile(&stage, &accepted).await?;
    ensure!(server.query("postgres", "SELECT 1").is_ok(), "the server is there at the end");
    stage.border.stop().await;
    Ok(report.note(format!("{kills} kills")))
}
