//! What the issuer of an alert says after it, apart from a new version: `extend`, `withdraw`, `reply`.

use clap::{Args, builder::PossibleValuesParser};
use rovuma_schemas::{CaseId, MessageId, Timestamp};
use serde_json::json;

use super::ALERT;
use crate::{
    app::App,
    cases::{name, text::codes},
    exit::{Failure, Outcome},
    follow::{FollowArgs, Retention, in_reply_to, put},
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

impl Extend {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, ALERT).await?;
        let body = json!({ "until": self.until, "reason": self.reason });
        let retention = Retention::NotBefore(self.until);
        let draft = self.follow.draft(app, &opened, "alert.extend", body, retention);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}

impl Withdraw {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, ALERT).await?;
        let mut body = json!({ "reason": self.reason });
        let by: Option<CaseId> = match &self.superseded_by {
            Some(other) => Some(name::find(&client, other).await?),
            None => None,
        };
        put(&mut body, "superseded_by", by);
        put(&mut body, "note", self.note);
        let draft = self.follow.draft(app, &opened, "alert.withdraw", body, Retention::AfterWithdrawal);
        let beside = "  Nothing brings the alert back afterwards.";
        self.follow.show_and_send(app, &client, &opened, draft, beside).await
    }
}

impl Reply {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open_of(&client, self.report).await?;
        let report =
            opened.steps.iter().find(|step| step.ids.contains(&self.report) || step.id == self.report);
        if report.is_none_or(|report| report.message_type != "alert.error_report") {
            return Err(Failure::usage(format!("{} is no error report", self.report))
                .next(format!("rovumactl case show {} lists them", opened.name())));
        }
        let body = json!({ "reason": self.reason });
        let draft = self.follow.draft(app, &opened, "alert.reply", body, Retention::OfCase);
        let draft = in_reply_to(draft, self.report);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}
