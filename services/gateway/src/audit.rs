//! Audit events of what callers do.

pub(crate) use rovuma_api::act_by as by;
use rovuma_trail::AuditRecord;
use serde::Serialize;
use serde_json::Value;

/// A search: what was asked for, which is codes, agencies and times, and how many were found.
pub(crate) fn search(act: AuditRecord, filters: &impl Serialize, hits: usize) -> AuditRecord {
    let asked = serde_json::to_value(filters).unwrap_or_default();
    let named = asked.as_object().into_iter().flatten().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text.clone())),
        Value::Bool(true) => Some((name, "true".to_owned())),
        _ => None,
    });
    let act = named.fold(act, |act, (name, text)| act.detail(format!("filter.{name}"), text));
    act.detail("hits", hits)
}
