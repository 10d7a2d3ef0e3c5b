//! `stream.status` and `stream.request`: how both sides know that nothing is missing.
//!
//! A stream is (sender agency, stream id, recipient agency, lane), numbered from 1 without gaps.
//! Both messages go from one agency to one agency and carry no number themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CheckReceived;
use crate::{FaultCode, Lane, StreamId, fault::Finding, view::View, words::open_words};

open_words!(
    /// Why a number will never arrive.
    VoidReason {
        /// The message's transport expiry passed before it could be sent.
        Expired = "expired",
        /// The sender took it back before it was sent.
        Cancelled = "cancelled",
        /// It went again under a new id, after a key was compromised.
        Replaced = "replaced",
    }
);

/// A number that was used but will not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoidedNumber {
    /// The number.
    #[schemars(range(min = 1))]
    pub number: u64,
    /// Why its message will never arrive.
    pub reason: VoidReason,
}

/// How far one stream has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamHead {
    /// The lane.
    pub lane: Lane,
    /// The sender's stream.
    pub stream: StreamId,
    /// The last number used; 0 when none was.
    pub last: u64,
    /// Numbers made void, until the recipient has heard of them.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    pub voided: Vec<VoidedNumber>,
}

/// `stream.status`: sent every minute while there is a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamStatus {
    /// The streams from the message's sender to its recipient.
    #[schemars(length(max = 64))]
    pub streams: Vec<StreamHead>,
    /// What the message's sender has seen of the streams that come the other way, the latest first. Their
    /// sender finds out by it that it stands on an older copy of its store.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub received: Vec<StreamSeen>,
}

/// How far somebody else's stream was seen to have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamSeen {
    /// The lane.
    pub lane: Lane,
    /// The stream of the message's recipient.
    pub stream: StreamId,
    /// The highest number seen or announced.
    pub last: u64,
}

/// Numbers from `from` to `to`, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberRange {
    /// The first.
    #[schemars(range(min = 1))]
    pub from: u64,
    /// The last, not below `from`.
    #[schemars(range(min = 1))]
    pub to: u64,
}

/// What one stream lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamGaps {
    /// The lane.
    pub lane: Lane,
    /// The stream of the agency that is asked.
    pub stream: StreamId,
    /// The missing numbers.
    #[schemars(length(min = 1, max = 1024))]
    pub missing: Vec<NumberRange>,
}

/// `stream.request`: asks the recipient for numbers of its own streams to the sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamRequest {
    /// The streams with gaps.
    #[schemars(length(min = 1, max = 64))]
    pub streams: Vec<StreamGaps>,
}

impl CheckReceived for StreamStatus {
    /// A stream voids no number that it has not reached.
    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        for stream in body.field("streams").items() {
            let Some(last) = stream.field("last").count() else { continue };
            for voided in stream.field("voided").items() {
                let number = voided.field("number");
                if number.count().is_some_and(|number| number > last) {
                    found.push(Finding::with(&number.at, FaultCode::OutOfRange, format!("≤ {last}")));
                }
            }
        }
    }
}

impl CheckReceived for StreamRequest {
    /// A range ends where it begins, or later.
    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        let streams = body.field("streams").items();
        for range in streams.iter().flat_map(|stream| stream.field("missing").items()) {
            let end = |name| range.field(name).count();
            if end("from").zip(end("to")).is_some_and(|(from, to)| to < from) {
                found.push(Finding::new(&range.field("to").at, FaultCode::RangeOrder));
            }
        }
    }
}
