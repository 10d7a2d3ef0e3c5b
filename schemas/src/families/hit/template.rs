//! The templates of hits.

use serde_json::json;

use crate::{
    Date, Family, MessageType,
    template::{Plan, TemplateContext},
};

/// Days for which a template proposes that the alert's owner may keep a hit.
const RETENTION_DAYS: i32 = 365;

/// The names of the templates: the types of the family.
pub(crate) fn names() -> Vec<&'static str> {
    types().map(MessageType::as_str).collect()
}

/// What a draft of this type needs.
pub(crate) fn plan(name: &str, context: &TemplateContext<'_>) -> Option<Plan> {
    let message_type = types().find(|kind| kind.as_str() == name)?;
    Some(match message_type {
        MessageType::HitNotify => opener(context),
        _ => follower(message_type, context),
    })
}

fn types() -> impl Iterator<Item = MessageType> {
    MessageType::operational().filter(|kind| kind.class().family() == Some(Family::Hit))
}

fn opener(context: &TemplateContext<'_>) -> Plan {
    Plan {
        message_type: MessageType::HitNotify,
        values: vec![
            ("/terms/purpose".to_owned(), json!("detection")),
            ("/terms/retain_until".to_owned(), json!(Date::of(context.now).plus_days(RETENTION_DAYS))),
            ("/body/alert/kind".to_owned(), json!(Family::Alert.as_str())),
            ("/body/found_at".to_owned(), json!(context.now)),
        ],
        needed: vec!["/body/subject".to_owned()],
        aside: Vec::new(),
        notes: [
            "It goes to the agency that issued the alert, and to no other.",
            "/body/matched is what was read and the alert has. It says nothing about anybody that the alert does not say.",
            "A hit is a lead: its alert's owner says whether it is confirmed.",
        ]
        .map(str::to_owned)
        .into(),
    }
}

fn follower(message_type: MessageType, context: &TemplateContext<'_>) -> Plan {
    let needed: &[&str] = match message_type {
        MessageType::HitAskConfirmation => &["/body/held_until"],
        MessageType::HitActionReport => &["/body/actions"],
        _ => &[],
    };
    let notes: &[&str] = match message_type {
        MessageType::HitAskConfirmation => &[
            "The agency that reported the hit sends it. While somebody is held the owner has one hour to answer, else twelve.",
            "With /body/held, and only then, /body/held_until says until when its own law lets it hold.",
        ],
        MessageType::HitConfirm => &[
            "The agency that issued the alert sends it; its last word counts.",
            "With the word more_time, and only then, /body/until says until when.",
        ],
        MessageType::HitActionReport => &[
            "The agency that reported the hit sends it.",
            "With the act action, and only then, it has /body/actions; with not_possible, and only then, /body/reason.",
        ],
        MessageType::HitRetract => {
            &["The agency that reported the hit sends it: the owner must not act on it any more."]
        }
        MessageType::HitClose => {
            &["The agency that reported the hit sends it, after it has read the owner's last word."]
        }
        _ => &[],
    };
    let mut plan = Plan::of_follower(message_type, needed, notes);
    if message_type == MessageType::HitActionReport {
        plan.values.push(("/body/at".to_owned(), json!(context.now)));
    }
    plan
}
