//! `audit show`: shows one event.

use clap::Args;
use rovuma_schemas::Epoch;
use serde_json::Value;

use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Failure, Outcome},
    output::safe,
    session::{ApiServer, ServerArgs},
};

/// Options of `audit show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The service that wrote it: mz.gateway.police
    source: String,
    /// The epoch of its store
    epoch: Epoch,
    /// Its sequence number
    sequence: u64,
    #[command(flatten)]
    server: ServerArgs,
}

impl Show {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let plain = self.source.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !plain || self.source.starts_with('.') {
            return Err(Failure::usage(format!("{:?} is not the name of a service", self.source)));
        }
        let client = self.server.client(app, ApiServer::Audit).await?;
        let path = format!("/v1/events/{}/{}/{}", self.source, self.epoch, self.sequence);
        // The whole answer is the result, for people too: the event's details are the source's own.
        let event: ServerAnswer<Value> = client.get(&path, &[]).await?;
        app.out.answer(&event, |f, event| write!(f, "{}", safe(&format!("{event:#}"))))?;
        Ok(Exit::Ok)
    }
}
