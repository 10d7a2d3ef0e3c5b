//! `audit count`.

use std::fmt;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::filter::{FilterArgs, by_name};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    output::table,
    session::{Server, ServerArgs},
};

/// Options of `audit count`.
#[derive(Debug, Args)]
pub(crate) struct Count {
    /// By what
    #[arg(long, value_enum, default_value_t = By::Action)]
    by: By,
    /// In which spans of time, of UTC
    #[arg(long, value_enum, default_value_t = Span::Day)]
    per: Span,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum By {
    /// all of it together
    All,
    /// what was done
    Action,
    /// who did it
    Actor,
    /// for which agency
    Agency,
    /// the kind of thing that it was done to
    ObjectKind,
    /// how it ended
    Outcome,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Span {
    /// an hour
    Hour,
    /// a day
    Day,
}

fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl Count {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, Server::Audit).await?;
        let query = self.filter.query(&client).await?;
        let path = format!("/v1/counts/{}/{}", word(self.per), word(self.by));
        app.out.show(&Counted(client.get(&path, &by_name(&query)).await?))?;
        Ok(Exit::Ok)
    }
}

/// The answer.
#[derive(Serialize)]
#[serde(transparent)]
struct Counted(Value);

impl fmt::Display for Counted {
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
