//! `rovuma-load`: measures how fast the product is, against what its brokers alone do on the same machine in the same
//! run. `tests/load/run` builds and runs it; `tests/load/README.md` defines the figures.

mod audit;
mod bare;
mod bundle;
mod draft;
mod exchange;
mod follow;
mod ledger;
mod line;
mod lists;
mod machine;
mod metrics;
mod old_store;
mod options;
mod process;
mod product;
mod proxy;
mod report;
mod screen;
mod sender;
mod source;
mod usage;

use std::process::ExitCode;

use clap::Parser;

use crate::options::{Options, Programme};

#[tokio::main]
async fn main() -> ExitCode {
    let Options { programme } = Options::parse();
    let (name, measured) = match programme {
        Programme::Exchange(options) => {
            ("exchange", exchange::run(&options).await.map(|report| report.to_string()))
        }
        Programme::Audit(options) => ("audit", audit::run(&options).await.map(|report| report.to_string())),
        Programme::Bundle(options) => {
            ("bundle", bundle::run(&options).await.map(|report| report.to_string()))
        }
        Programme::Lists(options) => ("lists", lists::run(&options).await.map(|report| report.to_string())),
        Programme::Screen(options) => ("screen", screen::run(&options).await),
    };
    match measured {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tests/load/run {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
