//! The options of `deploy/quickstart`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// The help that `deploy/quickstart --help` prints without building anything.
const HELP: &str = include_str!("../../quickstart.txt");

/// Two countries on one machine: starts both installations, sends a real alert and shows its way
#[derive(Debug, Parser)]
#[command(name = "deploy/quickstart", override_help = HELP)]
pub(crate) struct Options {
    /// Stop after the alert; the last line is JSON
    #[arg(long)]
    pub(crate) once: bool,
    /// Send this draft of an alert, from mz.prm, instead of the example
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Play this story instead, step by step: alert, request
    #[arg(long, value_name = "STORY", value_enum, conflicts_with = "file")]
    pub(crate) story: Option<StoryName>,
    /// Remove everything that was made in the folder, and exit
    #[arg(long, conflicts_with_all = ["once", "file", "story"])]
    pub(crate) clean: bool,
    /// The folder for all files
    #[arg(long, value_name = "FOLDER", default_value = ".rovuma")]
    pub(crate) folder: PathBuf,
}

/// The stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoryName {
    /// an alert's life: read, reported wrong, changed, flagged, issued again under a new key, withdrawn, certified
    Alert,
    /// a request for assistance: asked, taken up, asked back, clarified, answered, closed; cancelled while an answer comes; refused
    Request,
    /// a scan at a border post: a plate and a passport found and told by themselves, confirmed, withdrawn; a misread plate; a discreet check
    Hit,
}

impl StoryName {
    /// The word of the option.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Request => "request",
            Self::Hit => "hit",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_help_names_every_option_and_its_meaning() {
        let command = Options::command();
        for option in command.get_arguments() {
            let name = format!("--{}", option.get_long().unwrap_or_default());
            let line = HELP.lines().find(|line| line.contains(&name)).unwrap_or_else(|| panic!("{name}"));
            let meaning = option.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(line.contains(&meaning), "{name}: {line:?} does not say {meaning:?}");
        }
        let options = HELP.lines().filter(|line| line.trim_start().starts_with('-')).count();
        assert_eq!(options, command.get_arguments().count() + 1, "the help names one more: --help");
    }
}
