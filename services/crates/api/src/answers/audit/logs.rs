//! Whether the log is whole: its sources and their chains, its trees and their heads.

use rovuma_schemas::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of the log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogState {
    /// The number of entries in the log.
    pub end: u64,
    /// Every configured source, and every other that has ever written.
    pub sources: Vec<SourceStatus>,
    /// Deliveries that were nobody's batch, by reason.
    pub quarantine: Vec<QuarantineCount>,
}

/// A source, which is a service that writes audit events.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SourceStatus {
    /// The source's name.
    pub source: String,
    /// Whether the configuration names it; the audit service itself always counts as named.
    pub configured: bool,
    /// The source's epochs, the latest first. More than one: its store was restored, or made anew. None: it never wrote.
    pub epochs: Vec<EpochStatus>,
    /// The source's alarms, the latest first, at most 100.
    pub alarms: Vec<ChainAlarmState>,
}

/// One epoch of a source.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EpochStatus {
    /// The epoch's identifier.
    pub epoch: String,
    /// The time when its first event came.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// The sequence of the last event stored; 0 when none is.
    pub last_sequence: u64,
    /// That event's digest, base64url.
    pub last_digest: String,
    /// The time when the last event was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_stored_at: Option<Timestamp>,
    /// Events that have not come although later ones have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingEvents>,
}

/// A range of events that have not come.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MissingEvents {
    /// The first sequence.
    pub first: u64,
    /// The last sequence that is known to be missing.
    pub last: u64,
    /// The time since when the events are known to be missing.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// An alarm about a source.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChainAlarmState {
    /// `missing`, `conflict`, `altered` or `new_epoch`.
    pub kind: String,
    /// `alarm`, or `info` when nothing need be wrong.
    pub level: String,
    /// The epoch.
    pub epoch: String,
    /// The sequence of the first event concerned; 0 when the alarm concerns the epoch.
    pub first: u64,
    /// The sequence of the last event concerned.
    pub last: u64,
    /// The digest of the contradicting event, base64url; its signed batch is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The time when the alarm was raised.
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: Timestamp,
    /// The time when the same was last found.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// The number of times that the same was found.
    pub times: u64,
    /// The time when the missing events had come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
}

/// The number of deliveries in the quarantine for one reason.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QuarantineCount {
    /// `sealed`, `not_signed`, `unknown_key`, `forged`, `wrong_source` or `malformed`.
    pub reason: String,
    /// The number of different deliveries.
    pub deliveries: u64,
    /// The time when the last one came.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Timestamp,
}

/// The logs of the country, and who vouches for them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Logs {
    /// One log a year, the oldest first.
    pub logs: Vec<LogOfYear>,
    /// The instant since which heads have lacked the cosignatures that the policy asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub unwitnessed_since: Option<Timestamp>,
    /// The findings against a log, ours or a partner's; the latest first, at most 100.
    pub alarms: Vec<LogAlarmState>,
}

/// The log of one year.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogOfYear {
    /// Its name in its checkpoints: `mz.audit/2026`.
    pub origin: String,
    /// The entry that is its leaf 0.
    pub first_index: u64,
    /// The number of its leaves now.
    pub size: u64,
    /// Entries of it that were taken out, by the written policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pruned: Option<PrunedState>,
    /// The last head that is good by the policy: a signed note with its cosignatures (C2SP tlog-checkpoint).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub good: Option<HeadState>,
    /// A later head that waits for cosignatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<HeadState>,
}

/// Entries that were taken out of a log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PrunedState {
    /// Leaves below this index have no entries any more; their hashes stay.
    pub minimum_index: u64,
    /// The instant of the decision.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The written policy that says so.
    pub policy: String,
}

/// A head that was made known.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HeadState {
    /// The number of its leaves.
    pub size: u64,
    /// The instant at which it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// The instant at which it met the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub settled_at: Option<Timestamp>,
    /// The signed note.
    pub checkpoint: String,
}

/// An alarm about a log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogAlarmState {
    /// `unwitnessed`, `fork`, `shrunken`, `unproven` or `unknown_log`.
    pub kind: String,
    /// The log's origin.
    pub origin: String,
    /// The time when the alarm was raised.
    #[schema(value_type = String, format = DateTime)]
    pub raised_at: Timestamp,
    /// The time when the same was last found.
    #[schema(value_type = String, format = DateTime)]
    pub last_seen_at: Timestamp,
    /// The number of times that the same was found.
    pub times: u64,
    /// The time when it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
    /// The contradicting heads, as the log signed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}
