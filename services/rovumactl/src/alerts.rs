//! `rovumactl alert`: what follows an alert, on both sides.

mod issuer;
mod recipient;
mod update;

use clap::Subcommand;

use crate::{
    app::App,
    cases::any_case::{Certify, Confirm},
    exit::Outcome,
};

/// The kind of the cases that these commands are for.
const ALERT: &str = "alert";

/// The messages that follow an alert.
#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Issuer: change the alert, in $VISUAL or $EDITOR or with --set
    Update(update::Update),
    /// Issuer: move the end of the alert; a supervisor releases it
    Extend(issuer::Extend),
    /// Issuer: take the alert back, for ever; a supervisor releases it, except for error and misused_identity
    Withdraw(issuer::Withdraw),
    /// Issuer: say why an error report is not accepted
    Reply(issuer::Reply),
    /// Issuer: confirm, as a second person, what one person released in an emergency
    Confirm(Confirm),
    /// Recipient: mark the alert as not executable in your country, or take the mark off
    Flag(recipient::Flag),
    /// Recipient: report an error in the alert to its issuer
    ReportError(recipient::ReportError),
    /// Recipient: certify what your agency did with the data; a supervisor releases it
    Certify(Certify),
}

impl AlertCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Update(command) => command.run(app).await,
            Self::Extend(command) => command.run(app).await,
            Self::Withdraw(command) => command.run(app).await,
            Self::Reply(command) => command.run(app).await,
            Self::Confirm(command) => command.run(app).await,
            Self::Flag(command) => command.run(app).await,
            Self::ReportError(command) => command.run(app).await,
            Self::Certify(command) => command.run(app).await,
        }
    }
}
