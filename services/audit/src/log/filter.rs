//! The filters of a search.

use rovuma_schemas::{AgencyCode, MessageId, Timestamp, audit::AuditOutcome};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The order of a search's entries, by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SortOrder {
    /// The last appended first.
    #[default]
    Newest,
    /// The first appended first.
    Oldest,
}

/// A search. An absent filter lets every entry pass. An unknown filter is refused, because a search with a
/// misspelt filter would show too much.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventFilter {
    /// From this instant on, by the event's own time.
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) from: Option<Timestamp>,
    /// Before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) to: Option<Timestamp>,
    /// The actor: a subject's identifier, or a source's name.
    pub(crate) actor: Option<String>,
    /// The actor's agency; an agency's auditor may name only their own.
    #[param(value_type = Option<String>, example = "mz.prm")]
    pub(crate) agency: Option<AgencyCode>,
    /// The action: `draft.release`, `message.read`.
    pub(crate) action: Option<String>,
    /// The object's kind: `message`, `draft`, `user`.
    pub(crate) object_kind: Option<String>,
    /// The object's identifier.
    pub(crate) object: Option<String>,
    /// The message that the event is about, from the draft on, whatever its object is.
    #[param(value_type = Option<String>)]
    pub(crate) message: Option<MessageId>,
    /// The sender's own reference: finds the events that name it and all events about the messages that it was given.
    #[param(example = "PRM-EX-2025-0417")]
    pub(crate) reference: Option<String>,
    /// The outcome.
    #[param(inline, value_type = Option<OutcomeParam>)]
    pub(crate) outcome: Option<AuditOutcome>,
    /// The service that wrote the event: `mz.gateway.police`.
    pub(crate) source: Option<String>,
    /// The order of the entries.
    #[serde(default)]
    #[param(inline, value_type = Option<SortOrder>)]
    pub(crate) order: SortOrder,
    /// Maximum number of entries, 1 to 200; 50 when absent. Only a search in pages takes it.
    #[param(ignore)]
    pub(crate) limit: Option<u32>,
    /// `next` of the previous page; the filters must be the same. Only a search in pages takes it.
    #[param(ignore)]
    pub(crate) cursor: Option<String>,
}

/// An outcome.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "read by the derive, to describe the parameter")]
enum OutcomeParam {
    Success,
    Refused,
    Failed,
}

impl EventFilter {
    /// The filters and the order as names and values, without `limit` and `cursor`.
    pub(crate) fn to_pairs(&self) -> Vec<(String, String)> {
        // A struct of texts always serialises to an object.
        let value = serde_json::to_value(self).unwrap_or_default();
        let Some(fields) = value.as_object() else { return Vec::new() };
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let filters = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "limit" | "cursor"));
        filters.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
    }
}
