//! `rovumactl trace`: shows how far a message has come.

use std::time::Duration;

use clap::Args;
use rovuma_schemas::MessageId;

use super::{
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
    /// The message
    id: MessageId,
    /// Wait for receipts that are still to come
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
        let trace = if self.follow {
            follow::wait_for_receipts(&client, &self.id, self.until, self.timeout).await?
        } else {
            trace_view::read(&client, &self.id).await?
        };
        trace_view::show(app, &trace)
    }
}
