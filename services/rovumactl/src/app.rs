//! What every command is handed.

use rovuma_runtime::{SharedClock, SystemClock};
use rovuma_schemas::Timestamp;

use crate::{
    cli::Global,
    config::{self, CtlConfig, Loaded},
    exit::Outcome,
    output::Output,
};

/// The surroundings of one run.
pub(crate) struct App {
    pub(crate) out: Output,
    pub(crate) clock: SharedClock,
    pub(crate) config: CtlConfig,
    /// Where the configuration came from, for sentences.
    pub(crate) config_name: String,
}

impl App {
    pub(crate) fn new(global: &Global, out: Output) -> Outcome<Self> {
        let Loaded { config, file } = config::load(global.config.as_deref())?;
        let config_name = file.map_or_else(|| "rovumactl.toml".to_owned(), |path| path.display().to_string());
        Ok(Self { out, clock: SystemClock::shared(), config, config_name })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
