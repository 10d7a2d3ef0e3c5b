//! What the parties say in a case of any kind: `confirm` and `certify`, also as commands of `alert`.

use clap::{Args, builder::PossibleValuesParser};
use rovuma_schemas::{Date, MessageId};
use serde_json::json;

use super::text::codes;
use crate::{
    app::App,
    exit::Outcome,
    follow::{FollowArgs, Retention, in_reply_to, put},
};

/// Options of `case confirm`.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// The message that one person released in an emergency
    message: MessageId,
    /// More about it, in the language of the case
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `case certify`.
#[derive(Debug, Args)]
pub(crate) struct Certify {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// What your agency did with the data
    #[arg(long, value_parser = PossibleValuesParser::new(codes("purge_outcomes")))]
    outcome: String,
    /// With the outcome retained: the ground of your own law
    #[arg(long, value_parser = PossibleValuesParser::new(codes("retention_grounds")), required_if_eq("outcome", "retained"))]
    ground: Option<String>,
    /// With the outcome retained: the last day
    #[arg(long, value_name = "DATE", required_if_eq("outcome", "retained"))]
    until: Option<Date>,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

impl Confirm {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open_of(&client, self.message).await?;
        let mut body = json!({});
        put(&mut body, "note", self.note);
        let draft = self.follow.draft(app, &opened, "release.confirm", body, Retention::OfCase);
        let draft = in_reply_to(draft, self.message);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}

impl Certify {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open_any(&client, &self.case).await?;
        let mut body = json!({ "outcome": self.outcome });
        put(&mut body, "ground", self.ground);
        put(&mut body, "until", self.until);
        put(&mut body, "note", self.note);
        let draft = self.follow.draft(app, &opened, "purge.certify", body, Retention::OfCertificate);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}
