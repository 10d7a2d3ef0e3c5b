//! `request.close`: the requester has read the last answer and needs no more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CodeLists, Locale, Text, draft::Checker, families::Operational, words::listed_code};

listed_code!(
    /// What came of an answer.
    OutcomeCode, "request_outcomes"
);

/// The body of `request.close`. It has no effect if its sender had not seen the last answer or refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestClose")]
pub struct Close {
    /// What came of it.
    #[schemars(length(min = 1, max = 16), extend("uniqueItems" = true))]
    pub outcomes: Vec<OutcomeCode>,
    /// What the answerer should know of it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Close {
    fn check(_: &mut Checker<'_>) {}

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "request.close", locale);
        let outcomes =
            self.outcomes.iter().map(|code| lists.label("request_outcomes", code.as_str(), locale));
        format!("{kind}: {}", outcomes.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        FaultCode,
        families::support::{example, faults, just, summary, with},
    };

    #[test]
    fn it_says_what_came_of_it() {
        let draft = example("request-close");
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&with(draft.clone(), "/body/outcomes", json!([]))),
            just("/body/outcomes", FaultCode::TooFew)
        );
        let unlisted = with(draft.clone(), "/body/outcomes", json!(["fame"]));
        assert_eq!(faults(&unlisted), just("/body/outcomes/0", FaultCode::UnknownCode));
        assert!(summary(&draft, Locale::En).contains(": "));
    }
}
