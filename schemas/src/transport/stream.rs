//! `stream.status` and `stream.request`: both sides compare their streams, so that no number is missing unnoticed.
//!
//! A stream is (sender agency, stream id, recipient agency, lane), numbered from 1 without gaps.
//! Both messages go from one agency to one agency and carry no number themselves.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CheckReceived;
use crate::{
    FaultCode, Lane, StreamId,
    fault::Finding,
    limits::{
        NUMBER_MAX, REQUEST_NUMBERS_MAX, REQUEST_RANGES_MAX, STREAMS_MAX, STREAMS_PER_LANE_MAX, VOIDED_MAX,
        VOIDED_OF_ALL_MAX,
    },
    view::View,
    words::open_words,
};

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
    #[schemars(range(min = 1, max = NUMBER_MAX))]
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
    #[schemars(range(max = NUMBER_MAX))]
    pub last: u64,
    /// Numbers made void, in ascending order, repeated until the recipient knows of them.
    #[serde(default)]
    #[schemars(length(max = VOIDED_MAX))]
    pub voided: Vec<VoidedNumber>,
}

/// `stream.status`: sent every minute while the line is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamStatus {
    /// The streams from the message's sender to its recipient, each once.
    #[schemars(length(max = STREAMS_MAX))]
    pub streams: Vec<StreamEnd>,
    /// The last numbers that the message's sender has seen of the streams in the other direction, the latest stream first. By
    /// these an agency finds out that its store is an older copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = STREAMS_MAX))]
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
    #[schemars(range(max = NUMBER_MAX))]
    pub last: u64,
}

/// Numbers from `from` to `to`, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberRange {
    /// The first.
    #[schemars(range(min = 1, max = NUMBER_MAX))]
    pub from: u64,
    /// The last, not below `from`.
    #[schemars(range(min = 1, max = NUMBER_MAX))]
    pub to: u64,
}

/// The missing numbers of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamGaps {
    /// The lane.
    pub lane: Lane,
    /// The stream of the agency that the request is for.
    pub stream: StreamId,
    /// The missing numbers, in ascending order and without overlap.
    #[schemars(length(min = 1, max = REQUEST_RANGES_MAX))]
    pub missing: Vec<NumberRange>,
}

/// `stream.request`: requests numbers of the recipient's streams to the sender, at most 64 ranges and 4,096 numbers in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StreamRequest {
    /// The streams with gaps, each once.
    #[schemars(length(min = 1, max = STREAMS_MAX))]
    pub streams: Vec<StreamGaps>,
}

impl CheckReceived for StreamStatus {
    /// Refuses a stream that is named twice, more than eight streams of a lane, and void numbers that are not ascending, lie
    /// beyond the last one used, or are too many.
    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        each_stream_once(&body.field("streams"), found);
        each_stream_once(&body.field("received"), found);
        let mut count = 0;
        for stream in body.field("streams").items() {
            let voided = stream.field("voided").items();
            count += voided.len();
            ascending(voided.iter().map(|voided| (voided.field("number"), None)), found);
            let Some(last) = stream.field("last").count() else { continue };
            for voided in voided {
                let number = voided.field("number");
                if number.count().is_some_and(|number| number > last) {
                    found.push(Finding::with(&number.at, FaultCode::OutOfRange, format!("≤ {last}")));
                }
            }
        }
        if count > VOIDED_OF_ALL_MAX {
            let limit = VOIDED_OF_ALL_MAX.to_string();
            found.push(Finding::with(&body.field("streams").at, FaultCode::TooManyNumbers, limit));
        }
    }
}

impl CheckReceived for StreamRequest {
    /// Refuses a stream that is named twice, more than eight streams of a lane, ranges that end before they begin, are not
    /// ascending or overlap, and more ranges or numbers than one request may name.
    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        let streams = body.field("streams");
        each_stream_once(&streams, found);
        let (mut ranges, mut numbers) = (0, 0_u64);
        for stream in streams.items() {
            let missing = stream.field("missing").items();
            ranges += missing.len();
            for range in &missing {
                match range.field("from").count().zip(range.field("to").count()) {
                    Some((from, to)) if to < from => {
                        found.push(Finding::new(&range.field("to").at, FaultCode::RangeOrder));
                    }
                    Some((from, to)) => numbers = numbers.saturating_add((to - from).saturating_add(1)),
                    None => {}
                }
            }
            ascending(missing.iter().map(|range| (range.field("from"), range.field("to").count())), found);
        }
        if ranges > REQUEST_RANGES_MAX {
            found.push(Finding::with(&streams.at, FaultCode::TooMany, REQUEST_RANGES_MAX.to_string()));
        }
        if numbers > REQUEST_NUMBERS_MAX {
            found.push(Finding::with(
                &streams.at,
                FaultCode::TooManyNumbers,
                REQUEST_NUMBERS_MAX.to_string(),
            ));
        }
    }
}

/// Adds a fault for each item that names the same lane and stream as an earlier one, and one for a lane with too many.
fn each_stream_once(list: &View<'_>, found: &mut Vec<Finding>) {
    let mut named = BTreeSet::new();
    let mut of_lane = BTreeMap::new();
    for item in list.items() {
        let Some(key) = item.field("lane").text().zip(item.field("stream").text()) else { continue };
        if !named.insert(key) {
            found.push(Finding::new(&item.field("stream").at, FaultCode::StreamDuplicate));
        }
        *of_lane.entry(key.0).or_insert(0) += 1;
    }
    if of_lane.values().any(|count| *count > STREAMS_PER_LANE_MAX) {
        found.push(Finding::with(&list.at, FaultCode::TooMany, STREAMS_PER_LANE_MAX.to_string()));
    }
}

/// Adds a fault for the first of these ranges that does not begin beyond the end of the one before it. Each has its beginning
/// and its end; one without an end is a single number.
fn ascending<'v>(ranges: impl Iterator<Item = (View<'v>, Option<u64>)>, found: &mut Vec<Finding>) {
    let mut last = 0;
    for (begin, end) in ranges {
        let Some(from) = begin.count() else { continue };
        if from <= last {
            found.push(Finding::new(&begin.at, FaultCode::NumbersOrder));
            return;
        }
        last = end.unwrap_or(from).max(from);
    }
}
