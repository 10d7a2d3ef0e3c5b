//! `request.remind`: the requester reminds the answerer, after the limit and once a day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CodeLists, Locale, Text, draft::Checker, families::Operational};

/// The body of `request.remind`. It changes no state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestRemind")]
pub struct Remind {
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Remind {
    fn check(_: &mut Checker<'_>) {}

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "request.remind", locale).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::support::{example, faults, summary, without};

    #[test]
    fn it_needs_no_words() {
        let draft = example("request-remind");
        assert_eq!(faults(&without(draft.clone(), "/body/note")), []);
        assert!(!summary(&draft, Locale::En).is_empty());
    }
}
