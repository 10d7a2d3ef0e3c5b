//! Runs the program in a folder of its own.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// A folder in which the program runs, without the user's own environment and files.
pub(crate) struct TestFolder {
    dir: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct CommandResult {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl TestFolder {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).expect("written");
        self.path(name)
    }

    pub(crate) fn write_private(&self, name: &str, content: &str) -> PathBuf {
        let path = self.write(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode set");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("readable")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rovumactl"));
        command.current_dir(self.dir.path()).stdin(Stdio::null()).env_clear();
        command.env("HOME", self.dir.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // Two hours ahead of UTC, without the machine's own zone files.
        command.env("TZ", "CAT-2");
        command
    }

    /// Runs a command line with a text on standard input and further variables.
    pub(crate) fn run_with(&self, line: &str, stdin: &str, variables: &[(&str, &str)]) -> CommandResult {
        let mut command = self.command();
        command.args(line.split_whitespace()).envs(variables.iter().copied()).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
        // A command that ends without reading is no fault of the test.
        let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
        CommandResult::of(child.wait_with_output().expect("runs"))
    }

    /// Runs a command line; parts are separated by blanks.
    pub(crate) fn run(&self, line: &str) -> CommandResult {
        self.run_args(line.split_whitespace())
    }

    pub(crate) fn run_args<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> CommandResult {
        CommandResult::of(self.command().args(args).output().expect("runs"))
    }

    /// Runs a command line that must succeed.
    pub(crate) fn ok(&self, line: &str) -> CommandResult {
        let ended = self.run(line);
        assert_eq!(ended.code, 0, "{line}: {ended:?}");
        ended
    }

    /// Runs a command line that must succeed, and returns its JSON result.
    pub(crate) fn json(&self, line: &str) -> Value {
        self.ok(&format!("--json {line}")).json()
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).expect("there").permissions().mode() & 0o777
    }
}

impl CommandResult {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("not killed"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The failure on standard error, with `--json`.
    pub(crate) fn error(&self) -> Value {
        let line = self.stderr.lines().last().expect("an error");
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        value["error"].clone()
    }

    #[track_caller]
    pub(crate) fn is(&self, code: i32, said: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.contains(said) || self.stdout.contains(said), "{said:?} is not in {self:?}");
    }
}

/// A country with an authority and one agency's keys, and its signed list in `mz.json`.
pub(crate) fn with_trust_list(desk: &TestFolder) {
    desk.ok("keys generate authority --out authority.pem");
    desk.ok("keys generate signing --out prm.pem");
    desk.ok("keys generate sealing --out prm.key");
    desk.ok("trust new --country mz --authority authority.jwk --draft mz.draft");
    desk.ok("trust add-agency mz.prm --draft mz.draft --name pt=PRM --from 2026-01-01");
    desk.ok("trust add-key mz.prm --draft mz.draft --signing prm.jwk --from 2026-01-01");
    desk.ok("trust add-key mz.prm --draft mz.draft --sealing prm.pub --from 2026-01-01");
    desk.ok("trust sign --draft mz.draft --authority-key authority.pem --out mz.json");
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
