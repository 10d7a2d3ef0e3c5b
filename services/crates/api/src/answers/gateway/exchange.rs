//! Whether the exchange works: streams, held messages, quarantine, alarms.

use rovuma_schemas::{AgencyCode, Digest, Lane, NumberRange, StreamId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The agency's streams.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Streams {
    /// The streams from others to the agency: a gap reads "3 messages from tz.tpf missing since 14:02".
    pub incoming: Vec<IncomingStream>,
    /// The streams from the agency to others.
    pub outgoing: Vec<OutgoingStream>,
}

/// A stream that some agency sends to us.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct IncomingStream {
    /// The agency that sends.
    #[schema(value_type = String)]
    pub sender: AgencyCode,
    /// The lane.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// The sender's stream; another one after the sender's store was restored.
    #[schema(value_type = String)]
    pub stream: StreamId,
    /// The highest number seen or announced.
    pub last: u64,
    /// The instant at which the sender last announced its highest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub announced_at: Option<Timestamp>,
    /// The missing numbers, once they have been missing for longer than messages out of order explain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// Numbers that are missing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    /// The count of missing numbers.
    pub count: u64,
    /// The missing numbers as closed ranges, at most 64 of them.
    #[schema(value_type = Vec<Object>)]
    pub missing: Vec<NumberRange>,
    /// The instant since which numbers are missing.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The instant of the last request for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub asked_at: Option<Timestamp>,
    /// The count of requests for them.
    pub requests: u64,
}

/// A stream that we send to some agency.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OutgoingStream {
    /// To whom.
    #[schema(value_type = String)]
    pub recipient: AgencyCode,
    /// The lane.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// The stream.
    #[schema(value_type = String)]
    pub stream: StreamId,
    /// The last number given out.
    pub last: u64,
    /// Numbers lately made void.
    pub voided: Vec<u64>,
    /// The instant of the last message from the recipient's gateway; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub heard_at: Option<Timestamp>,
}

/// A message that could not be decided yet. Nothing in it is verified, so nothing of it is shown but who it
/// claims to be from.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HeldRow {
    /// SHA-256 of its compact JWS.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The sender that it claims; not verified.
    pub unverified_sender: String,
    /// The lane it came by.
    #[schema(value_type = String)]
    pub lane: Lane,
    /// The code of the thing that it waits for.
    pub reason: String,
    /// The instant since which it waits.
    #[schema(value_type = String, format = DateTime)]
    pub held_at: Timestamp,
    /// The instant of the last try.
    #[schema(value_type = String, format = DateTime)]
    pub tried_at: Timestamp,
}

/// A delivery that could not be verified. It is kept sealed and nothing of it is shown.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuarantineRow {
    /// SHA-256 of the body as it arrived.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The code of the reason.
    pub reason: String,
    /// The queue it came from.
    pub queue: String,
    /// The exchange it was published to: `ingress.<country>` says whose line it came by.
    pub exchange: String,
    /// Its routing key; not verified.
    pub unverified_routing_key: String,
    /// Bytes of the body.
    pub size_bytes: u64,
    /// Whether the body itself is kept.
    pub kept: bool,
    /// The number of times that the same delivery came.
    pub times: u64,
    /// The instant at which it came first.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// The instant at which it came last.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// How urgent an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmSeverity {
    /// Messages may be lost, forged or unrecorded until somebody acts.
    Critical,
    /// A partner, a link or a key is at fault: somebody must find out which.
    Serious,
    /// One message, or a clock that has to be set.
    Notice,
}

/// One alarm: the same kind about the same subject is counted, not repeated. A partner causes at most 20 alarms of a kind in an
/// hour about subjects that it chooses; those beyond are counted in one about the partner.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlarmRow {
    /// The number by which it is acknowledged.
    pub id: u64,
    /// `critical`: `compromised_key`, `audit_overdue`, `store_restored`; `serious`: `conflict`, `number_reused`,
    /// `number_void`, `contrary_receipt`, `false_receipt`, `stream_closed`, `stream_bound`, `quarantined`, `refusals`,
    /// `link_fault`, `witness_unsendable`; `notice`: `clock`, `rejected`.
    pub kind: String,
    /// `critical`, `serious`, `notice`: every kind has one.
    pub severity: String,
    /// The subject of the alarm: a message's id, an agency, a key, an exchange of the broker, `store`, `audit`.
    pub subject: String,
    /// The agency that caused it, where an agency's message or receipt did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub partner: Option<AgencyCode>,
    /// More about it.
    pub detail: String,
    /// The number of times that it was raised.
    pub times: u64,
    /// The instant at which it was first raised.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// The instant at which it was last raised.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
    /// The acknowledgement; absent while the alarm is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<AlarmAcknowledged>,
}

/// The acknowledgement of an alarm.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlarmAcknowledged {
    /// The instant.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The person, by pseudonym.
    pub by: String,
    /// What was found, or done about it.
    pub reason: String,
}
