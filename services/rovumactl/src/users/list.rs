//! `users list` and `clients list`.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::account::{Account, HEADING, Kind};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    messages::lists::pages,
    output::table,
    session::{Server, ServerArgs},
};

/// Options of both lists.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// How many at most
    #[arg(long, default_value_t = 200)]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Serialize)]
struct Found {
    items: Vec<Account>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Vec<String>> = self.items.iter().map(Account::cells).collect();
        table(f, &HEADING, &rows)
    }
}

impl List {
    pub(crate) async fn run(self, app: &App, kind: Kind) -> Outcome {
        let client = self.server.client(app, Server::Identity).await?;
        let items = pages(&client, kind.path(), Vec::new(), self.limit).await?;
        app.out.show(&Found { items: items.into_iter().map(Account).collect() })?;
        Ok(Exit::Ok)
    }
}
