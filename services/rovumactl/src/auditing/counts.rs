//! `audit count`: counts entries of the audit log per hour or day.

use std::fmt;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::filter::{FilterArgs, by_name};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `audit count`.
#[derive(Debug, Args)]
pub(crate) struct Count {
    /// What to group the counts by
    #[arg(long, value_enum, default_value_t = CountBy::Action)]
    by: CountBy,
    /// The span of time of each count, in UTC
    #[arg(long, value_enum, default_value_t = CountSpan::Day)]
    per: CountSpan,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum CountBy {
    /// all entries together
    All,
    /// what was done
    Action,
    /// who did it
    Actor,
    /// for which agency
    Agency,
    /// the kind of object that it was done to
    ObjectKind,
    /// the outcome
    Outcome,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CountSpan {
    /// an hour
    Hour,
    /// a day
    Day,
}

fn option_name(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl Count {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Audit).await?;
        let query = self.filter.query(&client).await?;
        let path = format!("/v1/counts/{}/{}", option_name(self.per), option_name(self.by));
        app.out.show(&CountTable(client.get(&path, &by_name(&query)).await?))?;
        Ok(Exit::Ok)
    }
}

/// The audit service's counts, as a table.
#[derive(Serialize)]
#[serde(transparent)]
struct CountTable(Value);

impl fmt::Display for CountTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.0.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let row = |item: &Value| {
            let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            vec![text("from"), text("value"), item.get("count").map(Value::to_string).unwrap_or_default()]
        };
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        table(f, &["FROM (UTC)", "", "COUNT"], &rows)
    }
}
