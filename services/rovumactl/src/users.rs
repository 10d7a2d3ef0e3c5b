//! `rovumactl users` and `rovumactl clients`: people and machines of the caller's agency.
//!
//! A new password or secret is drawn by the identity service and goes into a file that only its owner can
//! read: never into an argument, never onto the screen unless `-` asks for that.

mod account;
mod create;
mod edit;
mod list;
mod secret;

use clap::Subcommand;

use crate::{app::App, exit::Outcome};
pub(crate) use account::Kind;

/// People who log in.
#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// List the users of the agency
    List(list::List),
    /// Add a user
    Create(create::CreateUser),
    /// Give a user these roles and no others
    Roles(edit::Roles),
    /// Keep a user from logging in
    Disable(edit::Target),
    /// Let a user log in again
    Enable(edit::Target),
    /// Give a user a one-time password, and end a lock-out
    ResetPassword(secret::Renew),
}

impl Users {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::List(command) => command.run(app, Kind::User).await,
            Self::Create(command) => command.run(app).await,
            Self::Roles(command) => command.run(app, Kind::User).await,
            Self::Disable(command) => command.set_disabled(app, Kind::User, true).await,
            Self::Enable(command) => command.set_disabled(app, Kind::User, false).await,
            Self::ResetPassword(command) => command.run(app, Kind::User).await,
        }
    }
}

/// Machines that get tokens for themselves.
#[derive(Debug, Subcommand)]
pub(crate) enum Clients {
    /// List the machine clients of the agency
    List(list::List),
    /// Add a machine client
    Create(create::CreateClient),
    /// Give a machine client these roles and no others
    Roles(edit::Roles),
    /// Give a machine client no tokens any more
    Disable(edit::Target),
    /// Give a machine client tokens again
    Enable(edit::Target),
    /// Give a machine client another secret; the old one ends at once
    Secret(secret::Renew),
}

impl Clients {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::List(command) => command.run(app, Kind::Client).await,
            Self::Create(command) => command.run(app).await,
            Self::Roles(command) => command.run(app, Kind::Client).await,
            Self::Disable(command) => command.set_disabled(app, Kind::Client, true).await,
            Self::Enable(command) => command.set_disabled(app, Kind::Client, false).await,
            Self::Secret(command) => command.run(app, Kind::Client).await,
        }
    }
}
