//! Services are asked to end while they work.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rovuma_lab::country::{SERVICES, STOP_GRACE};

use crate::{
    chance::Chance,
    reconcile::{FaultReport, reconcile},
    stage::TestBed,
    traffic::Traffic,
};

/// The time within which a service promises to end.
const PROMISED: Duration = Duration::from_secs(10);

pub(super) async fn run(ground: &mut TestBed, mut chance: Chance, messages: u32) -> Result<FaultReport> {
    let mut stage = ground.stage().await?;
    let traffic = Traffic::start(&stage, messages).await?;
    let mut slowest = Duration::ZERO;
    for code in ["mz", "tz"] {
        for service in SERVICES {
            tokio::time::sleep(chance.pause(50..400)).await;
            let mut process = stage.country(code).take_service(service)?;
            let started = Instant::now();
            let status =
                process.stop(STOP_GRACE).await.with_context(|| format!("{code} {service} stayed"))?;
            let took = started.elapsed();
            ensure!(status.success(), "{code} {service} ended with {status}");
            ensure!(took < PROMISED, "{code} {service} took {took:?}");
            slowest = slowest.max(took);
            stage.restart_service(code, service).await?;
        }
    }
    let accepted = traffic.accepted().await?;
    let report = reconcile(&stage, &accepted).await?;
    Ok(report.note(format!("slowest exit {} ms", slowest.as_millis())))
}
