//! `rovumactl read`: records that an officer has seen a message in the agency's own system.

use clap::Args;
use rovuma_api::answers::gateway::MarkedRead;
use rovuma_schemas::MessageId;

use super::post;
use crate::{
    app::App,
    exit::{Exit, Outcome},
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

impl MarkRead {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let marked = post(&client, &format!("/v1/messages/{}/read", self.id), None, None).await?;
        app.out.answer(&marked, |f, MarkedRead { id, read_at }| match read_at {
            Some(at) => write!(f, "{id} read {at}"),
            None => write!(f, "{id} is not to be acted on, so it is not marked as read"),
        })?;
        Ok(Exit::Ok)
    }
}
