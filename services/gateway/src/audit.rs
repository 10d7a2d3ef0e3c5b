//! Audit events about acts of callers.

pub(crate) use rovuma_api::act_by as by;
use rovuma_trail::AuditRecord;
use serde::Serialize;
use serde_json::Value;

/// Adds to the record of a search its filters, which are codes, agencies and times, and the number of hits.
pub(crate) fn search(record: AuditRecord, filters: &impl Serialize, hits: usize) -> AuditRecord {
    let filters = serde_json::to_value(filters).unwrap_or_default();
    let named = filters.as_object().into_iter().flatten().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text.clone())),
        Value::Bool(true) => Some((name, "true".to_owned())),
        _ => None,
    });
    let record = named.fold(record, |record, (name, text)| record.detail(format!("filter.{name}"), text));
    record.detail("hits", hits)
}
