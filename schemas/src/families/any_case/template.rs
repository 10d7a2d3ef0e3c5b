//! The templates of messages that follow in cases of every family, named after their types.

use crate::{Class, MessageType, template::Plan};

/// The names of the templates.
pub(crate) fn names() -> Vec<&'static str> {
    types().map(MessageType::as_str).collect()
}

/// What a message of the type `name` needs.
pub(crate) fn plan(name: &str) -> Option<Plan> {
    let message_type = types().find(|kind| kind.as_str() == name)?;
    let (needed, notes): (&[&str], &[&str]) = match message_type {
        MessageType::ReleaseConfirm => (
            &["/in_reply_to"],
            &[
                "A supervisor releases it. /in_reply_to is the message that one person released alone in an emergency.",
            ],
        ),
        MessageType::PurgeCertify => (
            &[],
            &[
                "A supervisor releases it.",
                "With the outcome retained, and only then, /body/ground says why the data are kept, and /body/until the last day.",
            ],
        ),
        _ => (&[], &[]),
    };
    Some(Plan::of_follower(message_type, needed, notes))
}

fn types() -> impl Iterator<Item = MessageType> {
    MessageType::operational().filter(|kind| kind.class() == Class::AnyCase)
}
