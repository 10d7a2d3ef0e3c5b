//! `rovumactl`: the command line of operators and auditors.
//!
//! Architecture invariant: it has no rights of its own. What it does through a server it does with the
//! token of whoever logged in; what it does with key files it can do because it can read them. What is
//! deliberately absent: any way to read what is in another's store.

mod app;
mod auditing;
mod broker;
mod cli;
mod client;
mod config;
mod exit;
mod files;
mod keys;
mod ledger;
mod login;
mod messages;
mod moments;
mod output;
mod progress;
mod session;
mod store;
mod trust;
mod users;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::{
    app::App,
    cli::{Cli, Command},
    exit::{Exit, Failure, Outcome},
    output::Output,
};

/// Parses the options, runs the command and gives its exit status.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Output::new(cli.global.json);
    match run(cli, out) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out.failure(&failure);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli, out: Output) -> Outcome {
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "rovumactl", &mut script);
        return out.write(&script).map(|()| Exit::Ok);
    }
    // The one TLS provider of every client in this process. An error says it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let app = App::new(cli.global.config.as_deref(), out)?;
    let executor = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::local(format!("cannot start: {error}")))?;
    let outcome = executor.block_on(cli.command.run(&app));
    executor.shutdown_background();
    outcome
}
