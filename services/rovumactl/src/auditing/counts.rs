//! `audit count`: counts entries of the audit log per hour or day.

use std::fmt;

use clap::{Args, ValueEnum};
use rovuma_api::answers::audit::{Counts, EntryCount};

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
        app.out.answer(&client.get(&path, &by_name(&query)).await?, count_table)?;
        Ok(Exit::Ok)
    }
}

fn count_table(f: &mut fmt::Formatter<'_>, counts: &Counts) -> fmt::Result {
    let row = |count: &EntryCount| {
        vec![count.from.to_string(), count.value.clone().unwrap_or_default(), count.count.to_string()]
    };
    let rows: Vec<Vec<String>> = counts.items.iter().map(row).collect();
    table(f, &["FROM (UTC)", "", "COUNT"], &rows)
}
