//! `alert.reply`: the issuer does not accept an error report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CodeLists, Locale, Text, draft::Checker, families::Operational};

/// The body of `alert.reply`. The header's `in_reply_to` names the report. It goes to everybody who has the alert, like all that
/// the issuer says about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertReply")]
pub struct Reply {
    /// Why the report is not accepted, in the message's language, without what the report says: others read it.
    pub reason: Text,
}

impl Operational for Reply {
    fn check(checker: &mut Checker<'_>) {
        checker.must_reply();
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "alert.reply", locale).to_owned()
    }
}
