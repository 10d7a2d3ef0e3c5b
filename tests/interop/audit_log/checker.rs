//! The program in Go beside this file, which checks a log.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{process::Command, time::timeout};

/// Debian's own Go, whatever else is called `go`.
const DEBIAN_GO: &str = "/usr/bin/go";

/// The folder in which Debian's packages put the sources of Go's libraries.
const DEBIAN_SOURCES: &str = "/usr/share/gocode";

/// The folder of the program's sources, in which it is built.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/audit_log");
const BUILT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/audit_log");

/// Time limit: the first time, Go compiles its own library too, on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(300);

/// The built program.
pub(crate) struct GoChecker(PathBuf);

impl GoChecker {
    /// Builds the program from Debian's packages alone: nothing is fetched, and nothing of the caller's own Go is
    /// used.
    pub(crate) async fn build() -> Result<Self> {
        let program = Path::new(BUILT).join("check");
        let mut go = Command::new(DEBIAN_GO);
        go.args(["build", "-buildvcs=false", "-o"]).arg(&program).arg(".").current_dir(SOURCES);
        go.env_clear().env("TMPDIR", env::temp_dir()).env("GOCACHE", Path::new(BUILT).join("cache"));
        go.envs([("GOENV", "off"), ("GO111MODULE", "off"), ("GOPATH", DEBIAN_SOURCES)]);
        go.envs([("GOPROXY", "off"), ("GOFLAGS", ""), ("CGO_ENABLED", "0")]);
        let output =
            outcome(go).await.with_context(|| format!("{DEBIAN_GO}: `tests/run interop` installs it"))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(Self(program))
    }

    /// The program's output for a log that holds, or its error for one that does not.
    ///
    /// # Errors
    /// When the program gives neither.
    pub(crate) async fn check(&self, policy: &Path, log: &Path) -> Result<Result<String, String>> {
        let mut check = Command::new(&self.0);
        check.arg(policy).arg(log);
        let Output { status, stdout, stderr } = outcome(check).await?;
        let (stdout, stderr) = (String::from_utf8(stdout)?, String::from_utf8(stderr)?);
        match status.code() {
            Some(0) => Ok(Ok(stdout.trim().to_owned())),
            Some(1) => Ok(Err(stderr.trim().to_owned())),
            _ => bail!("the checker ended with {status}: {stderr}"),
        }
    }
}

async fn outcome(mut command: Command) -> Result<Output> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await;
    Ok(output.with_context(|| format!("it took longer than {} s", PATIENCE.as_secs()))??)
}
