//! The copies of a sent message, one per recipient.

use rovuma_api::answers::gateway::CopyView;
use rovuma_outbox::{CopyState, CopyTrace};
use rovuma_schemas::Timestamp;

/// A copy as the API shows it.
pub(super) fn view(copy: CopyTrace) -> CopyView {
    let (state, since) = standing(&copy);
    CopyView {
        state: state.to_owned(),
        since: since.unwrap_or(copy.enqueued_at),
        recipient: copy.recipient,
        lane: copy.lane,
        code: copy.code,
        attempts: copy.attempts,
        stream: copy.position.map(|position| position.stream),
        number: copy.position.map(|position| position.number),
    }
}

/// The copy's state in the officer's words, and since when.
fn standing(copy: &CopyTrace) -> (&'static str, Option<Timestamp>) {
    match copy.state {
        CopyState::Waiting => ("waiting", Some(copy.enqueued_at)),
        CopyState::Queued => ("queued", copy.queued_at),
        CopyState::Delivered if copy.read_at.is_some() => ("read", copy.read_at),
        CopyState::Delivered => ("delivered", copy.delivered_at),
        CopyState::Rejected => ("rejected", copy.rejected_at),
        CopyState::Void => ("void", copy.voided_at),
    }
}
