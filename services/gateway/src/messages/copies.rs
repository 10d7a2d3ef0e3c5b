//! The copies of a sent message, one per recipient, as the API shows them.

use rovuma_outbox::{CopyState, CopyTrace};
use rovuma_schemas::{AgencyCode, Lane, StreamId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Where one recipient's copy stands: the officer sees saved → queued → delivered → read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Copy)]
pub(crate) struct CopyView {
    /// The recipient.
    #[schema(value_type = String)]
    pub(crate) recipient: AgencyCode,
    /// The lane it travels in.
    #[schema(value_type = String)]
    pub(crate) lane: Lane,
    /// `waiting`, `queued`, `delivered`, `read`, `rejected` or `void`.
    pub(crate) state: &'static str,
    /// Since when it has been so; for what the recipient says, by the recipient's clock.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since: Timestamp,
    /// Why it was rejected, or made void.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// How often the broker has confirmed it; more than once when it went again without a receipt.
    pub(crate) attempts: u64,
    /// The stream to that recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) stream: Option<StreamId>,
    /// Its number in that stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u64>,
}

impl From<CopyTrace> for CopyView {
    fn from(copy: CopyTrace) -> Self {
        let (state, since) = standing(&copy);
        Self {
            state,
            since: since.unwrap_or(copy.enqueued_at),
            recipient: copy.recipient,
            lane: copy.lane,
            code: copy.code,
            attempts: copy.attempts,
            stream: copy.position.map(|position| position.stream),
            number: copy.position.map(|position| position.number),
        }
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
