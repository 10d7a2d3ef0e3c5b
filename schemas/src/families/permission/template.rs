//! The templates of leave.

use serde_json::json;

use crate::{
    Date, MessageType,
    template::{Plan, TemplateContext},
};

/// Days for which the template proposes that the agency asked may keep the question.
const RETENTION_DAYS: i32 = 365;

/// The names of the templates.
pub(crate) fn names() -> Vec<&'static str> {
    vec![MessageType::PermissionAsk.as_str(), MessageType::PermissionDecide.as_str()]
}

/// What a draft of the kind `name` needs.
pub(crate) fn plan(name: &str, context: &TemplateContext<'_>) -> Option<Plan> {
    match name.parse::<MessageType>().ok()? {
        MessageType::PermissionAsk => Some(Plan {
            message_type: MessageType::PermissionAsk,
            values: vec![
                ("/terms/purpose".to_owned(), json!("investigation")),
                ("/terms/retain_until".to_owned(), json!(Date::of(context.now).plus_days(RETENTION_DAYS))),
            ],
            needed: vec!["/body/to".to_owned()],
            aside: Vec::new(),
            notes: vec![
                "It goes to the agency that sent what /body/about names.".to_owned(),
                "To quote or to forward, /body/to says which agencies are to have it.".to_owned(),
            ],
        }),
        MessageType::PermissionDecide => Some(Plan::of_follower(
            MessageType::PermissionDecide,
            &["/body/until"],
            &[
                "A supervisor of the agency that was asked releases it.",
                "granted has /body/until, the last day, and may have /body/condition; denied has /body/reason.",
                "A later decision takes the place of the one before.",
            ],
        )),
        _ => None,
    }
}
