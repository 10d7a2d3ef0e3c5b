//! `request.ask`: the answerer needs to know more before it can answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::question::QuestionNumber;
use crate::{CodeLists, Locale, Text, draft::Checker, families::Operational};

/// The body of `request.ask`. Until it is clarified the requester's time runs, and not the answerer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestAsk")]
pub struct Ask {
    /// What the answerer needs to know, in the message's language.
    pub text: Text,
    /// The numbers of the questions that cannot be answered without it; all where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(range(min = 1, max = 16)), extend("uniqueItems" = true))]
    pub questions: Vec<QuestionNumber>,
}

impl Operational for Ask {
    fn check(_: &mut Checker<'_>) {}

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "request.ask", locale).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        FaultCode,
        families::support::{checked, example, faults, just, with, without},
    };

    #[rstest]
    #[case("/body/questions", json!([1, 1]), "/body/questions", FaultCode::DuplicateItem)]
    #[case("/body/questions", json!([0]), "/body/questions/0", FaultCode::OutOfRange)]
    #[case("/body/text", json!("  "), "/body/text", FaultCode::BlankText)]
    fn it_says_what_is_needed_and_for_which_questions(
        #[case] pointer: &str,
        #[case] value: Value,
        #[case] place: &str,
        #[case] code: FaultCode,
    ) {
        let draft = example("request-ask");
        assert_eq!(faults(&draft), []);
        assert_eq!(faults(&without(draft.clone(), "/body/questions")), []);
        assert_eq!(faults(&with(draft, pointer, value)), just(place, code));
    }

    #[test]
    fn its_text_is_watched_for_protected_topics() {
        let draft = with(example("request-ask"), "/body/text", "Ni mkimbizi?");
        let advice = checked(&draft).advice(Locale::Sw);
        assert_eq!((advice[0].pointer.as_str(), advice[0].topic.as_str()), ("/body/text", "asylum"));
    }
}
