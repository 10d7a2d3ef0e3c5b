//! `request.acknowledge`: the answerer has taken a request up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contact::Contact;
use crate::{CodeLists, Line, Locale, Text, Timestamp, draft::Checker, families::Operational};

/// The body of `request.acknowledge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestAcknowledge")]
pub struct Acknowledge {
    /// When the answerer expects to answer. It moves no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_by: Option<Timestamp>,
    /// The answerer's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub our_reference: Option<Line>,
    /// Whom to telephone.
    pub contact: Contact,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Acknowledge {
    fn check(_: &mut Checker<'_>) {}

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "request.acknowledge", locale).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FaultCode, Reserved,
        families::support::{checked, example, faults, just, summary, without},
    };

    #[test]
    fn it_says_whom_to_telephone() {
        let draft = example("request-acknowledge");
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&without(draft.clone(), "/body/contact")),
            just("/body/contact", FaultCode::MissingField)
        );
        assert_eq!(faults(&without(draft.clone(), "/body/expected_by")), []);
        assert_eq!(checked(&draft).reserved(), Reserved::No);
        assert!(!summary(&draft, Locale::Sw).is_empty());
    }
}
