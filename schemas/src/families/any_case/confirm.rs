//! `release.confirm`: a second person confirms what one person released in an emergency.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CodeLists, Locale, Text,
    draft::Checker,
    families::{Operational, Reserved},
    view::View,
};

/// The body of `release.confirm`. The header's `in_reply_to` names the message that was released in an emergency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReleaseConfirm")]
pub struct Confirm {
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Confirm {
    fn check(checker: &mut Checker<'_>) {
        checker.must_reply();
    }

    fn reserved(_: &View<'_>) -> Reserved {
        Reserved::Supervisor
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "release.confirm", locale).to_owned()
    }
}
