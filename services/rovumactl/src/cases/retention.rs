//! `case hold`, `case free` and `retention`: what is erased when its retention ends, and what the law keeps longer.

use std::fmt;

use clap::{Args, builder::PossibleValuesParser};
use reqwest::Method;
use rovuma_schemas::{CaseId, Date, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{name, text::codes};
use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    moments::local,
    output::table,
    question,
    session::{ApiServer, ServerArgs},
};

/// Options of `case hold`.
#[derive(Debug, Args)]
pub(crate) struct Hold {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// The ground on which the law lets your agency keep the data
    #[arg(long, value_parser = PossibleValuesParser::new(codes("retention_grounds")))]
    ground: String,
    /// Why, as a code or file reference, which is logged
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
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
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
    #[command(flatten)]
    server: ServerArgs,
}

/// What will be erased, and what is held.
#[derive(Debug, Deserialize)]
struct RetentionView {
    due: Vec<DueCase>,
    held: Vec<HeldCase>,
    total: u64,
}

/// A case whose content will be erased.
#[derive(Debug, Deserialize)]
struct DueCase {
    case: CaseId,
    #[serde(default)]
    short_reference: Option<String>,
    erase_at: Timestamp,
    messages: u64,
}

/// A case that is held.
#[derive(Debug, Deserialize)]
struct HeldCase {
    case: CaseId,
    ground: String,
    reason: String,
    until: Date,
    set_by: String,
}

impl Hold {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let case = find(&client, &self.case).await?;
        let body = json!({ "ground": self.ground, "reason": self.reason, "until": self.until });
        let request = client.request(Method::PUT, &name::path(&case, "/hold"))?.json(&body);
        let held: ServerAnswer<Value> = client.send(request).await?;
        let until = self.until;
        app.out.answer(&held, |f, _| {
            write!(f, "{case} is held until {until}: its content is not erased before that")
        })?;
        Ok(Exit::Ok)
    }
}

impl Free {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let case = find(&client, &self.case).await?;
        let question = format!(
            "Free {case}? Its content is erased when its retention ends, at once where it has ended."
        );
        if !self.yes && !question::is_confirmed(app, &question, "give --yes to free it without a question")? {
            app.out.note("it is held as before");
            return Ok(Exit::Negative);
        }
        let request = client.request(Method::DELETE, &name::path(&case, "/hold"))?;
        let freed: ServerAnswer<Value> = client.send(request).await?;
        app.out.answer(&freed, |f, _| write!(f, "{case} is not held any more"))?;
        Ok(Exit::Ok)
    }
}

impl Retention {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let retention: ServerAnswer<RetentionView> = client.get("/v1/retention", &[]).await?;
        app.out.answer(&retention, retention_text)?;
        Ok(Exit::Ok)
    }
}

/// Finds a case for a data protection officer, who may not list cases but sees those that are due or held.
async fn find(client: &Client, text: &str) -> Outcome<CaseId> {
    let refused = match name::find(client, text).await {
        Err(failure) if failure.exit == Exit::Refused => failure,
        outcome => return outcome,
    };
    let wanted: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect();
    let Ok(retention) = client.get::<RetentionView>("/v1/retention", &[]).await else { return Err(refused) };
    let is_it = |row: &DueCase| {
        row.short_reference.as_ref().is_some_and(|reference| reference.eq_ignore_ascii_case(&wanted))
    };
    retention.value.due.into_iter().find(is_it).map(|row| row.case).ok_or_else(|| {
        let next = refused.next.clone().unwrap_or_else(|| {
            "give the case's name KIND/OWNER/ID, as rovumactl retention --dry-run shows it".to_owned()
        });
        Failure::next(refused, next)
    })
}

fn retention_text(f: &mut fmt::Formatter<'_>, retention: &RetentionView) -> fmt::Result {
    let due = |row: &DueCase| {
        let reference = row.short_reference.clone().unwrap_or_default();
        vec![local(row.erase_at), reference, row.messages.to_string(), row.case.to_string()]
    };
    let rows: Vec<Vec<String>> = retention.due.iter().map(due).collect();
    table(f, &["ERASED AT", "REFERENCE", "MESSAGES", "CASE"], &rows)?;
    let shown = retention.due.len() as u64;
    if retention.total > shown {
        writeln!(f, "these are {shown} of {}", retention.total)?;
    }
    writeln!(f)?;
    let held = |row: &HeldCase| {
        vec![
            row.until.to_string(),
            row.ground.clone(),
            row.reason.clone(),
            row.set_by.clone(),
            row.case.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = retention.held.iter().map(held).collect();
    table(f, &["HELD UNTIL", "GROUND", "REASON", "BY", "CASE"], &rows)
}
