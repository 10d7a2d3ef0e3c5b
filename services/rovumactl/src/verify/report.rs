//! The result of verifying the messages of a file.

use std::{fmt, path::PathBuf};

use rovuma_schemas::Timestamp;
use serde::Serialize;

use crate::output::safe;

/// The verdict on a message, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessageVerdict {
    /// Every check holds.
    Verified,
    /// The trust list of its sender's country was not given, so nothing was checked.
    Unchecked,
    /// A newer trust list is needed, and nothing else is wrong.
    Held,
    /// Its sender signed it, but it is not acceptable.
    Rejected,
    /// It is not verified: nothing in it can be believed.
    Refused,
}

/// The result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckStatus {
    Holds,
    Fails,
    /// Cannot be checked with the given files.
    Open,
    /// Not made, because an earlier check decided.
    Unchecked,
}

/// One check and its result.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CheckResult {
    pub(super) check: &'static str,
    pub(super) standing: CheckStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

/// The result for one message.
#[derive(Debug, Serialize)]
pub(crate) struct MessageReport {
    pub(crate) verdict: MessageVerdict,
    /// The header as the message states it. Believe it only when the verdict is `verified` or `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) says: Option<HeaderSummary>,
    /// The key that the message names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
    /// SHA-256 of the compact JWS. Receipts name a message by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    pub(crate) checks: Vec<CheckResult>,
}

/// A summary of the header.
#[derive(Debug, Serialize)]
pub(crate) struct HeaderSummary {
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

/// The result for a file.
#[derive(Debug, Serialize)]
pub(super) struct FileReport {
    file: PathBuf,
    judged_as_of: Timestamp,
    messages: Vec<MessageReport>,
}

impl FileReport {
    pub(super) fn new(file: PathBuf, judged_as_of: Timestamp, messages: Vec<MessageReport>) -> Self {
        Self { file, judged_as_of, messages }
    }

    pub(super) fn worst(&self) -> MessageVerdict {
        self.messages.iter().map(|message| message.verdict).max().unwrap_or(MessageVerdict::Refused)
    }
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, judged as of {}", self.file.display(), self.judged_as_of)?;
        self.messages.iter().try_for_each(|message| write!(f, "\n\n{message}"))
    }
}

impl fmt::Display for MessageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            MessageVerdict::Verified => "VERIFIED",
            MessageVerdict::Unchecked => "NOT CHECKED: the trust list of its sender's country was not given",
            MessageVerdict::Held => "HELD: a newer trust list is needed",
            MessageVerdict::Rejected => "signed by its sender, but NOT ACCEPTABLE",
            MessageVerdict::Refused => "NOT VERIFIED: do not believe what it says",
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

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.standing {
            CheckStatus::Holds => "holds    ",
            CheckStatus::Fails => "FAILS    ",
            CheckStatus::Open => "open     ",
            CheckStatus::Unchecked => "unchecked",
        };
        write!(f, "  {mark}  {}", self.check)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {}", safe(detail)))
    }
}
