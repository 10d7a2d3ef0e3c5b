//! The template of information that is shared.

use serde_json::json;

use crate::{
    Date, MessageType,
    template::{Plan, TemplateContext},
};

/// Days for which the template proposes that the recipient may keep it.
const RETENTION_DAYS: i32 = 365;

/// The names of the templates.
pub(crate) fn names() -> Vec<&'static str> {
    vec![MessageType::InfoShare.as_str()]
}

/// What a draft of the kind `name` needs.
pub(crate) fn plan(name: &str, context: &TemplateContext<'_>) -> Option<Plan> {
    (name == MessageType::InfoShare.as_str()).then(|| Plan {
        message_type: MessageType::InfoShare,
        values: vec![
            ("/terms/purpose".to_owned(), json!("prevention")),
            ("/terms/retain_until".to_owned(), json!(Date::of(context.now).plus_days(RETENTION_DAYS))),
        ],
        needed: Vec::new(),
        aside: Vec::new(),
        notes: vec![
            "Nothing is asked, and nobody owes an answer.".to_owned(),
            "Where it names a person, /body/person_link says how the person is linked with its purpose, its author confirms \
             /terms/protection_check, and a second person releases it."
                .to_owned(),
        ],
    })
}
