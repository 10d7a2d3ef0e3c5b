//! `audit search`: lists entries of the audit log.

use std::fmt;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

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
        let items = pages(&client, "/v1/events", by_name(&query), self.limit).await?;
        app.out.show(&SearchResult { items })?;
        Ok(Exit::Ok)
    }
}

/// The entries found, as a table.
#[derive(Serialize)]
struct SearchResult {
    items: Vec<Value>,
}

impl fmt::Display for SearchResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |entry: &Value| {
            let text =
                |path: &str| entry.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            let object = format!("{} {}", text("/event/object/kind"), text("/event/object/id"));
            let reason = format!("{} {}", text("/event/outcome"), text("/event/reason"));
            vec![
                text("/event/time"),
                text("/event/action"),
                text("/event/actor"),
                text("/event/agency"),
                object.trim().to_owned(),
                reason.trim().to_owned(),
                text("/event/source"),
            ]
        };
        let rows: Vec<Vec<String>> = self.items.iter().map(row).collect();
        table(f, &["TIME", "ACTION", "ACTOR", "AGENCY", "OBJECT", "OUTCOME", "SOURCE"], &rows)
    }
}
