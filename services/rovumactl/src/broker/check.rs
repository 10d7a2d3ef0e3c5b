//! `broker check` and `broker definitions`.

use std::{fmt, path::PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{
    Target, read_spec,
    state::{self, State},
};
use crate::{
    app::App,
    exit::{Exit, Outcome},
};

/// Options of `broker check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    target: Target,
}

impl Check {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let desired = state::desired(&self.target.spec()?)?;
        let management = self.target.management(app)?;
        let administrators = self.target.administrators(&management);
        let state = State::read(&management, &desired, &administrators).await?;
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

/// The answer: the same JSON for people and programs.
#[derive(Serialize)]
#[serde(transparent)]
struct Text(Value);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl Definitions {
    pub(crate) fn run(self, app: &App) -> Outcome {
        app.out.show(&Text(state::desired(&read_spec(&self.spec)?)?))?;
        Ok(Exit::Ok)
    }
}
