//! `rovumactl show`: shows a message.

use clap::Args;
use rovuma_api::answers::gateway::MessageView;
use rovuma_schemas::AgencyCode;
use serde_json::Value;

use super::{MessageArgs, message_text::message_text};
use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Outcome},
    output::safe,
    reading::LanguageArgs,
    session::{ApiServer, ServerArgs},
};

/// Options of `show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    message: MessageArgs,
    /// Only header facts and codes, without body and free text
    #[arg(long, conflicts_with = "jws")]
    metadata: bool,
    /// The signed originals, for rovumactl verify or other tools
    #[arg(long)]
    jws: bool,
    /// Why an auditor reads content: a code or file reference, which is logged
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Show {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let mut query = self.message.query();
        query.extend(self.reason.map(|reason| ("reason", reason)));
        if self.jws {
            // The whole answer is the result, for people too: other tools read it.
            let originals: ServerAnswer<Value> = client.get(&self.message.path("/jws"), &query).await?;
            app.out.answer(&originals, |f, originals| write!(f, "{}", safe(&format!("{originals:#}"))))?;
            return Ok(Exit::Ok);
        }
        let view = if self.metadata { "metadata" } else { "content" };
        query.push(("view", view.to_owned()));
        let message: ServerAnswer<MessageView> = client.get(&self.message.path(""), &query).await?;
        let (agencies, people) = (agencies(&message.value), people(&message.value));
        let reader = self.language.reader(app, &self.server, &client, &agencies, &people).await;
        app.out.answer(&message, |f, message| message_text(f, message, &reader))?;
        Ok(Exit::Ok)
    }
}

/// The agencies that a message names.
fn agencies(message: &MessageView) -> Vec<AgencyCode> {
    let recipients = message.header.recipients.iter().map(|recipient| recipient.agency.clone());
    recipients.chain([message.header.sender.agency.clone()]).collect()
}

/// The people of the own agency that a message names.
fn people(message: &MessageView) -> Vec<&str> {
    let released_by = message.sent.as_ref().map(|sent| sent.released_by.as_str());
    let read_by = message.received.as_ref().and_then(|received| received.read_by.as_deref());
    released_by.into_iter().chain(read_by).collect()
}
