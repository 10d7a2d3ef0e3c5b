//! `audit erase`: erases events about an object, by an order with a legal basis.

use std::fmt;

use clap::Args;
use reqwest::Method;
use rovuma_api::answers::audit::ErasureResult;
use serde_json::json;

use crate::{
    app::App,
    exit::{Exit, Outcome},
    session::{ApiServer, ServerArgs},
};

/// Options of `audit erase`.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The object of the events: message/<id>, reference/<reference>, user/<id>, account/<id>, client/<id>, person/<id>, actor/<subject>
    scope: String,
    /// The legal basis of the order: one line, which is written to the log
    #[arg(long)]
    legal_basis: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl Erase {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Audit).await?;
        let order = json!({ "scope": self.scope, "legal_basis": self.legal_basis });
        let done = client.send(client.request(Method::POST, "/v1/erasures")?.json(&order)).await?;
        app.out.answer(&done, erasure_text)?;
        Ok(Exit::Ok)
    }
}

fn erasure_text(f: &mut fmt::Formatter<'_>, erased: &ErasureResult) -> fmt::Result {
    write!(f, "{} entries: only their leaves remain, and every proof of them still holds", erased.entries)?;
    match erased.remaining {
        Some(remaining) if remaining > 0 => write!(f, "\n{remaining} about the same remain"),
        _ => Ok(()),
    }
}
