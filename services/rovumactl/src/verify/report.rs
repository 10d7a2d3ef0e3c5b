//! What holds and what does not.

use std::{fmt, path::PathBuf};

use rovuma_schemas::Timestamp;
use serde::Serialize;

use crate::output::safe;

/// The end of the judgement, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Everything holds.
    Verified,
    /// Nothing speaks against it, but a newer trust list is needed to know.
    Held,
    /// Truly its sender's, and not acceptable.
    Rejected,
    /// Cannot be believed.
    Refused,
}

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Holds,
    Fails,
    /// Cannot be known with what is at hand.
    Open,
    /// Not looked at, because an earlier check ended the judgement.
    Unchecked,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    pub(super) check: &'static str,
    pub(super) standing: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

/// One message.
#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// What the message says of itself. Believe it only when the verdict is `verified` or `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) says: Option<Says>,
    /// The key that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// SHA-256 of the compact JWS: what receipts name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    pub(crate) checks: Vec<Check>,
}

/// The header in short.
#[derive(Debug, Serialize)]
pub(crate) struct Says {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) version: String,
    pub(super) status: String,
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    file: PathBuf,
    judged_as_of: Timestamp,
    messages: Vec<Judged>,
}

impl Report {
    pub(super) fn new(file: PathBuf, judged_as_of: Timestamp, messages: Vec<Judged>) -> Self {
        Self { file, judged_as_of, messages }
    }

    pub(super) fn worst(&self) -> Verdict {
        self.messages.iter().map(|message| message.verdict).max().unwrap_or(Verdict::Refused)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, judged as of {}", self.file.display(), self.judged_as_of)?;
        self.messages.iter().try_for_each(|message| write!(f, "\n\n{message}"))
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Verified => "VERIFIED",
            Verdict::Held => "HELD: a newer trust list is needed",
            Verdict::Rejected => "truly its sender's, but NOT ACCEPTABLE",
            Verdict::Refused => "NOT VERIFIED: do not believe what it says",
        };
        writeln!(f, "{verdict}")?;
        if let Some(says) = &self.says {
            writeln!(f, "  {} {} ({}), {}", safe(&says.kind), says.id, says.version, says.status)?;
            writeln!(f, "  from {} to {}", says.sender, says.recipients.join(", "))?;
            let expires = says.expires.map_or(String::new(), |at| format!(", expires {at}"));
            writeln!(f, "  created {}{expires}", says.created)?;
        }
        if let Some(key) = &self.key {
            writeln!(f, "  key {key}")?;
        }
        self.checks.iter().try_for_each(|check| writeln!(f, "{check}"))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.standing {
            Standing::Holds => "holds    ",
            Standing::Fails => "FAILS    ",
            Standing::Open => "open     ",
            Standing::Unchecked => "unchecked",
        };
        write!(f, "  {mark}  {}", self.check)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {}", safe(detail)))
    }
}
