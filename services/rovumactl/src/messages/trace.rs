//! `rovumactl trace`.

use std::time::Duration;

use clap::Args;
use rovuma_schemas::MessageId;

use super::{
    follow::{self, Goal},
    way,
};
use crate::{
    app::App,
    exit::Outcome,
    moments,
    session::{Server, ServerArgs},
};

/// Options of `trace`.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// The message
    id: MessageId,
    /// Wait for what is still to come
    #[arg(long)]
    follow: bool,
    /// What to wait for
    #[arg(long, value_enum, default_value_t = Goal::Delivered, requires = "follow")]
    until: Goal,
    /// How long to wait
    #[arg(long, value_name = "SPAN", value_parser = moments::span, default_value = "10m", requires = "follow")]
    timeout: Duration,
    #[command(flatten)]
    server: ServerArgs,
}

impl Trace {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, Server::Gateway).await?;
        let way = if self.follow {
            follow::until(&client, &self.id, self.until, self.timeout).await?
        } else {
            way::read(&client, &self.id).await?
        };
        way.show(app)
    }
}
