//! Whether the exchange works: streams, held messages, quarantine, alarms.

use rovuma_schemas::{AgencyCode, Digest, Lane, NumberRange, StreamId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The agency's streams.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Streams {
    /// What others send to the agency: a gap reads "3 messages from tz.tpf missing since 14:02".
    pub incoming: Vec<IncomingStream>,
    /// What the agency sends to others.
    pub outgoing: Vec<OutgoingStream>,
}

/// A stream that some agency sends to us.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct IncomingStream {
    /// Who sends.
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
    /// When the sender last spoke of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub announced_at: Option<Timestamp>,
    /// What is missing of it, once that has lasted long enough to be more than a matter of order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// Numbers that are missing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    /// How many numbers are missing.
    pub count: u64,
    /// Which, as closed ranges; at most 64 of them.
    #[schema(value_type = Vec<Object>)]
    pub missing: Vec<NumberRange>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When they were last asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub asked_at: Option<Timestamp>,
    /// How often they were asked for.
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
    /// When the recipient's gateway was last heard. Absent while it never was.
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
    /// What it waits for, as a code.
    pub reason: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub held_at: Timestamp,
    /// When it was last tried.
    #[schema(value_type = String, format = DateTime)]
    pub tried_at: Timestamp,
}

/// A delivery that could not be verified. It is kept sealed and nothing of it is shown.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuarantineRow {
    /// SHA-256 of the body as it arrived.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Why, as a code.
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
    /// How often the same came.
    pub times: u64,
    /// When it came first.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When it came last.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// The agency's alarms.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Alarms {
    /// The last to sound first, at most 200.
    pub items: Vec<AlarmRow>,
}

/// One alarm: the same kind about the same subject is counted, not repeated.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AlarmRow {
    /// `conflict`, `number_reused`, `false_receipt`, `clock`, `quarantined`, `compromised_key`, `rejected`,
    /// `audit_overdue`.
    pub kind: String,
    /// What it is about: an id, a stream, a key.
    pub subject: String,
    /// More about it.
    pub detail: String,
    /// How often it sounded.
    pub times: u64,
    /// When it first sounded.
    #[schema(value_type = String, format = DateTime)]
    pub first_at: Timestamp,
    /// When it last sounded.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}
