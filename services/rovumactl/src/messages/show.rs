//! `rovumactl show`: shows a message.

use clap::Args;
use rovuma_schemas::MessageId;
use serde_json::Value;

use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Outcome},
    output::safe,
    session::{ApiServer, ServerArgs},
};

/// Options of `show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The message
    id: MessageId,
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
    server: ServerArgs,
}

impl Show {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let mut query: Vec<(&str, String)> =
            self.reason.into_iter().map(|reason| ("reason", reason)).collect();
        let path = if self.jws {
            format!("/v1/messages/{}/jws", self.id)
        } else {
            let view = if self.metadata { "metadata" } else { "content" };
            query.push(("view", view.to_owned()));
            format!("/v1/messages/{}", self.id)
        };
        // The whole answer is the result, for people too: whatever a message is, and members of later versions.
        let message: ServerAnswer<Value> = client.get(&path, &query).await?;
        app.out.answer(&message, |f, message| write!(f, "{}", safe(&format!("{message:#}"))))?;
        Ok(Exit::Ok)
    }
}
