//! `audit search`: lists entries of the audit log.

use std::fmt;

use clap::Args;
use rovuma_api::{
    answers::audit::{ErasureFacts, LogEntry},
    page::Page,
};
use rovuma_schemas::audit::AuditObject;
use serde::Deserialize;

use super::filter::{FilterArgs, by_name};
use crate::{
    app::App,
    exit::Outcome,
    messages::lists::{pages, print_rows},
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `audit search`.
#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    filter: FilterArgs,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

impl Search {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Audit).await?;
        let query = self.filter.query(&client).await?;
        let entries = pages(&client, "/v1/events", by_name(&query), self.limit).await?;
        print_rows(app, &entries, entry_table)
    }
}

/// The cells that a leaf has: it stays when the event is erased. A text that is too long for a leaf is cut there.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LeafCells {
    time: String,
    action: String,
    actor: String,
    agency: Option<String>,
    object: Option<AuditObject>,
    outcome: String,
    source: String,
    epoch: String,
    sequence: Option<u64>,
}

/// The cells that only the event has.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EventCells {
    object: Option<AuditObject>,
    reason: Option<String>,
    details: EventDetails,
}

/// The details that tell acts apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EventDetails {
    /// How much was shown: `content`, `metadata`, `trace`.
    view: Option<String>,
}

/// The columns after AGENCY and OBJECT name the entry for `audit show`.
const COLUMNS: [&str; 9] =
    ["TIME", "ACTION", "ACTOR", "AGENCY", "OBJECT", "OUTCOME", "SOURCE", "EPOCH", "SEQUENCE"];

fn entry_table(f: &mut fmt::Formatter<'_>, page: &Page<LogEntry>) -> fmt::Result {
    let row = |entry: &LogEntry| {
        let leaf: LeafCells = serde_json::from_str(entry.leaf.get()).unwrap_or_default();
        let event = entry.event.as_ref().and_then(|event| serde_json::from_str(event.get()).ok());
        let event: EventCells = event.unwrap_or_default();
        let object = event.object.or(leaf.object).map(|object| format!("{} {}", object.kind, object.id));
        let outcome = match &entry.erasure {
            Some(erasure) => erased_text(&leaf.outcome, erasure),
            None => format!("{} {}", leaf.outcome, event.reason.unwrap_or_default()).trim().to_owned(),
        };
        let action = match event.details.view {
            Some(view) => format!("{}: {view}", leaf.action),
            None => leaf.action,
        };
        vec![
            leaf.time,
            action,
            leaf.actor,
            leaf.agency.unwrap_or_default(),
            object.unwrap_or_default(),
            outcome,
            leaf.source,
            leaf.epoch,
            leaf.sequence.map(|sequence| sequence.to_string()).unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &COLUMNS, &rows)
}

/// The outcome of an act whose event was erased, with who ordered that and why.
fn erased_text(outcome: &str, erasure: &ErasureFacts) -> String {
    let by = erasure.agency.as_ref().map_or("the country", |agency| agency.as_str());
    let basis = erasure.legal_basis.as_deref().unwrap_or("a basis that only the orderer's log shows");
    format!("{outcome}; ERASED {} by {by}: {basis}", erasure.at)
}
