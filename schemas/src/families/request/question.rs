//! The numbered questions of a request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FaultCode, SubjectKey, Text, draft::Checker, fault::Detail, subjects::SubjectKind, view::View,
    words::listed_code,
};

listed_code!(
    /// What is asked.
    QuestionCode, "questions"
);

/// The number of a question within its request, from 1.
pub type QuestionNumber = u8;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// Its number: 1, 2, 3 … in the order of the list. Answers name it.
    #[schemars(range(min = 1, max = 16))]
    pub n: QuestionNumber,
    /// What is asked.
    pub ask: QuestionCode,
    /// The subject that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectKey>,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

/// What a question needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuestionRule {
    /// The kinds of which its subject is one; empty where it needs no subject.
    pub subjects: &'static [SubjectKind],
    /// Whether its code alone does not say what is asked.
    pub needs_text: bool,
    /// Whether a database of the answerer answers it, without an officer's or a court's decision.
    pub is_direct: bool,
}

/// The rule of a question with this code. One that this version does not know needs an officer, and nothing else is known of it.
pub fn question_rule(code: &str) -> QuestionRule {
    use SubjectKind as K;
    let (subjects, needs_text, is_direct): (&'static [K], _, _) = match code {
        "identity_of_holder" | "document_status" => (&[K::Document], false, true),
        "criminal_record" | "wanted_here" => (&[K::Person], false, true),
        "vehicle_registration" | "vehicle_owner" => (&[K::Vehicle], false, true),
        "entry_exit_record" => (&[K::Person, K::Document, K::Vehicle], false, true),
        "photograph" => (&[K::Person, K::Document], false, true),
        "whereabouts" => (&[K::Person, K::Vehicle, K::Vessel], false, false),
        "take_statement" => (&[K::Person], true, false),
        "victim_support" => (&[K::Person], false, false),
        "phone_subscriber" | "preserve_evidence" | "other" => (&[], true, false),
        _ => (&[], false, false),
    };
    QuestionRule { subjects, needs_text, is_direct }
}

/// Checks the questions of a draft.
pub(super) fn check(checker: &mut Checker<'_>, questions: &View<'_>, subjects: &View<'_>) {
    let keys = known_keys(subjects);
    for (index, question) in questions.items().into_iter().enumerate() {
        let number = question.field("n");
        if number.count().is_some_and(|n| usize::try_from(n).is_ok_and(|n| n != index + 1)) {
            checker.fault(&number.at, FaultCode::QuestionNumbers);
        }
        let Some(code) = question.field("ask").text() else { continue };
        let rule = question_rule(code);
        let (subject, text) = (question.field("subject"), question.field("text"));
        if rule.needs_text && !text.is_there() {
            checker.fault(&text.at, FaultCode::QuestionTextMissing);
        }
        check_subject(checker, &subject, rule.subjects, &keys);
    }
}

fn check_subject(checker: &mut Checker<'_>, subject: &View<'_>, kinds: &[SubjectKind], keys: &[SubjectKey]) {
    let named = subject.parsed::<SubjectKey>();
    let is_of_kind = |key: &SubjectKey| kinds.iter().any(|kind| kind.letter() == key.kind_and_number().0);
    match &named {
        Some(key) if !keys.contains(key) => checker.fault(&subject.at, FaultCode::QuestionSubjectUnknown),
        // The check of the schema reports a misshapen key.
        None if subject.is_there() => {}
        named if kinds.is_empty() || named.as_ref().is_some_and(is_of_kind) => {}
        _ => {
            let lists = checker.context.lists;
            let named = Detail::each(|_, locale| {
                let labels = kinds.iter().map(|kind| lists.label("subject_kinds", kind.as_str(), locale));
                labels.collect::<Vec<_>>().join(", ")
            });
            checker.fault_with(&subject.at, FaultCode::QuestionSubjectMissing, named);
        }
    }
}

/// The keys that the author has given to subjects, and to the documents of persons.
fn known_keys(subjects: &View<'_>) -> Vec<SubjectKey> {
    let mut keys = Vec::new();
    for kind in SubjectKind::ALL {
        for subject in subjects.field(kind.field()).items() {
            keys.extend(subject.field("key").parsed());
            let documents = subject.field("documents").items();
            keys.extend(documents.iter().filter_map(|document| document.field("key").parsed()));
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        CodeLists,
        families::support::{example, faults, just, with, without},
    };

    #[test]
    fn every_code_of_the_list_has_a_rule_and_a_code_of_no_list_none() {
        let nothing = question_rule("of_a_newer_version");
        for entry in &CodeLists::shipped().get("questions").expect("the list").entries {
            assert_ne!(question_rule(&entry.code), nothing, "{}", entry.code);
        }
    }

    #[rstest]
    #[case("/body/questions/1/n", json!(3), "/body/questions/1/n", FaultCode::QuestionNumbers)]
    #[case("/body/questions/0/n", json!(0), "/body/questions/0/n", FaultCode::OutOfRange)]
    #[case("/body/questions/0/ask", json!("shoe_size"), "/body/questions/0/ask", FaultCode::UnknownCode)]
    #[case("/body/questions/0/subject", json!("p7"), "/body/questions/0/subject", FaultCode::QuestionSubjectUnknown)]
    #[case("/body/questions/0/subject", json!("v1"), "/body/questions/0/subject", FaultCode::QuestionSubjectMissing)]
    #[case("/body/questions/0/subject", json!("the first"), "/body/questions/0/subject", FaultCode::WrongFormat)]
    #[case("/body/questions", json!([]), "/body/questions", FaultCode::TooFew)]
    fn each_question_is_numbered_and_about_a_subject_of_its_kind(
        #[case] pointer: &str,
        #[case] value: Value,
        #[case] place: &str,
        #[case] code: FaultCode,
    ) {
        let mut draft = with(example("request-identity-check"), pointer, value);
        draft["body"]["subjects"]["vehicles"] =
            json!([{ "key": "v1", "type": "car", "plate": { "number": "AAA 001 MP", "country": "MOZ" } }]);
        assert!(faults(&draft).contains(&just(place, code)[0]), "{:?}", faults(&draft));
    }

    #[test]
    fn a_question_names_its_subject_and_says_in_words_what_its_code_does_not() {
        let draft = example("request-identity-check");
        assert_eq!(faults(&draft), []);
        let missing = without(draft.clone(), "/body/questions/0/subject");
        assert_eq!(faults(&missing), just("/body/questions/0/subject", FaultCode::QuestionSubjectMissing));
        let other = with(without(draft, "/body/questions/1/text"), "/body/questions/1/ask", "other");
        assert_eq!(faults(&other), just("/body/questions/1/text", FaultCode::QuestionTextMissing));
    }
}
