//! `stream.status` and `stream.request`: both sides compare their streams, so that no number is missing unnoticed.
//!
//! A stream is (sender agency, stream id, recipient agency, lane), numbered from 1 without gaps.
//! Both messages go from one agency to one agency and carry no number themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CheckReceived;
use crate::{FaultCode, Lane, StreamId, fault::Finding, view::View, words::open_words};

open_words!(
    /// The reason why a number will never arrive.
    VoidReason {
        /// The message's transport expiry passed before it could be sent.
        Expired = "expired",
        /// The sender withdrew the message before it was sent.
        Cancelled = "cancelled",
        /// The message was reissued under a new id, after a key was compromised.
        Replaced = "replaced",
    }
);

/// A number that was used but will not arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VoidedNumber {
    /// The number.
    #[schemars(range(min = 1))]
    pub number: u64,
    /// The reason why its message will never arrive.
    pub reason: VoidReason,
}

/// The last number of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamEnd {
    /// The lane.
    pub lane: Lane,
    /// The sender's stream.
    pub stream: StreamId,
    /// The last number used; 0 when none was.
    pub last: u64,
    /// Numbers made void, repeated until the recipient knows of them.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    pub voided: Vec<VoidedNumber>,
}

/// `stream.status`: sent every minute while the line is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamStatus {
    /// The streams from the message's sender to its recipient.
    #[schemars(length(max = 64))]
    pub streams: Vec<StreamEnd>,
    /// The last numbers that the message's sender has seen of the streams in the other direction, the latest stream first. By
    /// these an agency finds out that its store is an older copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub received: Vec<StreamSeen>,
}

/// The last number seen of a partner's stream.
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

/// The missing numbers of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamGaps {
    /// The lane.
    pub lane: Lane,
    /// The stream of the agency that the request is for.
    pub stream: StreamId,
    /// The missing numbers.
    #[schemars(length(min = 1, max = 1024))]
    pub missing: Vec<NumberRange>,
}

/// `stream.request`: requests numbers of the recipient's streams to the sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamRequest {
    /// The streams with gaps.
    #[schemars(length(min = 1, max = 64))]
    pub streams: Vec<StreamGaps>,
}

impl CheckReceived for StreamStatus {
    /// Refuses a void number beyond the last one used.
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
    /// Refuses a range that ends before it begins.
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
