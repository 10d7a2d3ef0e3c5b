//! The trace of a message, hop by hop.

use std::fmt;

use rovuma_api::answers::gateway::{CopyView, Hop, Trace};
use rovuma_schemas::Timestamp;

use super::{MessageArgs, delay};
use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Outcome},
    moments::{local, readable},
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
pub(super) async fn read(client: &Client, message: &MessageArgs) -> Outcome<ServerAnswer<Trace>> {
    client.get(&message.path("/trace"), &message.query()).await
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

/// Shows the trace, and why its copies wait. The exit status is negative when a copy will not be delivered.
pub(super) async fn show(app: &App, client: &Client, trace: &ServerAnswer<Trace>) -> Outcome {
    let reasons =
        if app.out.is_json() { Vec::new() } else { delay::reasons(app, client, &trace.value).await };
    app.out.answer(trace, |f, trace| {
        write!(f, "{}", heading(trace))?;
        let start = start(trace);
        trace.hops.iter().try_for_each(|hop| hop_text(f, hop, start))?;
        copies_text(f, trace)?;
        reasons.iter().try_for_each(|(_, reason)| writeln!(f, "{reason}"))
    })?;
    Ok(outcome(&trace.value))
}

/// The exit status: negative when a copy will not be delivered.
pub(super) fn outcome(trace: &Trace) -> Exit {
    let failed = progress(trace).any(|progress| progress == CopyProgress::Failed);
    if failed { Exit::Negative } else { Exit::Ok }
}

/// The first lines of a trace: which message, and how far it is as a whole.
pub(super) fn heading(trace: &Trace) -> String {
    let has_left = trace.copies.iter().any(|copy| copy.state != "waiting");
    let standing = match trace.direction.as_str() {
        "sent" if !has_left && !trace.copies.is_empty() => "released; nothing has left yet",
        direction => direction,
    };
    let mut text = format!("message {} ({})\n", trace.id, safe(standing));
    for (word, other) in [("replaces", trace.replaces), ("replaced by", trace.replaced_by)] {
        if let Some(other) = other {
            text += &format!("{word} {other}: the same content, signed anew because a key was compromised\n");
        }
    }
    text
}

/// The instant from which the trace counts.
pub(super) fn start(trace: &Trace) -> Option<Timestamp> {
    trace.hops.first().map(|hop| hop.at)
}

/// The state of each copy, a line each.
pub(super) fn copies_text(f: &mut fmt::Formatter<'_>, trace: &Trace) -> fmt::Result {
    for CopyView { recipient, state, since, code, .. } in &trace.copies {
        let code = code.as_ref().map_or(String::new(), |code| format!(": {code}"));
        writeln!(f, "{}", safe(&format!("{recipient} {state} since {}{code}", local(*since))))?;
    }
    Ok(())
}

/// One step of the way.
pub(super) fn hop_text(f: &mut fmt::Formatter<'_>, hop: &Hop, start: Option<Timestamp>) -> fmt::Result {
    let after = start.map_or(String::new(), |start| format!("+{}", readable(hop.at.since(start))));
    write!(f, "  {}  {after:>12}  {}", local(hop.at), safe(&hop.hop))?;
    let agency = hop.agency.as_ref().map(ToString::to_string);
    for (word, said) in [("", &agency), ("at ", &hop.post), ("by ", &hop.by), ("code ", &hop.code)] {
        if let Some(said) = said {
            write!(f, " {word}{}", safe(said))?;
        }
    }
    if hop.clock == "partner" {
        write!(f, " (by their clock)")?;
    }
    writeln!(f)
}
