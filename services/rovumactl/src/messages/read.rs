//! `rovumactl read`: records that an officer has seen a message in the agency's own system.

use std::fmt;

use clap::Args;
use rovuma_schemas::MessageId;
use serde::Serialize;
use serde_json::Value;

use super::{post, text};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    output::safe,
    session::{ApiServer, ServerArgs},
};

/// Options of `read`.
#[derive(Debug, Args)]
pub(crate) struct MarkRead {
    /// The message
    id: MessageId,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Serialize)]
#[serde(transparent)]
struct ReadResult(Value);

impl fmt::Display for ReadResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} read {}", safe(text(&self.0, "id")), safe(text(&self.0, "read_at")))
    }
}

impl MarkRead {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let answer = post(&client, &format!("/v1/messages/{}/read", self.id), None, None).await?;
        app.out.show(&ReadResult(answer))?;
        Ok(Exit::Ok)
    }
}
