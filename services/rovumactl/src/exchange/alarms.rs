//! `rovumactl alarms`: the alarms of the agency.

use std::fmt;

use clap::Args;
use rovuma_api::{answers::gateway::AlarmRow, page::Page};

use super::ListArgs;
use crate::{app::App, exit::Outcome, moments::local, output::table};

/// Options of `alarms`.
#[derive(Debug, Args)]
pub(crate) struct Alarms {
    #[command(flatten)]
    list: ListArgs,
}

impl Alarms {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        self.list.print(app, "/v1/alarms", alarm_table).await
    }
}

fn alarm_table(f: &mut fmt::Formatter<'_>, page: &Page<AlarmRow>) -> fmt::Result {
    let row = |alarm: &AlarmRow| {
        vec![
            alarm.kind.clone(),
            alarm.subject.clone(),
            alarm.times.to_string(),
            local(alarm.first_at),
            local(alarm.last_at),
            alarm.detail.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &["ALARM", "ABOUT", "TIMES", "FIRST", "LAST", "DETAIL"], &rows)
}
