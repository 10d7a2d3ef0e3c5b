//! Ships recorded acts to the audit service while the command waits.

use std::time::Duration;

use rovuma_broker::Broker;
use rovuma_runtime::{SecretFile, Shutdown};
use rovuma_trail::{Shipper, ShipperKeys, Trail};
use tokio::time::{Instant, timeout_at};

use crate::{
    app::App,
    config::AuditConfig,
    exit::{Failure, Outcome, chain},
    progress,
};

/// The result of shipping.
#[derive(Debug)]
pub(crate) struct ShipSummary {
    /// Number of events that the audit service acknowledged now.
    pub(crate) acknowledged: u64,
}

/// Ships all waiting events, and waits for the audit service's signed acknowledgement.
///
/// # Errors
/// [`Failure`] when the configuration is incomplete or no acknowledgement came in time. The events then stay, and the
/// next command ships them.
pub(crate) async fn ship(app: &App, trail: &Trail) -> Outcome<ShipSummary> {
    let waiting = count(trail).await?;
    if waiting == 0 {
        return Ok(ShipSummary { acknowledged: 0 });
    }
    let (Some(broker), Some(audit)) = (&app.config.broker, &app.config.audit) else {
        return Err(Failure::usage(format!("{} has no [broker]", app.config_name)));
    };
    let keys = keys(audit)?;
    let shutdown = Shutdown::new();
    let broker = Broker::start(broker.clone(), "rovumactl", &shutdown)
        .map_err(|error| Failure::usage(chain("[broker]", &error)))?;
    let shipper = Shipper::new(trail.clone(), broker.clone(), app.clock.clone(), keys);
    shutdown.spawn("shipper", shipper.run(shutdown.clone()));
    let deadline = Instant::now() + Duration::from_millis(audit.ship_timeout_ms);
    let cleared = progress::waiting(
        "waiting for the audit service's acknowledgement",
        timeout_at(deadline, all_acknowledged(trail)),
    )
    .await;
    shutdown.begin();
    shutdown.drained().await;
    match cleared {
        Ok(outcome) => outcome.map(|()| ShipSummary { acknowledged: waiting }),
        Err(_) => Err(late(count(trail).await?, broker.last_failure())),
    }
}

/// Resolves when no event waits any more.
async fn all_acknowledged(trail: &Trail) -> Outcome<()> {
    let mut commits = trail.store().commits();
    loop {
        commits.borrow_and_update();
        if count(trail).await? == 0 {
            return Ok(());
        }
        if commits.changed().await.is_err() {
            return Err(Failure::local("the store of audit events has closed"));
        }
    }
}

async fn count(trail: &Trail) -> Outcome<u64> {
    trail.unacknowledged().await.map_err(|error| Failure::local(chain("the store of audit events", &error)))
}

fn keys(audit: &AuditConfig) -> Outcome<ShipperKeys> {
    let key = SecretFile::new(&audit.key_file);
    ShipperKeys::load(&key, &audit.recipient_file, &audit.ack_key_file)
        .map_err(|error| Failure::usage(chain("[audit]", &error)))
}

fn late(waiting: u64, broker: Option<String>) -> Failure {
    let why = broker.unwrap_or_else(|| "the audit service has not acknowledged in time".to_owned());
    Failure::unreachable(format!("{waiting} audit events wait: {why}"))
        .next("they go with the next command, or now: rovumactl audit ship")
}
