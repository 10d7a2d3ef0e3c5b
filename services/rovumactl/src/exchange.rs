//! Whether the exchange works, as the gateway sees it: alarms, streams, held messages, quarantine.

pub(crate) mod alarms;
pub(crate) mod held;
pub(crate) mod quarantine;
pub(crate) mod streams;

use std::fmt;

use clap::Args;
use rovuma_api::page::Page;
use serde::de::DeserializeOwned;

use crate::{
    app::App,
    exit::Outcome,
    messages::lists::{pages, print_rows},
    session::{ApiServer, ServerArgs},
};

/// Options that all lists have.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Maximum number of rows
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

impl ListArgs {
    /// Fetches the rows under a path of the gateway and prints them as `table` does.
    async fn print<T: DeserializeOwned>(
        self,
        app: &App,
        path: &str,
        query: Vec<(&str, String)>,
        table: fn(&mut fmt::Formatter<'_>, &Page<T>) -> fmt::Result,
    ) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let rows = pages(&client, path, query, self.limit).await?;
        print_rows(app, &rows, table)
    }
}
