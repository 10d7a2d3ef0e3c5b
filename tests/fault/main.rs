//! The fault programme: breaks things while messages flow in both directions, and afterwards counts which were
//! accepted, delivered once, receipted and audited, which were lost and which doubled.
//!
//! Every scenario runs on two real brokers with the real programs, in a virtual host and a folder of its own.

mod chance;
mod proxy;
mod reconcile;
mod scenarios;
mod stage;
mod traffic;

use std::{process::ExitCode, time::Instant};

use anyhow::Result;
use clap::Parser;

use crate::{chance::Chance, scenarios::SCENARIOS, stage::TestBed};

/// Breaks things while messages flow, and counts afterwards.
///
/// Exit status: 0 nothing was lost or doubled, 1 something was or could not be done, 2 wrong use.
#[derive(Debug, Parser)]
#[command(name = "tests/fault/run", version)]
struct Options {
    /// How often every scenario is run, each time with other random choices.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// The seed of the random choices: the same seed chooses the same faults at the same points, as far as the
    /// machine's own timing allows.
    #[arg(long)]
    seed: Option<u64>,
    /// Messages in each direction.
    #[arg(long, default_value_t = 500)]
    messages: u32,
    /// A tenth of the messages, once: what `tests/run` does.
    #[arg(long)]
    short: bool,
    /// List the scenarios and end.
    #[arg(long)]
    list: bool,
    /// The scenarios to run; all when none is named.
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
}

/// Messages in each direction with `--short`.
const SHORT: u32 = 50;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    if options.list {
        for scenario in &SCENARIOS {
            println!("{:<16} {}", scenario.name, scenario.about);
        }
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = options.scenarios.iter().find(|name| scenarios::find(name).is_none()) {
        eprintln!("no scenario {unknown:?}: tests/fault/run --list names them");
        return ExitCode::from(2);
    }
    match run(&options).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("fault programme: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the scenarios. Returns how many failed.
async fn run(options: &Options) -> Result<u32> {
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let messages = if options.short { SHORT } else { options.messages };
    let rounds = if options.short { 1 } else { options.rounds };
    println!("fault programme: seed {seed}, {rounds} round(s), {messages} messages in each direction");
    let mut ground = TestBed::start().await?;
    let (mut passed, mut failed) = (0, 0);
    for round in 1..=rounds {
        for (place, scenario) in (0_u64..).zip(&SCENARIOS) {
            let wanted =
                options.scenarios.is_empty() || options.scenarios.iter().any(|name| name == scenario.name);
            if !wanted {
                continue;
            }
            let started = Instant::now();
            println!("── round {round}: {} — {}", scenario.name, scenario.about);
            // Each has a seed of its own, so that one can be repeated alone.
            let chance = Chance::new(seed.wrapping_add(u64::from(round) << 32).wrapping_add(place));
            let outcome = (scenario.run)(&mut ground, chance, messages).await;
            ground.mend().await?;
            let seconds = started.elapsed().as_secs();
            match outcome {
                Ok(report) => {
                    passed += 1;
                    println!("   held, in {seconds} s: {report}");
                }
                Err(fault) => {
                    failed += 1;
                    println!(
                        "   FAILED after {seconds} s: {fault:#}\n   repeat: --seed {seed} --rounds {round} {}",
                        scenario.name
                    );
                }
            }
        }
    }
    ground.stop().await;
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}
