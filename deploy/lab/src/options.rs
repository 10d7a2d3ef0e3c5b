//! The options of `deploy/quickstart`.

use std::path::PathBuf;

use clap::Parser;

/// Two countries on one machine: starts both installations, sends a real alert and shows its way
#[derive(Debug, Parser)]
#[command(
    name = "deploy/quickstart",
    after_help = "Everything it makes is in one folder. A second run goes on with what the first one made.\n\
                  Exit status: 0 delivered (with --once) or stopped with Ctrl-C, 1 not, 2 wrong options."
)]
pub(crate) struct Options {
    /// Stop after the alert; the last line is JSON
    #[arg(long)]
    pub(crate) once: bool,
    /// Send this draft of an alert, from mz.prm, instead of the example
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Remove everything that was made, and exit
    #[arg(long, conflicts_with_all = ["once", "file"])]
    pub(crate) clean: bool,
    /// The folder for all files
    #[arg(long, value_name = "FOLDER", default_value = ".rovuma")]
    pub(crate) folder: PathBuf,
}
