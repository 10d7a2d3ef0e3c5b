//! The answers of the HTTP APIs: the services build these types, and clients read them.
//!
//! A later version of an API may add members and codes. So no type refuses members that it does not know, and a code that
//! may grow (a state, a reason, a role) is a text. Only words on which signed messages agree (an agency, a lane) are types.
//!
//! Refusals are [`Problem`](rovuma_runtime::Problem)s.

pub mod audit;
pub mod gateway;
pub mod identity;
pub mod watchlist;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::gateway::DraftView;

    #[test]
    fn what_a_later_version_adds_does_not_break_a_reader() {
        let draft = json!({
            "id": "0199c5a1-7b3e-7001-8a10-000000000001", "type": "of.later", "state": "of_later", "version": 1,
            "author": "u1", "fault_count": 0, "created_at": "2026-11-27T10:00:00Z",
            "changed_at": "2026-11-27T10:00:00Z", "content": { "type": "of.later" }, "of_later": [1],
        });
        let read: DraftView = serde_json::from_value(draft).expect("a draft");
        assert_eq!((read.message_type.as_str(), read.state.as_str()), ("of.later", "of_later"));
        assert_eq!(read.content.expect("content").get(), r#"{"type":"of.later"}"#);
    }
}
