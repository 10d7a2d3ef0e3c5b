//! Checks entries against the search that the manifest names.

use std::collections::BTreeMap;

use rovuma_schemas::{Timestamp, audit::AuditObject};

use super::CheckedEntry;

/// Marks where a leaf's text was cut: only its beginning can be compared.
const CUT: char = '…';

/// Checks that an entry can be a result of this search. References are not in leaves, and an erased event names no message:
/// what cannot be compared counts as equal.
///
/// # Errors
/// A sentence that names the filter.
pub(super) fn matches_query(query: &BTreeMap<String, String>, entry: &CheckedEntry) -> Result<(), String> {
    for (name, wanted) in query {
        let is_match = matches_filter(name, wanted, entry).ok_or_else(|| {
            format!("the manifest names a search with the unknown filter {name:?} or value")
        })?;
        if !is_match {
            return Err(format!(
                "it is no result of the search that the manifest names: {name} is not {wanted}"
            ));
        }
    }
    Ok(())
}

/// `None`: there is no such filter, or it takes no such value.
fn matches_filter(name: &str, wanted: &str, entry: &CheckedEntry) -> Option<bool> {
    let (leaf, event) = (&entry.leaf, entry.event.as_ref());
    // The leaf has a text cut; the event has the whole.
    let equals = |cut: &str, whole: Option<&str>| match (whole, cut.strip_suffix(CUT)) {
        (Some(whole), _) => whole == wanted,
        (None, Some(begin)) => wanted.starts_with(begin),
        (None, None) => cut == wanted,
    };
    let object = |of: fn(&AuditObject) -> &str| {
        let whole = event.and_then(|event| event.object.as_ref()).map(of);
        leaf.object.as_ref().is_some_and(|object| equals(of(object), whole))
    };
    Some(match name {
        "from" => leaf.time >= wanted.parse::<Timestamp>().ok()?,
        "to" => leaf.time < wanted.parse::<Timestamp>().ok()?,
        "actor" => equals(&leaf.actor, event.map(|event| event.actor.as_str())),
        "source" => equals(&leaf.source, event.map(|event| event.source.as_str())),
        "agency" => leaf.agency.as_ref().is_some_and(|agency| agency.as_str() == wanted),
        "action" => leaf.action.as_str() == wanted,
        "outcome" => leaf.outcome.as_str() == wanted,
        "object_kind" => object(|object| &object.kind),
        "object" => object(|object| &object.id),
        "message" => match leaf.object.as_ref().map(|object| object.kind.as_str()) {
            // A draft's id becomes the message's id.
            Some("message" | "draft") => object(|object| &object.id),
            _ => event.is_none_or(|event| event.details.get("message").is_some_and(|id| id == wanted)),
        },
        "reference" | "order" => true,
        _ => return None,
    })
}
