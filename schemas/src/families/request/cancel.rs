//! `request.cancel`: the requester needs no answer any more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CodeLists, Locale, Text, draft::Checker, families::Operational, words::listed_code};

listed_code!(
    /// Why a request is cancelled.
    CancelReason, "cancel_reasons"
);

/// The body of `request.cancel`. It has no effect against an answer or a refusal that its sender had not seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestCancel")]
pub struct Cancel {
    /// Why the request is cancelled.
    pub reason: CancelReason,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Cancel {
    fn check(_: &mut Checker<'_>) {}

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "request.cancel", locale);
        format!("{kind}: {}", lists.label("cancel_reasons", self.reason.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FaultCode,
        families::support::{example, faults, just, summary, with, without},
    };

    #[test]
    fn it_has_a_reason_of_the_list() {
        let draft = example("request-cancel");
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&without(draft.clone(), "/body/reason")),
            just("/body/reason", FaultCode::MissingField)
        );
        assert_eq!(
            faults(&with(draft.clone(), "/body/reason", "mood")),
            just("/body/reason", FaultCode::UnknownCode)
        );
        assert!(summary(&draft, Locale::Sw).contains(": "));
    }
}
