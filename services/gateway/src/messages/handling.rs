//! The handling codes of received messages: which content may not leave this agency without its sender's leave.

use rovuma_envelope::Jws;
use rovuma_schemas::HandlingCode;
use serde_json::Value;

/// The handling code that keeps the content of a received message from being handed on; none where nothing does. A code that this version
/// does not know keeps it too: it may be that of a rejected message, which is kept whole.
pub(crate) fn kept_back_by(stored: &Jws) -> Option<String> {
    // Only officers' messages have terms.
    let payload: Value = serde_json::from_slice(stored.unverified_payload()).ok()?;
    let code = payload.get("terms")?.pointer("/handling/code").and_then(Value::as_str).unwrap_or("unknown");
    let may_leave = HandlingCode::from_word(code).is_some_and(|code| !code.needs_leave_to_share());
    (!may_leave).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use rovuma_envelope::{SigningKey, Typ};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_to_be_free_is_kept_back() {
        let key = SigningKey::generate().expect("a key");
        let under = |code: Value| json!({ "terms": { "handling": { "code": code } } });
        for (payload, expected) in [
            (under(json!("H0")), None),
            (under(json!("H1")), None),
            (under(json!("H2")), Some("H2")),
            (under(json!("H3")), Some("H3")),
            (under(json!("H4")), Some("H4")),
            (under(json!(0)), Some("unknown")),
            (json!({ "terms": {} }), Some("unknown")),
            (json!({ "body": {} }), None),
        ] {
            let bytes = serde_json::to_vec(&payload).expect("JSON");
            let jws = Jws::sign(Typ::MESSAGE, bytes, &key).expect("signed");
            assert_eq!(kept_back_by(&jws).as_deref(), expected, "{payload}");
        }
    }
}
