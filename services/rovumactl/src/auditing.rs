//! `rovumactl audit`: searches and verifies the audit log, and ships this tool's own audit events.

mod bundle;
mod counts;
mod erase;
mod export;
mod filter;
mod policy;
mod saved;
mod search;
mod ship;
mod show;
mod verify;
mod watch;

use clap::Subcommand;

use crate::{app::App, exit::Outcome};

/// The audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Search the country's audit log; the search is itself logged
    Search(search::Search),
    /// Count entries of the audit log over time
    Count(counts::Count),
    /// Write everything that a search finds to a file: a table, or JSON
    Export(export::Export),
    /// Keep a search under a name
    Save(saved::Save),
    /// List the searches that are kept
    Saved(saved::Saved),
    /// Forget a search that is kept
    Forget(saved::Forget),
    /// Erase events about something, so that only their leaves remain, as a data protection officer
    Erase(erase::Erase),
    /// Show one event with its exact bytes
    Show(show::Show),
    /// Make an evidence bundle: entries with proofs, messages, receipts, trust lists and a report
    Bundle(bundle::MakeBundle),
    /// Verify a bundle, a log or a proof against pinned keys, trusting no server
    Verify(verify::Verify),
    /// Follow a log, and alarm when it forks, shrinks or is no longer cosigned
    Watch(watch::Watch),
    /// Write the policy that says whose cosignatures the heads of audit logs need, for both countries and every auditor
    Policy(policy::MakePolicy),
    /// Ship this tool's own waiting audit events to the audit service
    Ship,
}

impl AuditCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Search(command) => command.run(app).await,
            Self::Count(command) => command.run(app).await,
            Self::Export(command) => command.run(app).await,
            Self::Save(command) => command.run(app).await,
            Self::Saved(command) => command.run(app).await,
            Self::Forget(command) => command.run(app).await,
            Self::Bundle(command) => command.run(app).await,
            Self::Erase(command) => command.run(app).await,
            Self::Show(command) => command.run(app).await,
            Self::Verify(command) => command.run(app).await,
            Self::Watch(command) => command.run(app).await,
            Self::Policy(command) => command.run(app),
            Self::Ship => ship::run(app).await,
        }
    }
}
