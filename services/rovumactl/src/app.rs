//! The context of one run: what every command needs beside its options.

use std::path::Path;

use rovuma_runtime::{SharedClock, SystemClock};
use rovuma_schemas::Timestamp;

use crate::{
    config::{self, CtlConfig, LoadedConfig},
    exit::Outcome,
    output::CommandOutput,
};

/// Output, clock and configuration of one run. Commands take it; it knows no command.
pub(crate) struct App {
    pub(crate) out: CommandOutput,
    pub(crate) clock: SharedClock,
    pub(crate) config: CtlConfig,
    /// The path of the configuration file, for messages that tell the user what to set.
    pub(crate) config_name: String,
    /// The name of the log-in to use, where this account has several.
    pub(crate) log_in_name: Option<String>,
}

impl App {
    pub(crate) fn new(
        config_file: Option<&Path>,
        log_in_name: Option<String>,
        out: CommandOutput,
    ) -> Outcome<Self> {
        let LoadedConfig { mut config, file } = config::load(config_file)?;
        if let Some(identity) = &mut config.identity {
            identity.log_in_name.clone_from(&log_in_name);
        }
        let config_name = file.map_or_else(|| "rovumactl.toml".to_owned(), |path| path.display().to_string());
        Ok(Self { out, clock: SystemClock::shared(), config, config_name, log_in_name })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
