//! Travellers who are known not to be a listed person.

use std::fmt;

use clap::Args;
use reqwest::Method;
use rovuma_api::{answers::watchlist::InnocentRow, page::Page};
use rovuma_schemas::MessageId;

use crate::{
    app::App,
    exit::{Exit, Outcome},
    messages::lists::{pages, print_rows},
    moments::local,
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `watchlist innocents`.
#[derive(Debug, Args)]
pub(crate) struct Innocents {
    /// Maximum number of rows
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `watchlist approve-innocent`.
#[derive(Debug, Args)]
pub(crate) struct ApproveInnocent {
    /// The candidate's ID, as rovumactl watchlist innocents prints it
    id: MessageId,
    #[command(flatten)]
    server: ServerArgs,
}

impl Innocents {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let rows = pages(&client, "/v1/innocents", Vec::new(), self.limit).await?;
        print_rows(app, &rows, innocent_table)
    }
}

impl ApproveInnocent {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let request = client.request(Method::POST, &format!("/v1/innocents/{}/approval", self.id))?;
        client.send::<()>(request).await?;
        app.out.note("this traveller is no longer stopped for it");
        Ok(Exit::Ok)
    }
}

const HEADING: [&str; 7] = ["ID", "LIST", "ENTRY", "REASON", "PROPOSED", "APPROVED BY", "ENDS"];

fn row(innocent: &InnocentRow) -> Vec<String> {
    vec![
        innocent.id.to_string(),
        innocent.list.clone(),
        innocent.record.clone(),
        innocent.reason.clone(),
        local(innocent.proposed_at),
        innocent.approved_by.clone().unwrap_or_else(|| "nobody yet".to_owned()),
        local(innocent.expires),
    ]
}

fn innocent_table(f: &mut fmt::Formatter<'_>, page: &Page<InnocentRow>) -> fmt::Result {
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &HEADING, &rows)
}
