//! The watchlist's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    rovuma_runtime::main::<rovuma_watchlist::WatchlistService>()
}
