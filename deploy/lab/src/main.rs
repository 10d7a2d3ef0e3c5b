//! `rovuma-lab`: what `deploy/quickstart` runs once it has built.

mod options;
mod quickstart;
mod show;

use std::process::ExitCode;

use clap::Parser;

use crate::{options::Options, show::Terminal};

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let show = Terminal::new(options.once, options.story);
    match quickstart::run(&options, &show).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show.failed(&error);
            ExitCode::FAILURE
        }
    }
}
