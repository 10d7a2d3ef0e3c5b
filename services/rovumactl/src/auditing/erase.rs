//! `audit erase`.

use std::fmt;

use clap::Args;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    app::App,
    exit::{Exit, Outcome},
    session::{Server, ServerArgs},
};

/// Options of `audit erase`.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// What the events are about: message/<id>, case/<reference>, user/<id>, account/<id>, client/<id>, person/<id>, actor/<subject>
    scope: String,
    /// The legal basis, as the order names it: one line, which is written to the log
    #[arg(long)]
    legal_basis: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// What was erased.
#[derive(Deserialize, Serialize)]
struct Erased {
    entries: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<u64>,
}

impl fmt::Display for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries: only their leaves are left, and every proof of them holds", self.entries)?;
        match self.remaining {
            Some(remaining) if remaining > 0 => write!(f, "\n{remaining} about the same stay"),
            _ => Ok(()),
        }
    }
}

impl Erase {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, Server::Audit).await?;
        let order = json!({ "scope": self.scope, "legal_basis": self.legal_basis });
        let done = client.send(client.request(Method::POST, "/v1/erasures")?.json(&order)).await?;
        let done: Erased = serde_json::from_value(done).map_err(|fault| client.nonsense(&fault))?;
        app.out.show(&done)?;
        Ok(Exit::Ok)
    }
}
