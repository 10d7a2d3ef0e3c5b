//! `hit.ask_confirmation`: the reporter asks the alert's owner whether it is a hit and the alert stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CodeLists, FaultCode, Locale, Text, Timestamp, draft::Checker, families::Operational, request::Contact,
};

/// The body of `hit.ask_confirmation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HitAskConfirmation")]
pub struct AskConfirmation {
    /// Whether somebody or something is held meanwhile: then the owner has one hour, else twelve.
    pub held: bool,
    /// Until when the reporter may hold, by its own law; with `held`, and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// Whom to telephone.
    pub contact: Contact,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for AskConfirmation {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let Some(is_held) = body.field("held").truth() else { return };
        let until = body.field("held_until");
        let is_past = until.parsed::<Timestamp>().is_some_and(|until| until <= checker.context.now);
        if until.is_there() != is_held || is_past {
            checker.fault(&until.at, FaultCode::HeldUntilMismatch);
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "hit.ask_confirmation", locale).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::support::{example, faults, just, with, without};

    #[test]
    fn who_holds_says_until_when() {
        let draft = example("hit-ask-confirmation");
        let mismatch = just("/body/held_until", FaultCode::HeldUntilMismatch);
        assert_eq!(faults(&draft), []);
        assert_eq!(faults(&without(draft.clone(), "/body/held_until")), mismatch);
        assert_eq!(faults(&with(draft.clone(), "/body/held", false)), mismatch);
        assert_eq!(faults(&with(draft.clone(), "/body/held_until", "2026-11-23T12:00:00Z")), mismatch);
        let free = with(without(draft, "/body/held_until"), "/body/held", false);
        assert_eq!(faults(&free), []);
    }
}
