//! `audit erase`: erases events about an object, by an order with a legal basis.

use std::fmt;

use clap::Args;
use reqwest::Method;
use rovuma_api::answers::audit::ErasureResult;
use serde_json::json;

use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Outcome},
    output::safe,
    question,
    session::{ApiServer, ServerArgs},
};

/// Options of `audit erase`.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The object of the events: message/<id>, reference/<reference>, user/<id>, account/<id>, client/<id>, person/<id>, actor/<subject>
    scope: String,
    /// The legal basis of the order: the provision, in one line, which is written to the log: "Lei n.º 3/2017, art. 63"
    #[arg(long)]
    legal_basis: String,
    /// Only count what would be erased; nothing is
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before erasing: for scripts
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Erase {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Audit).await?;
        let order = |dry_run: bool| json!({ "scope": self.scope, "legal_basis": self.legal_basis, "dry_run": dry_run });
        let send = |dry_run| -> Outcome<_> {
            Ok(client.request(Method::POST, "/v1/erasures")?.json(&order(dry_run)))
        };
        if !self.yes {
            let counted: ServerAnswer<ErasureResult> = client.send(send(true)?).await?;
            if self.dry_run {
                app.out.answer(&counted, count_text)?;
                return Ok(Exit::Ok);
            }
            let entries = counted.value.entries;
            let (scope, basis) = (safe(&self.scope), safe(&self.legal_basis));
            let question = format!(
                "{entries} entries about {scope} lose everything but their leaves, on the basis of: {basis}\n\
                 This cannot be undone. Erase them?"
            );
            if !question::is_confirmed(app, &question, "give --yes to erase without being asked")? {
                app.out.note("nothing was erased");
                return Ok(Exit::Negative);
            }
        }
        let done = client.send(send(false)?).await?;
        app.out.answer(&done, erasure_text)?;
        Ok(Exit::Ok)
    }
}

fn count_text(f: &mut fmt::Formatter<'_>, counted: &ErasureResult) -> fmt::Result {
    write!(f, "{} entries would lose everything but their leaves; nothing was erased", counted.entries)?;
    remaining_text(f, counted)
}

fn erasure_text(f: &mut fmt::Formatter<'_>, erased: &ErasureResult) -> fmt::Result {
    write!(f, "{} entries: only their leaves remain, and every proof of them still holds", erased.entries)?;
    remaining_text(f, erased)
}

fn remaining_text(f: &mut fmt::Formatter<'_>, result: &ErasureResult) -> fmt::Result {
    match result.remaining {
        Some(remaining) if remaining > 0 => write!(f, "\n{remaining} about the same remain"),
        _ => Ok(()),
    }
}
