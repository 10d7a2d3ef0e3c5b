//! `audit show`: shows one event.

use std::fmt;

use clap::Args;
use rovuma_schemas::Epoch;
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::App,
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

#[derive(Serialize)]
#[serde(transparent)]
struct EventDetails(Value);

impl fmt::Display for EventDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", safe(&format!("{:#}", self.0)))
    }
}

impl Show {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let plain = self.source.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !plain || self.source.starts_with('.') {
            return Err(Failure::usage(format!("{:?} is not the name of a service", self.source)));
        }
        let client = self.server.client(app, ApiServer::Audit).await?;
        let path = format!("/v1/events/{}/{}/{}", self.source, self.epoch, self.sequence);
        app.out.show(&EventDetails(client.get(&path, &[]).await?))?;
        Ok(Exit::Ok)
    }
}
