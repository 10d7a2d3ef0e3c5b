//! `broker check` and `broker definitions`: compare a broker with its specification, and print the latter.

use std::{fmt, path::PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{
    BrokerArgs, read_spec,
    state::{self, TopologyState},
};
use crate::{
    app::App,
    exit::{Exit, Outcome},
};

/// Options of `broker check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    target: BrokerArgs,
}

impl Check {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let desired = state::desired(&self.target.spec()?)?;
        let management = self.target.management(app)?;
        let administrators = self.target.administrators(&management);
        let state = TopologyState::read(&management, &desired, &administrators).await?;
        app.out.show(&state)?;
        Ok(if state.is_good() { Exit::Ok } else { Exit::Negative })
    }
}

/// Options of `broker definitions`.
#[derive(Debug, Args)]
pub(crate) struct Definitions {
    /// What the installation has: country, gateways, partners (TOML or JSON)
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,
}

/// The definitions: the same JSON for people and programs.
#[derive(Serialize)]
#[serde(transparent)]
struct DefinitionsText(Value);

impl fmt::Display for DefinitionsText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl Definitions {
    pub(crate) fn run(self, app: &App) -> Outcome {
        app.out.show(&DefinitionsText(state::desired(&read_spec(&self.spec)?)?))?;
        Ok(Exit::Ok)
    }
}
