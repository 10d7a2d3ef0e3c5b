//! `users list` and `clients list`: list accounts.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::account::{Account, AccountKind, HEADING};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    messages::lists::pages,
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of both lists.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Maximum number of rows
    #[arg(long, default_value_t = 200)]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Serialize)]
struct AccountList {
    items: Vec<Account>,
}

impl fmt::Display for AccountList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<Vec<String>> = self.items.iter().map(Account::cells).collect();
        table(f, &HEADING, &rows)
    }
}

impl List {
    pub(crate) async fn run(self, app: &App, kind: AccountKind) -> Outcome {
        let client = self.server.client(app, ApiServer::Identity).await?;
        let items = pages(&client, kind.path(), Vec::new(), self.limit).await?;
        app.out.show(&AccountList { items: items.into_iter().map(Account).collect() })?;
        Ok(Exit::Ok)
    }
}
