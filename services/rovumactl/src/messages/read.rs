//! `rovumactl read`: records that an officer has seen a message in the agency's own system.

use clap::Args;
use rovuma_api::answers::gateway::MarkedRead;

use super::{MessageArgs, post};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    moments::local,
    session::{ApiServer, ServerArgs},
};

/// Options of `read`.
#[derive(Debug, Args)]
pub(crate) struct MarkRead {
    #[command(flatten)]
    message: MessageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl MarkRead {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let mut path = self.message.path("/read");
        // A code needs no escaping.
        if let Some(sender) = &self.message.sender {
            path += &format!("?sender={sender}");
        }
        let marked = post(&client, &path, None, None).await?;
        app.out.answer(&marked, |f, MarkedRead { id, read_at }| match read_at {
            Some(at) => write!(f, "{id} read {}", local(*at)),
            None => write!(f, "{id} is not to be acted on, so it is not marked as read"),
        })?;
        Ok(Exit::Ok)
    }
}
