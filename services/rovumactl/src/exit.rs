//! How a command ends: its exit status; and for a failure what happened, to what, and what to do next.

use std::{fmt, process::ExitCode};

use rovuma_runtime::{Problem, ProblemFault};
use serde::Serialize;

use crate::output::safe;

/// The exit statuses, as documented in `--help` and the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exit {
    /// Done, with a good result.
    Ok = 0,
    /// Done, with a bad result: a difference, a rejection, no receipt in time.
    Negative = 1,
    /// Wrong options, or a given file that cannot be read or is malformed.
    Usage = 2,
    /// The server understood and refused.
    Refused = 3,
    /// No server, no connection, no answer in time, or an answer that says "later".
    Unreachable = 4,
    /// A signature, a trust list or a digest does not hold.
    Verification = 5,
    /// No valid access token: log in.
    NotLoggedIn = 6,
    /// Something on this machine failed: disk, permissions, random numbers.
    Local = 7,
    /// Screening found a hit, and was asked to say so by its status.
    Found = 8,
}

/// The text about exit statuses in `--help`.
pub(crate) const EXIT_HELP: &str = "\
Exit status:
  0  done
  1  done, with a negative answer (a difference, a rejection, no receipt in time, something unchecked)
  2  wrong options or an unusable file
  3  refused by the server
  4  server not reachable
  5  verification failed
  6  not logged in: rovumactl login
  7  this machine failed (disk, permissions)
  8  a hit was found: of rovumactl screen with --fail-on-hit alone";

/// The command that logs in, as hints name it.
pub(crate) const LOG_IN: &str = "rovumactl login";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do its work.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    /// The exit status.
    pub(crate) exit: Exit,
    /// What happened, and to what.
    pub(crate) what: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The server's own description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Box<Problem>>,
}

/// The result of a command: its exit status, or why it failed.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: None, problem: None }
    }

    /// A given file or value is not usable.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// Something on this machine failed.
    pub(crate) fn local(what: impl Into<String>) -> Self {
        Self::new(Exit::Local, what)
    }

    /// Something does not verify.
    pub(crate) fn verification(what: impl Into<String>) -> Self {
        Self::new(Exit::Verification, what)
    }

    /// The server cannot be reached.
    pub(crate) fn unreachable(what: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, what)
    }

    /// Adds what to do next.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The same failure, in which a hint to log in gives the log-in the name that this command was given: another log-in would
    /// not help it.
    pub(crate) fn with_log_in_name(mut self, name: Option<&str>) -> Self {
        if let (Some(next), Some(name)) = (&mut self.next, name) {
            *next = next.replace(LOG_IN, &format!("rovumactl --as {} login", shell_word(name)));
        }
        self
    }

    /// Whether the server refused with this code.
    pub(crate) fn is_refusal(&self, code: &str) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.code == code)
    }

    /// Adds the server's problem document.
    pub(crate) fn problem(mut self, problem: Problem) -> Self {
        self.problem = Some(Box::new(problem));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        for fault in self.problem.iter().flat_map(|problem| &problem.faults) {
            write!(f, "\n  {}", fault_line(fault))?;
        }
        let more =
            self.problem.iter().filter_map(|problem| more_faults(problem.faults.len(), problem.faults_total));
        more.into_iter().try_for_each(|line| write!(f, "\n  {line}"))?;
        match &self.next {
            Some(next) => write!(f, "\n  next: {next}"),
            None => Ok(()),
        }
    }
}

/// A line that says how many faults there are beyond those listed.
pub(crate) fn more_faults(listed: usize, total: Option<u64>) -> Option<String> {
    let more = total?.saturating_sub(listed as u64);
    (more > 0).then(|| format!("and {more} more faults"))
}

/// A fault of a draft or another body, in one line.
pub(crate) fn fault_line(fault: &ProblemFault) -> String {
    let pointer = if fault.pointer.is_empty() { "/" } else { &fault.pointer };
    safe(&format!("{pointer}: {} ({})", fault.message, fault.code))
}

/// A word as a shell reads it back.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Appends the causes of an error to a sentence: `what: cause: its cause`.
pub(crate) fn chain(what: impl fmt::Display, error: &dyn std::error::Error) -> String {
    format!("{what}: {}", rovuma_runtime::with_causes(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_statuses_agree() {
        for (exit, word) in [
            (Exit::Ok, "done"),
            (Exit::Negative, "negative"),
            (Exit::Usage, "options"),
            (Exit::Refused, "refused"),
            (Exit::Unreachable, "reachable"),
            (Exit::Verification, "verification"),
            (Exit::NotLoggedIn, "logged in"),
            (Exit::Local, "machine"),
            (Exit::Found, "hit"),
        ] {
            let start = format!("  {}  ", exit as u8);
            let line = EXIT_HELP.lines().find(|line| line.starts_with(&start)).expect("a line each");
            assert!(line.contains(word), "{line}");
        }
    }

    #[test]
    fn a_hint_to_log_in_names_the_log_in() {
        let hint = |name: Option<&str>| {
            let failure = Failure::new(Exit::NotLoggedIn, "not logged in").next(format!("log in: {LOG_IN}"));
            failure.with_log_in_name(name).next.expect("a hint")
        };
        assert_eq!(hint(None), "log in: rovumactl login");
        assert_eq!(hint(Some("ana")), "log in: rovumactl --as ana login");
        assert_eq!(hint(Some("d'Ana R")), "log in: rovumactl --as 'd'\\''Ana R' login");
    }

    #[test]
    fn a_failure_says_every_fault_and_what_to_do() {
        let fault = rovuma_runtime::ProblemFault {
            pointer: "/body".into(),
            code: "missing".into(),
            message: "The body is missing.".into(),
        };
        let problem = Problem::unprocessable("draft_faulty", [fault]);
        let text =
            Failure::new(Exit::Refused, "the draft has faults").problem(problem).next("mend it").to_string();
        assert!(text.contains("/body: The body is missing. (missing)") && text.contains("next: mend it"));
    }
}
