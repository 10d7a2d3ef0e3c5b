//! `rovumactl case`: what several signed messages add up to.

pub(crate) mod any_case;
mod content;
pub(crate) mod list;
pub(crate) mod name;
pub(crate) mod retention;
mod show;
pub(crate) mod text;

use clap::Subcommand;

pub(crate) use self::content::content_in_force;
use crate::{app::App, exit::Outcome};

/// The commands on cases of the agency.
#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// List the cases, the last opened first; --mine those in which your agency must act
    List(Box<list::List>),
    /// Show a case: its state, what you must do, what you may do next, and its messages as they became known here
    Show(show::Show),
    /// Show the messages of a case in the order that both sides give them
    Timeline(show::Timeline),
    /// Show a case as your agency could see it at an instant
    Replay(show::Replay),
    /// Confirm, as a second person, what one person of your agency released in an emergency
    Confirm(any_case::Confirm),
    /// Certify what your agency did with the data of a case; a supervisor releases it
    Certify(any_case::Certify),
    /// Keep the data of a case beyond their retention, on a ground of law
    Hold(retention::Hold),
    /// Let the data of a case be erased when their retention ends
    Free(retention::Free),
}

impl CaseCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::List(command) => command.run(app).await,
            Self::Show(command) => command.run(app).await,
            Self::Timeline(command) => command.run(app).await,
            Self::Replay(command) => command.run(app).await,
            Self::Confirm(command) => command.run(app).await,
            Self::Certify(command) => command.run(app).await,
            Self::Hold(command) => command.run(app).await,
            Self::Free(command) => command.run(app).await,
        }
    }
}
