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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        FaultCode,
        families::support::{checked, example, faults, just, summary, with, without},
    };

    #[test]
    fn it_names_what_it_confirms_and_need_not_say_more() {
        let draft = with(example("release-confirm"), "/body", json!({}));
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&without(draft.clone(), "/in_reply_to")),
            just("/in_reply_to", FaultCode::ReplyMissing)
        );
        let unknown = with(draft, "/body/confirmed", true);
        assert_eq!(faults(&unknown), just("/body/confirmed", FaultCode::UnknownField));
    }

    #[test]
    fn a_supervisor_confirms() {
        let draft = example("release-confirm");
        assert_eq!(checked(&draft).reserved(), Reserved::Supervisor);
        let emergency = with(draft.clone(), "/terms/emergency", json!({ "reason": "Haraka." }));
        assert_eq!(faults(&emergency), just("/terms/emergency", FaultCode::EmergencyNotNeeded));
        assert_eq!(summary(&draft, Locale::En), "Confirmation of an emergency release");
    }
}
