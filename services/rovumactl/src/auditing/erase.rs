//! `audit erase`: erases events about an object, by an order with a legal basis.

use std::{
    fmt,
    io::{self, IsTerminal as _},
};

use clap::Args;
use reqwest::Method;
use rovuma_api::answers::audit::ErasureResult;
use serde_json::json;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    output::safe,
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
        let is_asked = !self.yes && !self.dry_run;
        if is_asked && !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(Failure::usage("what is erased cannot be restored, and nobody can be asked here")
                .next("give --dry-run to count what would be erased, or --yes to erase it"));
        }
        let client = self.server.client(app, ApiServer::Audit).await?;
        let order = |dry_run: bool| json!({ "scope": self.scope, "legal_basis": self.legal_basis, "dry_run": dry_run });
        let send = |dry_run| -> Outcome<_> {
            Ok(client.request(Method::POST, "/v1/erasures")?.json(&order(dry_run)))
        };
        if !self.yes {
            let counted = client.send(send(true)?).await?;
            if self.dry_run {
                app.out.answer(&counted, count_text)?;
                return Ok(Exit::Ok);
            }
            let counted: ErasureResult = counted.value;
            if !confirm(counted.entries, &self.scope, &self.legal_basis)? {
                app.out.note("nothing was erased");
                return Ok(Exit::Negative);
            }
        }
        let done = client.send(send(false)?).await?;
        app.out.answer(&done, erasure_text)?;
        Ok(Exit::Ok)
    }
}

/// The answer that confirms.
const YES: &str = "yes";

/// Asks on the terminal whether to erase.
fn confirm(entries: u64, scope: &str, legal_basis: &str) -> Outcome<bool> {
    let (scope, basis) = (safe(scope), safe(legal_basis));
    eprint!(
        "{entries} entries about {scope} lose everything but their leaves, on the basis of: {basis}\n\
         This cannot be undone. Type {YES} to erase: "
    );
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    read.map_err(|error| Failure::usage(format!("cannot read the answer: {error}")))?;
    Ok(line.trim() == YES)
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
