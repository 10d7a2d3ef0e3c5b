//! `audit ship`: ships this tool's own audit events that still wait.

use std::fmt;

use serde::Serialize;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    ledger::{self, ShipSummary},
};

#[derive(Serialize)]
struct ShipResult {
    acknowledged: u64,
}

impl fmt::Display for ShipResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} audit events acknowledged, none waits", self.acknowledged)
    }
}

pub(super) async fn run(app: &App) -> Outcome {
    let trail = ledger::open(app).await?.ok_or_else(|| {
        Failure::usage(format!("{} has no [store] and [audit]", app.config_name))
            .next("without them nothing is recorded, so nothing waits")
    })?;
    let ShipSummary { acknowledged } = ledger::ship(app, &trail).await?;
    app.out.show(&ShipResult { acknowledged })?;
    Ok(Exit::Ok)
}
