//! What the issuer of an alert says after it, apart from a new version: `extend`, `withdraw`, `reply`, `confirm`.

use clap::{Args, builder::PossibleValuesParser};
use rovuma_schemas::{CaseId, MessageId, Timestamp};
use serde_json::json;

use super::{
    draft::{OpenedAlert, Retention, in_reply_to, put},
    follow::FollowArgs,
};
use crate::{
    app::App,
    cases::{name, text::codes},
    exit::{Failure, Outcome},
    moments,
};

/// Options of `alert extend`.
#[derive(Debug, Args)]
pub(crate) struct Extend {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// The new end; a date ends at 24:00 UTC
    #[arg(long, value_name = "INSTANT", value_parser = moments::end)]
    until: Timestamp,
    /// Why the alert is still needed, in the alert's language
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `alert withdraw`.
#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// Why it is withdrawn
    #[arg(long, value_parser = PossibleValuesParser::new(codes("withdraw_reasons")))]
    reason: String,
    /// With the reason superseded: the alert that takes its place
    #[arg(long, value_name = "CASE", required_if_eq("reason", "superseded"))]
    superseded_by: Option<String>,
    /// More about it, in the alert's language
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `alert reply`.
#[derive(Debug, Args)]
pub(crate) struct Reply {
    /// The error report
    report: MessageId,
    /// Why it is not accepted, in the alert's language, without what the report says: everybody who has the alert reads it
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `alert confirm`.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// The message that one person released in an emergency
    message: MessageId,
    /// More about it, in the alert's language
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

impl Extend {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case).await?;
        let body = json!({ "until": self.until, "reason": self.reason });
        let retention = Retention::NotBefore(self.until);
        let draft = draft(app, &self.follow, &opened, "alert.extend", body, retention);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}

impl Withdraw {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case).await?;
        let mut body = json!({ "reason": self.reason });
        let by: Option<CaseId> = match &self.superseded_by {
            Some(other) => Some(name::find(&client, other).await?),
            None => None,
        };
        put(&mut body, "superseded_by", by);
        put(&mut body, "note", self.note);
        let draft = draft(app, &self.follow, &opened, "alert.withdraw", body, Retention::AfterWithdrawal);
        let beside = "  Nothing brings the alert back afterwards.";
        self.follow.show_and_send(app, &client, &opened, draft, beside).await
    }
}

impl Reply {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = OpenedAlert::open(&client, &name::of_message(&client, self.report).await?).await?;
        let report =
            opened.steps.iter().find(|step| step.ids.contains(&self.report) || step.id == self.report);
        if report.is_none_or(|report| report.message_type != "alert.error_report") {
            return Err(Failure::usage(format!("{} is no error report", self.report))
                .next(format!("rovumactl case show {} lists them", opened.name())));
        }
        let body = json!({ "reason": self.reason });
        let draft = draft(app, &self.follow, &opened, "alert.reply", body, Retention::OfCase);
        let draft = in_reply_to(draft, self.report);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}

impl Confirm {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = OpenedAlert::open(&client, &name::of_message(&client, self.message).await?).await?;
        let mut body = json!({});
        put(&mut body, "note", self.note);
        let draft = draft(app, &self.follow, &opened, "release.confirm", body, Retention::OfCase);
        let draft = in_reply_to(draft, self.message);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}

/// A draft with this body, and the retention that its author chose or the usual one.
pub(super) fn draft(
    app: &App,
    follow: &FollowArgs,
    opened: &OpenedAlert,
    message_type: &str,
    body: serde_json::Value,
    retention: Retention,
) -> serde_json::Value {
    let retain_until = follow.retain_until.unwrap_or_else(|| opened.retain_until(retention, app.now()));
    opened.draft(message_type, body, retain_until, follow.language.locale())
}
