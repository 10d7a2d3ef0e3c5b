//! `users list` and `clients list`: list accounts.

use clap::Args;
use rovuma_api::page::Page;

use super::account::{Account, HEADING};
use crate::{
    app::App,
    exit::Outcome,
    messages::lists::{pages, print_rows},
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of both lists.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Maximum number of rows
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

impl List {
    pub(crate) async fn run<T: Account>(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Identity).await?;
        let accounts = pages(&client, T::PATH, Vec::new(), self.limit).await?;
        print_rows(app, &accounts, |f, page: &Page<T>| {
            let rows: Vec<Vec<String>> = page.items.iter().map(Account::cells).collect();
            table(f, &HEADING, &rows)
        })
    }
}
