//! The trace of a message, hop by hop.

use std::fmt;

use rovuma_api::answers::gateway::{CopyView, Hop, Trace};
use rovuma_schemas::{MessageId, Timestamp};

use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Outcome},
    moments::readable,
    output::safe,
};

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
pub(super) async fn read(client: &Client, id: &MessageId) -> Outcome<ServerAnswer<Trace>> {
    client.get(&format!("/v1/messages/{id}/trace"), &[]).await
}

/// How far each copy has come. A received message has no copies, so it is complete.
pub(super) fn progress(trace: &Trace) -> impl Iterator<Item = CopyProgress> {
    trace.copies.iter().map(|copy| match copy.state.as_str() {
        "delivered" => CopyProgress::Delivered,
        "read" => CopyProgress::Read,
        "rejected" | "void" => CopyProgress::Failed,
        _ => CopyProgress::UnderWay,
    })
}

/// Shows the trace. The exit status is negative when a copy will not be delivered.
pub(super) fn show(app: &App, trace: &ServerAnswer<Trace>) -> Outcome {
    app.out.answer(trace, trace_text)?;
    let failed = progress(&trace.value).any(|progress| progress == CopyProgress::Failed);
    Ok(if failed { Exit::Negative } else { Exit::Ok })
}

fn trace_text(f: &mut fmt::Formatter<'_>, trace: &Trace) -> fmt::Result {
    writeln!(f, "message {} ({})", trace.id, safe(&trace.direction))?;
    for (word, other) in [("replaces", trace.replaces), ("replaced by", trace.replaced_by)] {
        if let Some(other) = other {
            writeln!(f, "{word} {other}: the same content, signed anew because a key was compromised")?;
        }
    }
    let start = trace.hops.first().map(|hop| hop.at);
    trace.hops.iter().try_for_each(|hop| hop_text(f, hop, start))?;
    for CopyView { recipient, state, since, code, .. } in &trace.copies {
        let code = code.as_ref().map_or(String::new(), |code| format!(": {code}"));
        writeln!(f, "{}", safe(&format!("{recipient} {state} since {since}{code}")))?;
    }
    Ok(())
}

fn hop_text(f: &mut fmt::Formatter<'_>, hop: &Hop, start: Option<Timestamp>) -> fmt::Result {
    let after = start.map_or(String::new(), |start| format!("+{}", readable(hop.at.since(start))));
    // Pad to microseconds, so that the columns stay aligned: trailing zeros are not written.
    write!(f, "  {:<27}  {after:>12}  {}", hop.at.to_string(), safe(&hop.hop))?;
    let agency = hop.agency.as_ref().map(ToString::to_string);
    for (word, said) in [("", &agency), ("by ", &hop.by), ("code ", &hop.code)] {
        if let Some(said) = said {
            write!(f, " {word}{}", safe(said))?;
        }
    }
    if hop.clock == "partner" {
        write!(f, " (by their clock)")?;
    }
    writeln!(f)
}
