//! What every command does that sends a message in a case: it opens the case as the author of what follows in it, drafts the
//! message with the terms of the case, shows the draft, asks, and sends it or hands it to a supervisor.

mod contact;
mod draft;
mod opened;
mod send;

use clap::Args;
use rovuma_schemas::{AgencyCode, Date, MessageId};
use serde_json::Value;

pub(crate) use self::{
    contact::ContactArgs,
    draft::{Retention, in_reply_to, put},
    opened::OpenedCase,
};
use crate::{
    app::App,
    cases::name,
    client::Client,
    exit::{Failure, Outcome},
    reading::LanguageArgs,
    session::{ApiServer, ServerArgs},
};

/// What every command takes that sends a message in a case.
#[derive(Debug, Args)]
pub(crate) struct FollowArgs {
    /// Hand it to a supervisor where one must release it; without it the draft is kept, to be submitted
    #[arg(long)]
    submit: bool,
    /// Neither show nor ask
    #[arg(long)]
    yes: bool,
    /// The last day on which the recipients may keep it [default: as the case says; 30 days after a withdrawal]
    #[arg(long, value_name = "DATE")]
    retain_until: Option<Date>,
    /// Send it although the gateway knows something live about the same: the code or file number of the reason, which the audit log
    /// keeps
    #[arg(long, value_name = "REASON")]
    despite_duplicates: Option<String>,
    /// The language in which you wrote the texts, where it is another than the case's: pt, sw, en
    #[arg(long, value_name = "LANG")]
    written_in: Option<String>,
    #[command(flatten)]
    pub(crate) language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl FollowArgs {
    pub(crate) async fn client(&self, app: &App) -> Outcome<Client> {
        self.server.client(app, ApiServer::Gateway).await
    }

    /// The same caller at another server, whose address is `url` or configured.
    pub(crate) fn elsewhere(&self, url: Option<String>) -> ServerArgs {
        self.server.elsewhere(url)
    }

    /// Opens the case of this kind that `text` names.
    ///
    /// # Errors
    /// A usage failure, when the case is of another kind. Nothing of it is read then.
    pub(crate) async fn open(&self, client: &Client, text: &str, kind: &str) -> Outcome<OpenedCase> {
        let case = name::find(client, text).await?;
        if case.kind != kind {
            return Err(Failure::usage(format!(
                "{text} is a case of the kind {}: this command is for the kind {kind}",
                case.kind
            ))
            .next(format!("rovumactl case show {text} shows the commands that it takes")));
        }
        OpenedCase::open(client, &case).await
    }

    /// Opens the case that `text` names, of any kind.
    pub(crate) async fn open_any(&self, client: &Client, text: &str) -> Outcome<OpenedCase> {
        OpenedCase::open(client, &name::find(client, text).await?).await
    }

    /// Opens the case of a message.
    pub(crate) async fn open_of(&self, client: &Client, message: MessageId) -> Outcome<OpenedCase> {
        OpenedCase::open(client, &name::of_message(client, message).await?).await
    }

    /// A draft that follows in the case, with the retention that its author chose or the usual one.
    pub(crate) fn draft(
        &self,
        app: &App,
        opened: &OpenedCase,
        message_type: &str,
        body: Value,
        retention: Retention,
    ) -> Value {
        let retain_until = self.retained(app, opened, retention);
        opened.follower(message_type, body, retain_until, self.language.locale())
    }

    /// A draft that opens a case of its own about this one.
    pub(crate) fn opener(
        &self,
        app: &App,
        opened: &OpenedCase,
        message_type: &str,
        recipient: &AgencyCode,
        body: Value,
    ) -> Value {
        let retain_until = self.retained(app, opened, Retention::OfCase);
        opened.opener(message_type, recipient, body, retain_until, self.language.locale())
    }

    fn retained(&self, app: &App, opened: &OpenedCase, retention: Retention) -> Date {
        self.retain_until.unwrap_or_else(|| opened.retain_until(retention, app.now()))
    }
}
