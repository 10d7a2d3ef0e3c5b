//! Runs `rovumactl` as an operator would.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The program and, when there is one, its configuration.
#[derive(Clone, Debug)]
pub struct Ctl {
    program: PathBuf,
    config: Option<PathBuf>,
    home: Option<PathBuf>,
}

impl Ctl {
    /// `rovumactl` in a folder of programs, without a configuration.
    pub fn new(programs: &Path) -> Self {
        Self { program: programs.join("rovumactl"), config: None, home: None }
    }

    /// The same program with this configuration file.
    #[must_use]
    pub fn with_config(mut self, file: &Path) -> Self {
        self.config = Some(file.to_owned());
        self
    }

    /// The same program with its cached tokens in this folder, apart from those of other people.
    #[must_use]
    pub fn with_home(mut self, folder: &Path) -> Self {
        self.home = Some(folder.to_owned());
        self
    }

    /// Runs a command and returns its JSON result.
    ///
    /// # Errors
    /// When it cannot be started or its exit status is not 0; the error has its standard error.
    pub fn run<I, S>(&self, arguments: I) -> Result<Value>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let stdout = self.finished(self.command(arguments))?;
        if stdout.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&stdout).context("rovumactl did not answer in JSON")
    }

    /// Runs a command and returns what a person reads.
    ///
    /// # Errors
    /// As [`Ctl::run`].
    pub fn read<I, S>(&self, arguments: I) -> Result<String>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = self.quiet();
        command.args(arguments);
        String::from_utf8(self.finished(command)?).context("rovumactl did not answer in UTF-8")
    }

    fn finished(&self, mut command: Command) -> Result<Vec<u8>> {
        let output = command.output().with_context(|| format!("starting {}", self.program.display()))?;
        if !output.status.success() {
            bail!("{:?} ended with {}: {}", command, output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    }

    /// The command itself, for callers that need its exit status or raw output.
    pub fn command<I, S>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = self.quiet();
        command.arg("--json").args(arguments);
        command
    }

    /// The program with its configuration, to which nobody types anything.
    fn quiet(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.stdin(Stdio::null());
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        } else {
            command.env_remove("ROVUMACTL_CONFIG");
        }
        if let Some(home) = &self.home {
            for name in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
                command.env(name, home);
            }
        }
        command
    }
}
