//! `rovumactl quarantine`: deliveries that could not be verified or read.

use std::fmt;

use clap::Args;
use rovuma_api::{answers::gateway::QuarantineRow, page::Page};

use super::ListArgs;
use crate::{app::App, exit::Outcome, moments::local, output::table};

/// Options of `quarantine`.
#[derive(Debug, Args)]
pub(crate) struct Quarantine {
    #[command(flatten)]
    list: ListArgs,
}

impl Quarantine {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        self.list.print(app, "/v1/quarantine", Vec::new(), quarantine_table).await
    }
}

fn quarantine_table(f: &mut fmt::Formatter<'_>, page: &Page<QuarantineRow>) -> fmt::Result {
    let row = |item: &QuarantineRow| {
        vec![
            item.digest.to_string(),
            item.reason.clone(),
            item.exchange.clone(),
            item.queue.clone(),
            item.size_bytes.to_string(),
            item.times.to_string(),
            local(item.last_at),
            if item.kept { "kept" } else { "not kept" }.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &["DIGEST", "REASON", "CAME BY", "QUEUE", "BYTES", "TIMES", "LAST", "BODY"], &rows)
}
