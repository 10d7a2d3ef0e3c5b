//! Whether the exchange works, as the gateway sees it: alarms, streams, held messages, quarantine.

pub(crate) mod alarms;
pub(crate) mod held;
pub(crate) mod quarantine;
pub(crate) mod streams;

use clap::Args;

use crate::session::ServerArgs;

/// Options of lists without filters.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Maximum number of rows
    #[arg(long, default_value_t = 200)]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}
