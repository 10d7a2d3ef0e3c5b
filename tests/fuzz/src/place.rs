//! Checks that the faults of a document point into it.

use rovuma_schemas::{Fault, FaultCode};
use serde_json::Value;

/// Panics unless there are faults, each with a sentence and a pointer into `document`.
///
/// When parsing broke off, the places are not checked.
pub(crate) fn check(document: &[u8], faults: &[Fault]) {
    assert!(!faults.is_empty(), "refused without a fault");
    let broken = [FaultCode::NotJson, FaultCode::TooLarge, FaultCode::TooDeep, FaultCode::DuplicateKey];
    let readable = !faults.iter().any(|fault| broken.contains(&fault.code));
    let parsed: Option<Value> = serde_json::from_slice(document).ok().filter(|_| readable);
    let told: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    for fault in faults {
        assert!(!fault.message.is_empty() && !fault.code.as_str().is_empty(), "{fault:?} says nothing");
        assert!(is_pointer(&fault.pointer), "{:?} is no JSON pointer", fault.pointer);
        if let Some(document) = &parsed {
            assert!(
                leads_into(document, &fault.pointer, &told),
                "{:?} is nowhere in the document",
                fault.pointer
            );
        }
    }
}

/// RFC 6901: empty, or `/`-led tokens in which `~` is followed by 0 or 1.
pub(crate) fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes
}

/// Whether a place exists in a document. A place of something missing counts when it is at most two steps below an
/// existing place, or below another place at which something is `told` to be missing or wrong.
pub(crate) fn leads_into(document: &Value, pointer: &str, told: &[&str]) -> bool {
    let up = |pointer: &str| pointer.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned());
    let (parent, grandparent) = (up(pointer), up(&up(pointer)));
    let is_there = |place: &&str| document.pointer(place).is_some();
    let below = |place: &&str| pointer.strip_prefix(*place).is_some_and(|rest| rest.starts_with('/'));
    [pointer, &parent, &grandparent].iter().any(is_there)
        || told.iter().filter(|place| !place.is_empty()).any(below)
}
