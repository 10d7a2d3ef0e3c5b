//! `rovumactl audit`: an auditor's questions, and this tool's own events.

mod policy;
mod search;
mod ship;
mod show;
mod verify;
mod watch;

use clap::Subcommand;

use crate::{app::App, exit::Outcome};

/// The audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Search the country's audit log; the search is itself logged
    Search(search::Search),
    /// Show one event with its exact bytes
    Show(show::Show),
    /// Verify a log or a proof against pinned keys, trusting no server
    Verify(verify::Verify),
    /// Follow a log, and alarm when it forks, shrinks or is no longer cosigned
    Watch(watch::Watch),
    /// Write the policy that says whose cosignatures the audit logs' heads need: both countries and every auditor have it
    Policy(policy::MakePolicy),
    /// Bring this tool's own events that still wait to the audit service
    Ship,
}

impl Audit {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Search(command) => command.run(app).await,
            Self::Show(command) => command.run(app).await,
            Self::Verify(command) => command.run(app).await,
            Self::Watch(command) => command.run(app).await,
            Self::Policy(command) => command.run(app),
            Self::Ship => ship::run(app).await,
        }
    }
}
