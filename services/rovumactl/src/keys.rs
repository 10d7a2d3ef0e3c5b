//! `rovumactl keys`: private keys of agencies, authorities and services, and their public halves.

mod generate;
mod material;
mod show;

use clap::Subcommand;

pub(crate) use material::{
    read_authority, read_public_key, read_recipient, read_sealing_key, read_signing_key,
};

use crate::{app::App, exit::Outcome};

/// The commands on key files.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Draw a new key: the private half into a file only you can read, the public half beside it
    Generate(generate::Generate),
    /// Show what a key file holds: its kind and its public half, never the private one
    Show(show::Show),
}

impl KeysCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Generate(command) => command.run(app).await,
            Self::Show(command) => command.run(app),
        }
    }
}
