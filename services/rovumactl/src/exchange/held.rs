//! `rovumactl held`: messages that wait for a trust list.

use std::fmt;

use clap::Args;
use rovuma_api::{answers::gateway::HeldRow, page::Page};

use super::ListArgs;
use crate::{
    app::App,
    exit::{Exit, Outcome},
    messages::lists::pages,
    moments::local,
    output::table,
    session::ApiServer,
};

/// Options of `held`.
#[derive(Debug, Args)]
pub(crate) struct Held {
    #[command(flatten)]
    list: ListArgs,
}

impl Held {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.list.server.client(app, ApiServer::Gateway).await?;
        let held = pages(&client, "/v1/held", Vec::new(), self.list.limit).await?;
        app.out.answer(&held, held_table)?;
        Ok(Exit::Ok)
    }
}

fn held_table(f: &mut fmt::Formatter<'_>, page: &Page<HeldRow>) -> fmt::Result {
    let row = |held: &HeldRow| {
        vec![
            held.digest.to_string(),
            format!("{} (not verified)", held.unverified_sender),
            held.lane.to_string(),
            held.reason.clone(),
            local(held.held_at),
            local(held.tried_at),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &["DIGEST", "CLAIMS TO BE FROM", "LANE", "WAITS FOR", "SINCE", "LAST TRIED"], &rows)
}
