//! Retention: what will be erased, and what is held back.

use rovuma_schemas::{CaseId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What retention does with the agency's cases.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RetentionView {
    /// The instant at which this is so.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The instant until which the cases below are to be erased.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// How many cases are to be erased by then and are not held back.
    pub upcoming_count: u64,
    /// The first of them, at most 200.
    pub upcoming: Vec<CaseRetention>,
    /// How many cases are held back from erasure.
    pub held_count: u64,
    /// Those whose holds end first, at most 200.
    pub held: Vec<CaseRetention>,
}

/// What retention does with a case.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CaseRetention {
    /// The case.
    #[schema(value_type = Object)]
    pub case: CaseId,
    /// Its state, the ground on which its content is erased.
    pub state: String,
    /// How many messages it has.
    pub messages: u64,
    /// The end of the last day on which its data may be kept; absent where no message has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retain_until: Option<Timestamp>,
    /// When its content is to be erased; absent while it is in force without a known end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub erase_at: Option<Timestamp>,
    /// Whether a message of the agency in it has no receipt yet: its erasure waits for that.
    pub unsettled: bool,
    /// Whether the next run erases it.
    pub due: bool,
    /// What holds it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldView>,
}

/// A hold, which keeps the content of a case from being erased.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HoldView {
    /// The ground, a code of the list `retention_grounds`.
    pub ground: String,
    /// The file or decision behind it.
    pub reason: String,
    /// The first instant at which it no longer holds.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// The subject who set it.
    pub set_by: String,
    /// When the hold was set.
    #[schema(value_type = String, format = DateTime)]
    pub set_at: Timestamp,
}
