//! `rovumactl`: the command line of operators and auditors.
//!
//! Architecture invariant: the tool has no rights of its own. It calls servers with the access token of
//! whoever logged in, and uses key files that its user can read. Deliberately absent: any way to read the
//! content of a service's store.

mod alerts;
mod app;
mod auditing;
mod broker;
mod cases;
mod cli;
mod client;
mod config;
mod editor;
mod exchange;
mod exit;
mod figures;
mod files;
mod follow;
mod hits;
mod keys;
mod ledger;
mod login;
mod messages;
mod moments;
mod output;
mod permissions;
mod progress;
mod question;
mod reading;
mod reference;
mod requests;
mod screen;
mod session;
mod store;
mod trust;
mod users;
mod verify;
mod watchlist;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::{
    app::App,
    cli::{Cli, Command},
    exit::{Exit, Failure, Outcome},
    output::CommandOutput,
};

/// Parses the options, runs the command and gives its exit status.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = CommandOutput::new(cli.global.json);
    let log_in_name = cli.global.log_in_name.clone();
    match run(cli, out) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let failure = failure.with_log_in_name(log_in_name.as_deref());
            out.failure(&failure);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli, out: CommandOutput) -> Outcome {
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "rovumactl", &mut script);
        return out.write(&script).map(|()| Exit::Ok);
    }
    // The TLS provider of every client in this process. An error only means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let app = App::new(cli.global.config.as_deref(), cli.global.log_in_name, out)?;
    let executor = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start: {error}")))?;
    let outcome = executor.block_on(cli.command.run(&app));
    executor.shutdown_background();
    outcome
}
