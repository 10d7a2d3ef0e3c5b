//! `case hold`, `case free` and `retention`: what is erased when its retention ends, and what the law keeps longer.

use std::fmt;

use clap::{Args, builder::PossibleValuesParser};
use reqwest::Method;
use rovuma_api::answers::gateway::{CaseRetention, RetentionView};
use rovuma_schemas::{Date, Timestamp};
use serde_json::json;

use super::{name, text::codes};
use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Outcome},
    moments::local,
    output::table,
    question,
    session::{ApiServer, ServerArgs},
};

/// Options of `case hold`.
#[derive(Debug, Args)]
pub(crate) struct Hold {
    /// Its name KIND/OWNER/ID, as rovumactl retention shows it, or what rovumactl case show takes
    case: String,
    /// The ground on which the law lets your agency keep the data
    #[arg(long, value_parser = PossibleValuesParser::new(codes("retention_grounds")))]
    ground: String,
    /// The file or decision behind it, which is logged
    #[arg(long)]
    reason: String,
    /// The last day on which they are kept
    #[arg(long, value_name = "DATE")]
    until: Date,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `case free`.
#[derive(Debug, Args)]
pub(crate) struct Free {
    /// Its name KIND/OWNER/ID, as rovumactl retention shows it, or what rovumactl case show takes
    case: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `retention`.
#[derive(Debug, Args)]
pub(crate) struct Retention {
    /// Only say what will be erased. The gateway erases by itself when the day has come; this command never does
    #[arg(long, required = true)]
    dry_run: bool,
    /// How many days ahead to look, 0 for what is due now
    #[arg(long, default_value_t = 30)]
    days: u32,
    #[command(flatten)]
    server: ServerArgs,
}

impl Hold {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let case = name::find(&client, &self.case).await?;
        let body = json!({ "ground": self.ground, "reason": self.reason, "until": self.until });
        let request = client.request(Method::PUT, &name::path(&case, "/hold"))?.json(&body);
        show(app, &client, request).await
    }
}

impl Free {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let case = name::find(&client, &self.case).await?;
        let question = format!(
            "Free {case}? Its content is erased when its retention ends, at the next run where it has ended."
        );
        if !self.yes && !question::is_confirmed(app, &question, "give --yes to free it without a question")? {
            app.out.note("it is held as before");
            return Ok(Exit::Negative);
        }
        let request = client.request(Method::DELETE, &name::path(&case, "/hold"))?;
        show(app, &client, request).await
    }
}

impl Retention {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let query = [("days", self.days.to_string())];
        let retention: ServerAnswer<RetentionView> = client.get("/v1/retention", &query).await?;
        app.out.answer(&retention, retention_text)?;
        Ok(Exit::Ok)
    }
}

/// Sends a request about the hold of a case, and shows what retention does with the case now.
async fn show(app: &App, client: &Client, request: reqwest::RequestBuilder) -> Outcome {
    let answer: ServerAnswer<CaseRetention> = client.send(request).await?;
    app.out.answer(&answer, |f, row| {
        match &row.hold {
            Some(hold) => writeln!(f, "{} is held until {}", row.case, local(hold.until))?,
            None => writeln!(f, "{} is not held", row.case)?,
        }
        writeln!(f, "its content is to be erased {}", instant(row.erase_at))
    })?;
    Ok(Exit::Ok)
}

fn instant(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "—".to_owned(), local)
}

fn retention_text(f: &mut fmt::Formatter<'_>, retention: &RetentionView) -> fmt::Result {
    writeln!(f, "To be erased until {}", local(retention.until))?;
    let upcoming = |row: &CaseRetention| {
        let waits = match (row.due, row.unsettled) {
            (_, true) => "waits for a receipt",
            (true, _) => "the next run",
            _ => "",
        };
        vec![
            instant(row.erase_at),
            row.state.clone(),
            row.messages.to_string(),
            waits.to_owned(),
            row.case.to_string(),
        ]
    };
    rows(
        f,
        &["ERASED AT", "STATE", "MESSAGES", "", "CASE"],
        &retention.upcoming,
        retention.upcoming_count,
        upcoming,
    )?;
    writeln!(f, "\nHeld back")?;
    let held = |row: &CaseRetention| {
        let hold = row.hold.as_ref();
        let text = |member: Option<&String>| member.cloned().unwrap_or_default();
        vec![
            instant(hold.map(|hold| hold.until)),
            text(hold.map(|hold| &hold.ground)),
            text(hold.map(|hold| &hold.reason)),
            text(hold.map(|hold| &hold.set_by)),
            row.case.to_string(),
        ]
    };
    rows(f, &["UNTIL", "GROUND", "REASON", "BY", "CASE"], &retention.held, retention.held_count, held)
}

/// Writes cases as a table, and says how many there are where the answer has not all.
fn rows(
    f: &mut fmt::Formatter<'_>,
    heading: &[&str],
    cases: &[CaseRetention],
    count: u64,
    row: impl Fn(&CaseRetention) -> Vec<String>,
) -> fmt::Result {
    table(f, heading, &cases.iter().map(row).collect::<Vec<_>>())?;
    let shown = cases.len() as u64;
    if count > shown { writeln!(f, "these are {shown} of {count}") } else { Ok(()) }
}
