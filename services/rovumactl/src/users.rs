//! `rovumactl users` and `rovumactl clients`: people and machines of the caller's agency.
//!
//! The identity service draws each new password or secret, and this tool writes it to a file that only its owner can
//! read: never to an argument, and to the screen only when `-` asks for that.

mod account;
mod create;
mod edit;
mod list;
mod roles;
mod secret;

use clap::Subcommand;
use rovuma_api::answers::identity::{Client, User};

use crate::{app::App, exit::Outcome};

/// The commands on people who log in.
#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// List the users of the agency
    List(list::List),
    /// Add a user
    Create(create::CreateUser),
    /// Give a user these roles and no others
    Roles(edit::Roles),
    /// Keep a user from logging in
    Disable(edit::AccountArgs),
    /// Let a user log in again
    Enable(edit::AccountArgs),
    /// Give a user a one-time password, and end a lock-out
    ResetPassword(secret::Renew),
}

impl UsersCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::List(command) => command.run::<User>(app).await,
            Self::Create(command) => command.run(app).await,
            Self::Roles(command) => command.of_user(app).await,
            Self::Disable(command) => command.set_disabled::<User>(app, true).await,
            Self::Enable(command) => command.set_disabled::<User>(app, false).await,
            Self::ResetPassword(command) => command.run::<User>(app).await,
        }
    }
}

/// The commands on machines that get tokens for themselves.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// List the machine clients of the agency
    List(list::List),
    /// Add a machine client
    Create(create::CreateClient),
    /// Give a machine client these roles and no others
    Roles(edit::Roles),
    /// Keep a machine client from getting tokens
    Disable(edit::AccountArgs),
    /// Let a machine client get tokens again
    Enable(edit::AccountArgs),
    /// Give a machine client another secret; the old one ends at once
    Secret(secret::Renew),
}

impl ClientsCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::List(command) => command.run::<Client>(app).await,
            Self::Create(command) => command.run(app).await,
            Self::Roles(command) => command.of_client(app).await,
            Self::Disable(command) => command.set_disabled::<Client>(app, true).await,
            Self::Enable(command) => command.set_disabled::<Client>(app, false).await,
            Self::Secret(command) => command.run::<Client>(app).await,
        }
    }
}
