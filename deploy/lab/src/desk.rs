//! People at their desks: `rovumactl`, logged in as one of them.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{country::Country, ctl::Ctl, person};

/// A person's desk. Log-ins of one country are kept in one folder, apart by name.
#[derive(Clone, Debug)]
pub struct Desk {
    ctl: Ctl,
    login: String,
}

impl Desk {
    /// Logs a person of the country in, as they would in a browser: `officer.prm`.
    ///
    /// # Errors
    /// When `rovumactl` or the identity provider refuses.
    pub async fn log_in(country: &Country, login: &str) -> Result<Self> {
        let ctl = country.ctl().with_home(&country.layout().data("desks"));
        let desk = Self { ctl, login: login.to_owned() };
        let command = desk.ctl.command(desk.arguments(&["login", "--no-browser"]));
        log_in(country, command, login).await?;
        Ok(desk)
    }

    /// Runs a command and returns its JSON result.
    ///
    /// # Errors
    /// When it fails; the error has its standard error.
    pub fn run(&self, words: &[&str]) -> Result<Value> {
        self.ctl.run(self.arguments(words))
    }

    /// Runs a command and returns what a person reads.
    ///
    /// # Errors
    /// When it fails; the error has its standard error.
    pub fn read(&self, words: &[&str]) -> Result<String> {
        self.ctl.read(self.arguments(words))
    }

    /// Runs a command that is to be refused, and returns its failure.
    ///
    /// # Errors
    /// When it is not refused.
    pub fn refused(&self, words: &[&str]) -> Result<Value> {
        let output = self.ctl.command(self.arguments(words)).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(3),
            "{words:?} was not refused, but ended with {}: {said}",
            output.status
        );
        let line = said.lines().last().context("a failure")?;
        Ok(serde_json::from_str::<Value>(line).with_context(|| format!("{said}"))?["error"].clone())
    }

    fn arguments<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        ["--as", self.login.as_str()].iter().chain(words).copied().collect()
    }
}

/// Logs a person of the country in with `command`, a `rovumactl login --no-browser`, and returns what it answers.
///
/// # Errors
/// When `rovumactl` or the identity provider refuses.
pub async fn log_in(country: &Country, command: Command, login: &str) -> Result<Value> {
    let waiting = WaitingLogin::start(command)?;
    let password = country.layout().secret(login);
    person::log_in_for_a_program(&waiting.address, login, &password).await?;
    waiting.answer().with_context(|| format!("logging in {login}"))
}

/// A log-in that waits for the browser. Dropped, it is ended.
struct WaitingLogin {
    child: Child,
    stderr: BufReader<ChildStderr>,
    address: String,
}

impl WaitingLogin {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stderr = BufReader::new(child.stderr.take().context("piped")?);
        let mut waiting = Self { child, stderr, address: String::new() };
        while !waiting.address.starts_with("http") {
            let mut line = String::new();
            ensure!(waiting.stderr.read_line(&mut line)? > 0, "rovumactl printed no address");
            waiting.address = line.trim().to_owned();
        }
        Ok(waiting)
    }

    /// What it answers once the browser has come back.
    fn answer(mut self) -> Result<Value> {
        let (mut said, mut told) = (String::new(), String::new());
        self.child.stdout.take().context("piped")?.read_to_string(&mut said)?;
        self.stderr.read_to_string(&mut told)?;
        match self.child.wait()? {
            status if status.success() => Ok(serde_json::from_str(&said)?),
            status => bail!("rovumactl login ended with {status}: {told}"),
        }
    }
}

impl Drop for WaitingLogin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
