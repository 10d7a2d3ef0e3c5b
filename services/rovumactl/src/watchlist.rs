//! `rovumactl watchlist`: the lists of the watchlist, and what was found.

mod candidates;
mod expected;
mod import;
mod innocents;
mod lists;
mod report;
mod rules;

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
    /// Show one list: its file, what it has, and what waits for a second person
    Show(lists::Show),
    /// Propose to take an imported list out; a second person approves it
    Remove(lists::Remove),
    /// List what was found of your agency's alerts and waits for a person, or was told
    Candidates(candidates::Candidates),
    /// List what left the other country towards a border post, and has not come yet
    Expected(expected::ListExpected),
    /// Say whether a candidate is the same person or thing
    Decide(candidates::Decide),
    /// Report what was decided to be the same to the alert's owner, in your own name
    Report(Box<report::Report>),
    /// List the travellers who are known not to be a listed person
    Innocents(innocents::Innocents),
    /// Let a traveller pass for a year whom a colleague said to be somebody else: you are the second person
    ApproveInnocent(innocents::ApproveInnocent),
    /// List the rules: what follows from a match
    Rules(rules::ListRules),
    /// Propose that what a rule finds is told to the alert's owner without a person, or no longer; a second person approves it
    ChangeRule(rules::ChangeRule),
    /// Approve what a colleague proposed of a rule: you are the second person
    ApproveRule(rules::ApproveRule),
}

impl WatchlistCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Import(command) => command.run(app).await,
            Self::Approve(command) => command.run(app).await,
            Self::Lists(command) => command.run(app).await,
            Self::Show(command) => command.run(app).await,
            Self::Remove(command) => command.run(app).await,
            Self::Candidates(command) => command.run(app).await,
            Self::Expected(command) => command.run(app).await,
            Self::Decide(command) => command.run(app).await,
            Self::Report(command) => command.run(app).await,
            Self::Innocents(command) => command.run(app).await,
            Self::ApproveInnocent(command) => command.run(app).await,
            Self::Rules(command) => command.run(app).await,
            Self::ChangeRule(command) => command.run(app).await,
            Self::ApproveRule(command) => command.run(app).await,
        }
    }
}
