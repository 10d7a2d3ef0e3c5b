//! `rovumactl watchlist`: the lists of the watchlist, and what was found.

mod candidates;
mod import;
mod lists;

use clap::Subcommand;

use crate::{app::App, exit::Outcome};

/// The commands on the watchlist.
#[derive(Debug, Subcommand)]
pub(crate) enum WatchlistCommand {
    /// Import a list of the UN, of OFAC, or a CSV, in the place of the one of the same name
    Import(Box<import::Import>),
    /// Do what another person proposed about a list: you are the second person
    Approve(lists::Approve),
    /// List what is screened against, with its age, and what waits for a second person
    Lists(lists::ListLists),
    /// Propose to take an imported list out; a second person approves it
    Remove(lists::Remove),
    /// List what was found of your agency's alerts and waits for a person, or was told
    Candidates(candidates::Candidates),
    /// Say whether a candidate is the same person or thing
    Decide(candidates::Decide),
}

impl WatchlistCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Import(command) => command.run(app).await,
            Self::Approve(command) => command.run(app).await,
            Self::Lists(command) => command.run(app).await,
            Self::Remove(command) => command.run(app).await,
            Self::Candidates(command) => command.run(app).await,
            Self::Decide(command) => command.run(app).await,
        }
    }
}
