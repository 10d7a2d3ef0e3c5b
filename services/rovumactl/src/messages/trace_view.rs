//! The trace of a message, hop by hop.

use std::fmt;

use rovuma_schemas::{MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    app::App,
    client::Client,
    exit::{Exit, Failure, Outcome},
    moments::readable,
    output::safe,
};

/// A trace as the gateway returns it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MessageTrace {
    id: MessageId,
    direction: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaces: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replaced_by: Option<MessageId>,
    hops: Vec<TraceHop>,
    #[serde(default)]
    copies: Vec<TracedCopy>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct TraceHop {
    hop: String,
    at: Timestamp,
    clock: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audit: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct TracedCopy {
    recipient: String,
    state: String,
    since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// How far a copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyProgress {
    /// No receipt has come back.
    UnderWay,
    /// The recipient's gateway has stored it.
    Delivered,
    /// An officer there has opened it.
    Read,
    /// It will not be delivered.
    Failed,
}

/// Fetches a message's trace from the gateway.
pub(super) async fn read(client: &Client, id: &MessageId) -> Outcome<MessageTrace> {
    let answer = client.get(&format!("/v1/messages/{id}/trace"), &[]).await?;
    serde_json::from_value(answer)
        .map_err(|error| Failure::unreachable(format!("the gateway's trace cannot be read: {error}")))
}

impl MessageTrace {
    /// How far each copy has come. A received message has no copies, so it is complete.
    pub(super) fn progress(&self) -> impl Iterator<Item = CopyProgress> {
        self.copies.iter().map(|copy| match copy.state.as_str() {
            "delivered" => CopyProgress::Delivered,
            "read" => CopyProgress::Read,
            "rejected" | "void" => CopyProgress::Failed,
            _ => CopyProgress::UnderWay,
        })
    }

    /// Shows the trace. The exit status is negative when a copy will not be delivered.
    pub(super) fn show(&self, app: &App) -> Outcome {
        app.out.show(self)?;
        let failed = self.progress().any(|progress| progress == CopyProgress::Failed);
        Ok(if failed { Exit::Negative } else { Exit::Ok })
    }
}

impl fmt::Display for MessageTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "message {} ({})", self.id, safe(&self.direction))?;
        for (word, other) in [("replaces", self.replaces), ("replaced by", self.replaced_by)] {
            if let Some(other) = other {
                writeln!(f, "{word} {other}: the same content, signed anew because a key was compromised")?;
            }
        }
        let start = self.hops.first().map(|hop| hop.at);
        self.hops.iter().try_for_each(|hop| hop.write(f, start))?;
        for copy in &self.copies {
            let code = copy.code.as_ref().map_or(String::new(), |code| format!(": {code}"));
            let line = format!("{} {} since {}{code}", copy.recipient, copy.state, copy.since);
            writeln!(f, "{}", safe(&line))?;
        }
        Ok(())
    }
}

impl TraceHop {
    fn write(&self, f: &mut fmt::Formatter<'_>, start: Option<Timestamp>) -> fmt::Result {
        let after = start.map_or(String::new(), |start| format!("+{}", readable(self.at.since(start))));
        // Pad to microseconds, so that the columns stay aligned: trailing zeros are not written.
        write!(f, "  {:<27}  {after:>12}  {}", self.at.to_string(), safe(&self.hop))?;
        for (word, said) in [("", &self.agency), ("by ", &self.by), ("code ", &self.code)] {
            if let Some(said) = said {
                write!(f, " {word}{}", safe(said))?;
            }
        }
        if self.clock == "partner" {
            write!(f, " (by their clock)")?;
        }
        writeln!(f)
    }
}
