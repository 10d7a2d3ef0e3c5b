//! `rovumactl trust`: a country's trust list, from draft to signed file.
//!
//! A list is prepared as a draft, a JSON file that anybody may read, and signed in one step with the authority
//! key, so that this key can stay off line.

mod agency;
mod check;
mod draft_file;
mod key;
mod new;
mod pins;
mod revoke;
mod show;
mod sign;
mod status;
mod succeed;

use clap::Subcommand;

pub(crate) use pins::{PinArgs, country_and_file, load_store, pinned};

use crate::{app::App, exit::Outcome};

/// The commands on trust lists.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Begin a country's first list: a draft with the country's node in it
    New(new::New),
    /// Begin the list that follows a signed one: same content, next serial
    Revise(new::Revise),
    /// Add an agency to a draft
    AddAgency(agency::AddAgency),
    /// End an agency: what it creates from then on is refused
    EndAgency(agency::EndAgency),
    /// Add a signing or sealing key to an agency of a draft
    AddKey(key::AddKey),
    /// Take a key out of a draft that no signed list has had it in
    RemoveKey(key::RemoveKey),
    /// Add a key and let the agency's present ones end soon after
    Rotate(key::Rotate),
    /// Revoke a key
    Revoke(revoke::Revoke),
    /// Name the authority key that will follow
    Announce(succeed::Announce),
    /// Hand the authority over to another key, signed by both
    Succeed(succeed::Succeed),
    /// Sign a draft with the authority key
    Sign(sign::Sign),
    /// Show what a list or a draft says
    Show(show::Show),
    /// Show the lists that the gateway believes, and what ends soon
    Status(status::Status),
    /// Verify a signed list against the pinned authority key, and warn of what ends soon
    Check(check::Check),
}

impl TrustCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::New(command) => command.run(app),
            Self::Revise(command) => command.run(app),
            Self::AddAgency(command) => command.run(app),
            Self::EndAgency(command) => command.run(app),
            Self::AddKey(command) => command.run(app),
            Self::Rotate(command) => command.run(app),
            Self::Revoke(command) => command.run(app).await,
            Self::Announce(command) => command.run(app),
            Self::Succeed(command) => command.run(app).await,
            Self::Sign(command) => command.run(app).await,
            Self::Show(command) => command.run(app),
            Self::Status(command) => command.run(app).await,
            Self::RemoveKey(command) => command.run(app),
            Self::Check(command) => command.run(app),
        }
    }
}
