//! The templates of the messages that follow in the case of an alert, named after their types.

use serde_json::json;

use crate::{MessageType, families::Family, families::alert::FlagState, template::Plan};

/// The names of the templates.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    types().map(MessageType::as_str)
}

/// What a message of the type `name` needs.
pub(super) fn plan(name: &str) -> Option<Plan> {
    types().find(|kind| kind.as_str() == name).map(of)
}

fn types() -> impl Iterator<Item = MessageType> {
    MessageType::operational().filter(|kind| {
        let class = kind.class();
        class.follows() && class.family() == Some(Family::Alert)
    })
}

fn of(message_type: MessageType) -> Plan {
    let (needed, notes) = needs(message_type);
    let mut plan = Plan::of_follower(message_type, needed, notes);
    if message_type == MessageType::AlertFlag {
        plan.values.push(("/body/flag".to_owned(), json!(FlagState::On)));
    }
    plan
}

/// The members that a type needs beyond those that its schema requires, and what its author must know.
const fn needs(message_type: MessageType) -> (&'static [&'static str], &'static [&'static str]) {
    match message_type {
        MessageType::AlertUpdate => (
            &["/body/alert/subjects", "/body/change"],
            &[
                "The issuer sends it. It has the whole content of the alert, not only what changes: put the content of the version \
                 before into /body/alert and change that.",
                "A subject that stays keeps its key, a new one has none, and /body/dropped says of each that is left out why.",
                "The alert ends when it did before unless /body/alert/validity/until says earlier; only alert.extend makes it \
                 later. /terms/retain_until is not before the end.",
                "The gateway counts the versions: leave out /body/version.",
                "What the content needs, and whether a second person releases it, depends on the category, as for a new alert.",
            ],
        ),
        MessageType::AlertExtend => (
            &[],
            &[
                "The issuer sends it before the alert ends. A supervisor releases it.",
                "/body/until is later than the end of the alert, and from now on at most the time of its category. \
                 /terms/retain_until is not before it.",
            ],
        ),
        MessageType::AlertWithdraw => (
            &[],
            &[
                "The issuer sends it. Nothing brings the alert back afterwards.",
                "A supervisor releases it. For the reasons error and misused_identity a liaison officer releases it alone and at \
                 once, and the supervisor is told.",
                "With the reason superseded, and only then, /body/superseded_by names the case of the other alert.",
                "/terms/retain_until is the last day on which the recipients may keep the data of the alert.",
            ],
        ),
        MessageType::AlertReply => (
            &["/in_reply_to"],
            &[
                "The issuer sends it when it does not accept an error report. /in_reply_to is that report. An update or a \
                 withdrawal answers a report that it accepts.",
                "Everybody who has the alert reads it: /body/reason does not repeat what the report says.",
            ],
        ),
        MessageType::AlertFlag => (
            &["/body/reason", "/body/instead"],
            &[
                "A recipient sends it. The alert counts as not executable in the whole country of an agency that has marked it.",
                "To take the mark off, /body/flag is off, and /body/reason and /body/instead are left out.",
            ],
        ),
        MessageType::AlertErrorReport => (
            &["/body/errors/0/at"],
            &[
                "A recipient sends it. /body/version is the version that it read.",
                "Each error names a subject by its key, a member by its place in the content of the alert, or both; leave out the \
                 other.",
            ],
        ),
        _ => (&[], &[]),
    }
}
