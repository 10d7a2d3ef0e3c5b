//! The folder of a foreign script: the facts that it reads, and the files that it writes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rovuma_tests::{Lab, programs};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

/// Debian's own Python, for which Debian's modules are installed, whatever else is called `python3`.
const DEBIAN_PYTHON: &str = "/usr/bin/python3";

/// Time limit for a script, which sends a few requests to services on this machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time limit for a script that sends thousands of requests; less than the life of a token, which is ten minutes.
const LONG_PATIENCE: Duration = Duration::from_secs(8 * 60);

/// A folder for one script after another. Secrets are in files in it or named by it, never in arguments.
pub(crate) struct ScriptFolder {
    folder: TempDir,
}

impl ScriptFolder {
    /// An empty folder.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// Writes a file for a script to read.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let file = self.folder.path().join(name);
        fs::write(&file, content).with_context(|| format!("writing {}", file.display()))?;
        Ok(file)
    }

    /// The path of a script's output file with this name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The content of a script's output file.
    pub(crate) fn answer(&self, name: &str) -> Result<Vec<u8>> {
        fs::read(self.file(name)).with_context(|| format!("the script left no {name}"))
    }

    /// The same as text.
    pub(crate) fn answered_text(&self, name: &str) -> Result<String> {
        Ok(String::from_utf8(self.answer(name)?)?)
    }

    /// Runs one of the scripts beside this file with these facts, with Debian's Python and modules.
    ///
    /// # Errors
    /// When the script fails; the error has the sentence that it printed.
    pub(crate) async fn run(&self, script: &str, facts: &Value) -> Result<()> {
        self.run_with(Path::new(DEBIAN_PYTHON), script, facts, PATIENCE).await
    }

    /// The same in the virtual environment of `requirements.txt`, which `tests/run interop` makes.
    ///
    /// # Errors
    /// When the environment is missing, or the script fails.
    pub(crate) async fn run_with_requirements(&self, script: &str, facts: &Value) -> Result<()> {
        self.run_in_environment(script, facts, PATIENCE).await
    }

    /// The same for a script that takes minutes.
    ///
    /// # Errors
    /// When the environment is missing, or the script fails.
    pub(crate) async fn run_long_with_requirements(&self, script: &str, facts: &Value) -> Result<()> {
        self.run_in_environment(script, facts, LONG_PATIENCE).await
    }

    async fn run_in_environment(&self, script: &str, facts: &Value, patience: Duration) -> Result<()> {
        let target = programs()?.parent().context("target")?.to_owned();
        let python = target.join("interop/bin/python");
        if !python.exists() {
            bail!("{} is not there: `tests/run interop` makes it", python.display());
        }
        self.run_with(&python, script, facts, patience).await
    }

    /// The same in the virtual environment of `requirements-3.12.txt`, which `tests/run interop` makes where there is
    /// a recent enough Python. Returns false where there is none.
    ///
    /// # Errors
    /// When the script fails.
    pub(crate) async fn run_with_python_312(&self, script: &str, facts: &Value) -> Result<bool> {
        let python = programs()?.parent().context("target")?.join("interop-3.12/bin/python");
        if !python.exists() {
            return Ok(false);
        }
        self.run_with(&python, script, facts, PATIENCE).await?;
        Ok(true)
    }

    async fn run_with(&self, python: &Path, script: &str, facts: &Value, patience: Duration) -> Result<()> {
        let facts = self.put("facts.json", serde_json::to_vec_pretty(facts)?)?;
        let mut command = Command::new(python);
        // Nothing of the caller's own Python: no variables, no modules, no compiled files left in the folder.
        command
            .arg("-EsB")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(script))
            .arg(facts);
        // A proxy named in the caller's environment does not reach services on loopback, so it must not be used.
        command.env("no_proxy", "127.0.0.1").stdin(Stdio::null()).kill_on_drop(true);
        let output = timeout(patience, command.output())
            .await
            .with_context(|| format!("{script} took longer than {} s", patience.as_secs()))?
            .with_context(|| format!("starting {}: `tests/run interop` installs it", python.display()))?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}

/// A country's list and authority key, in its partner's copy.
pub(crate) fn trust_list(lab: &Lab, country: &str) -> Result<Value> {
    let holder = lab.country(if country == "mz" { "tz" } else { "mz" }).layout();
    let country = country.parse()?;
    Ok(json!({ "list": holder.trust_list(country), "authority": holder.authority(country) }))
}

/// Both countries' lists.
pub(crate) fn trust_lists(lab: &Lab) -> Result<Value> {
    Ok(json!({ "mz": trust_list(lab, "mz")?, "tz": trust_list(lab, "tz")? }))
}

/// A file of the crate `schemas`.
pub(crate) fn schema_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("schemas").join(name)
}
