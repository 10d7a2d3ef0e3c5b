//! `rovumactl show`: shows a message.

use std::fmt;

use clap::Args;
use rovuma_schemas::MessageId;
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::App,
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

/// A message as the gateway returns it: the same JSON for people and programs.
#[derive(Serialize)]
#[serde(transparent)]
struct MessageDetails(Value);

impl fmt::Display for MessageDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", safe(&format!("{:#}", self.0)))
    }
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
        app.out.show(&MessageDetails(client.get(&path, &query).await?))?;
        Ok(Exit::Ok)
    }
}
