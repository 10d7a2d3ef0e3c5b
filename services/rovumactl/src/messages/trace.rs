//! `rovumactl trace`: shows how far a message has come.

use std::time::Duration;

use clap::Args;

use super::{
    MessageArgs,
    follow::{self, ReceiptGoal},
    trace_view,
};
use crate::{
    app::App,
    exit::Outcome,
    moments,
    session::{ApiServer, ServerArgs},
};

/// Options of `trace`.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    #[command(flatten)]
    message: MessageArgs,
    /// Show each step as it comes, and wait for receipts that are still to come
    #[arg(long)]
    follow: bool,
    /// The receipts to wait for
    #[arg(long, value_enum, default_value_t = ReceiptGoal::Delivered, requires = "follow")]
    until: ReceiptGoal,
    /// How long to wait
    #[arg(long, value_name = "SPAN", value_parser = moments::span, default_value = "10m", requires = "follow")]
    timeout: Duration,
    #[command(flatten)]
    server: ServerArgs,
}

impl Trace {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        if self.follow {
            return follow::follow(app, &client, &self.message, self.until, self.timeout).await;
        }
        let trace = trace_view::read(&client, &self.message).await?;
        trace_view::show(app, &client, &trace).await
    }
}
