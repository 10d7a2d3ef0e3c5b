//! `rovumactl held`: messages that wait for a trust list.

use std::fmt;

use clap::Args;
use rovuma_api::{answers::gateway::HeldRow, page::Page};

use super::ListArgs;
use crate::{app::App, exit::Outcome, moments::local, output::table};

/// Options of `held`.
#[derive(Debug, Args)]
pub(crate) struct HeldMessages {
    #[command(flatten)]
    list: ListArgs,
}

impl HeldMessages {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        self.list.print(app, "/v1/held", Vec::new(), held_table).await
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
