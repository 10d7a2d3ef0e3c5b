//! `audit search`: lists entries of the audit log.

use std::fmt;

use clap::Args;
use rovuma_api::{answers::audit::LogEntry, page::Page};
use rovuma_schemas::audit::AuditObject;
use serde::Deserialize;

use super::filter::{FilterArgs, by_name};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    messages::lists::pages,
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `audit search`.
#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    filter: FilterArgs,
    /// How many at most
    #[arg(long, default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

impl Search {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Audit).await?;
        let query = self.filter.query(&client).await?;
        let entries = pages(&client, "/v1/events", by_name(&query), self.limit).await?;
        app.out.answer(&entries, entry_table)?;
        Ok(Exit::Ok)
    }
}

/// What the table shows of an event. An erased one has none, and its row is empty.
#[derive(Default, Deserialize)]
struct EventCells {
    time: String,
    action: String,
    actor: String,
    agency: Option<String>,
    object: Option<AuditObject>,
    outcome: String,
    reason: Option<String>,
    source: String,
}

fn entry_table(f: &mut fmt::Formatter<'_>, page: &Page<LogEntry>) -> fmt::Result {
    let row = |entry: &LogEntry| {
        let event = entry.event.as_ref().and_then(|event| serde_json::from_str(event.get()).ok());
        let event: EventCells = event.unwrap_or_default();
        let object = event.object.map(|object| format!("{} {}", object.kind, object.id));
        let outcome = format!("{} {}", event.outcome, event.reason.unwrap_or_default());
        vec![
            event.time,
            event.action,
            event.actor,
            event.agency.unwrap_or_default(),
            object.unwrap_or_default(),
            outcome.trim().to_owned(),
            event.source,
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &["TIME", "ACTION", "ACTOR", "AGENCY", "OBJECT", "OUTCOME", "SOURCE"], &rows)
}
