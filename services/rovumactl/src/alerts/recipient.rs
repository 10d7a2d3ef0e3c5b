//! What a recipient of an alert says about it: `flag`, `report-error`.

use clap::{ArgGroup, Args, builder::PossibleValuesParser};
use rovuma_schemas::{SubjectKey, alert::ContentPointer};
use serde_json::json;

use super::ALERT;
use crate::{
    app::App,
    cases::text::codes,
    exit::{Failure, Outcome},
    follow::{FollowArgs, Retention, put},
};

/// Options of `alert flag`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("mark").args(["on", "off"]).required(true)))]
pub(crate) struct Flag {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// It is not executable in your country: for no agency there
    #[arg(long, requires_all = ["reason", "instead"])]
    on: bool,
    /// It is executable again
    #[arg(long, conflicts_with_all = ["reason", "instead"])]
    off: bool,
    /// Why it is not executable
    #[arg(long, value_parser = PossibleValuesParser::new(codes("flag_reasons")))]
    reason: Option<String>,
    /// What is done instead
    #[arg(long, value_parser = PossibleValuesParser::new(codes("actions")))]
    instead: Option<String>,
    /// A subject that it is about, by its key: v1; all of the alert without
    #[arg(long = "subject", value_name = "KEY")]
    subjects: Vec<SubjectKey>,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `alert report-error`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").args(["subject", "at"]).required(true).multiple(true)))]
pub(crate) struct ReportError {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// The subject that is wrong, by its key: v1
    #[arg(long, value_name = "KEY")]
    subject: Option<SubjectKey>,
    /// The member that is wrong, by its place in the alert: /subjects/vehicles/0/plate
    #[arg(long, value_name = "POINTER")]
    at: Option<ContentPointer>,
    /// What it should say
    #[arg(long)]
    proposal: String,
    /// The version that you read [default: the one in force]
    #[arg(long)]
    version: Option<u64>,
    #[command(flatten)]
    follow: FollowArgs,
}

impl Flag {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, ALERT).await?;
        let state = if self.on { "on" } else { "off" };
        let mut body = json!({ "flag": state, "version": opened.version() });
        if !self.subjects.is_empty() {
            body["subjects"] = json!(self.subjects);
        }
        put(&mut body, "reason", self.reason);
        put(&mut body, "instead", self.instead);
        put(&mut body, "note", self.note);
        let draft = self.follow.draft(app, &opened, "alert.flag", body, Retention::OfCase);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}

impl ReportError {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, ALERT).await?;
        let known = opened.case.alert.iter().flat_map(|alert| alert.subjects.iter());
        if let Some(key) = &self.subject
            && !known.clone().any(|subject| subject == key.as_str())
        {
            let known: Vec<&str> = known.map(String::as_str).collect();
            return Err(Failure::usage(format!("{} has no subject {key}", opened.name()))
                .next(format!("its subjects are {}", known.join(", "))));
        }
        let mut error = json!({ "proposal": self.proposal });
        put(&mut error, "subject", self.subject);
        put(&mut error, "at", self.at);
        let version = self.version.unwrap_or_else(|| opened.version());
        let body = json!({ "version": version, "errors": [error] });
        let draft = self.follow.draft(app, &opened, "alert.error_report", body, Retention::OfCase);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}
