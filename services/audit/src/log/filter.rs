//! What an auditor searches for.

use rovuma_schemas::{AgencyCode, MessageId, Timestamp, audit::AuditOutcome};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The order of a search: that in which events were appended to the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// The last appended first.
    #[default]
    Newest,
    /// The first appended first.
    Oldest,
}

/// A search. Filters that are absent let everything pass; an unknown one is refused, for a search with a
/// misspelt filter would show too much.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// From this instant on, by the event's own time.
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) from: Option<Timestamp>,
    /// Before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    pub(crate) to: Option<Timestamp>,
    /// Who did it: a subject's identifier, or a source's name.
    pub(crate) actor: Option<String>,
    /// For which agency; an agency's auditor may name only the own.
    #[param(value_type = Option<String>, example = "mz.prm")]
    pub(crate) agency: Option<AgencyCode>,
    /// What was done: `alert.release`, `message.read`.
    pub(crate) action: Option<String>,
    /// The kind of what it was done to: `message`, `draft`, `user`.
    pub(crate) object_kind: Option<String>,
    /// The identifier of what it was done to.
    pub(crate) object: Option<String>,
    /// The message that it is about, from the draft on, whatever its object is.
    #[param(value_type = Option<String>)]
    pub(crate) message: Option<MessageId>,
    /// The case that it belongs to, by the reference that the sender gave; with it everything about the case's messages.
    #[param(example = "PRM-EX-2025-0417")]
    pub(crate) case: Option<String>,
    /// How it ended.
    #[param(inline, value_type = Option<Outcome>)]
    pub(crate) outcome: Option<AuditOutcome>,
    /// The service that wrote it: `mz.gateway.police`.
    pub(crate) source: Option<String>,
    /// In which order.
    #[serde(default)]
    #[param(inline, value_type = Option<Order>)]
    pub(crate) order: Order,
    /// Entries wanted, 1 to 200; 50 when absent.
    pub(crate) limit: Option<u32>,
    /// `next` of the page before, with the same filters.
    pub(crate) cursor: Option<String>,
}

/// How something ended.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "read by the derive, to describe the parameter")]
enum Outcome {
    Success,
    Refused,
    Failed,
}

impl Filter {
    /// The filters and the order as names and values: what is searched for, whichever page of it.
    pub(crate) fn described(&self) -> Vec<(String, String)> {
        // A struct of texts always serialises to an object.
        let value = serde_json::to_value(self).unwrap_or_default();
        let Some(fields) = value.as_object() else { return Vec::new() };
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let filters = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "limit" | "cursor"));
        filters.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
    }
}
