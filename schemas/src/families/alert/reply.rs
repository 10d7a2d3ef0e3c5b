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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FaultCode, Reserved,
        families::support::{checked, example, faults, just, summary, with, without},
    };

    #[test]
    fn it_names_the_report_and_says_why() {
        let draft = example("alert-reply");
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&without(draft.clone(), "/in_reply_to")),
            just("/in_reply_to", FaultCode::ReplyMissing)
        );
        assert_eq!(
            faults(&with(draft.clone(), "/in_reply_to", "7")),
            just("/in_reply_to", FaultCode::WrongFormat)
        );
        assert_eq!(
            faults(&without(draft.clone(), "/body/reason")),
            just("/body/reason", FaultCode::MissingField)
        );
        assert_eq!(faults(&with(draft, "/body/reason", "  ")), just("/body/reason", FaultCode::BlankText));
    }

    #[test]
    fn its_author_releases_it() {
        assert_eq!(checked(&example("alert-reply")).reserved(), Reserved::No);
        assert_eq!(summary(&example("alert-reply"), Locale::Sw), "Jibu la taarifa ya kosa");
    }
}
