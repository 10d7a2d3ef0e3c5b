//! `rovumactl alarms`: the alarms of the agency, and their acknowledgement.

use std::fmt;

use clap::{Args, Subcommand, ValueEnum};
use rovuma_api::{answers::gateway::AlarmRow, page::Page};
use serde_json::json;

use super::ListArgs;
use crate::{
    app::App,
    exit::{Exit, Outcome},
    messages::post,
    moments::local,
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `alarms`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Alarms {
    #[command(subcommand)]
    command: Option<AlarmCommand>,
    /// Only those that nobody has acknowledged
    #[arg(long)]
    open: bool,
    /// Only those of this severity
    #[arg(long)]
    severity: Option<Severity>,
    #[command(flatten)]
    list: ListArgs,
}

/// How much an alarm matters.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Severity {
    Critical,
    Serious,
    Notice,
}

impl Severity {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Serious => "serious",
            Self::Notice => "notice",
        }
    }
}

/// What can be done about an alarm.
#[derive(Debug, Subcommand)]
enum AlarmCommand {
    /// Record that you have looked at an alarm; it is open again when it is raised again
    Acknowledge {
        /// The alarm's ID, as the list prints it
        id: u64,
        /// TIMES of the alarm when you looked at it: what was raised since stays open
        #[arg(long)]
        times: u64,
        /// What was found, or done about it; it is logged
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        server: ServerArgs,
    },
}

impl Alarms {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let Some(AlarmCommand::Acknowledge { id, times, reason, server }) = self.command else {
            let mut query = Vec::new();
            query.extend(self.open.then(|| ("open", "true".to_owned())));
            query.extend(self.severity.map(|severity| ("severity", severity.as_str().to_owned())));
            return self.list.print(app, "/v1/alarms", query, alarm_table).await;
        };
        let client = server.client(app, ApiServer::Gateway).await?;
        let body = json!({ "times": times, "reason": reason }).to_string();
        let path = format!("/v1/alarms/{id}/acknowledge");
        let acknowledged = post(&client, &path, Some(body.as_bytes()), None).await?;
        app.out.answer(&acknowledged, |f, alarm: &AlarmRow| table(f, &HEADING, &[row(alarm)]))?;
        Ok(Exit::Ok)
    }
}

const HEADING: [&str; 9] =
    ["ID", "SEVERITY", "ALARM", "ABOUT", "TIMES", "FIRST", "LAST", "ACKNOWLEDGED", "DETAIL"];

fn row(alarm: &AlarmRow) -> Vec<String> {
    let acknowledged = alarm.acknowledged.as_ref().map_or_else(
        || "no".to_owned(),
        |acknowledged| format!("{}: {}", local(acknowledged.at), acknowledged.reason),
    );
    vec![
        alarm.id.to_string(),
        alarm.severity.clone(),
        alarm.kind.clone(),
        alarm.subject.clone(),
        alarm.times.to_string(),
        local(alarm.first_at),
        local(alarm.last_at),
        acknowledged,
        alarm.detail.clone(),
    ]
}

fn alarm_table(f: &mut fmt::Formatter<'_>, page: &Page<AlarmRow>) -> fmt::Result {
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &HEADING, &rows)
}
