//! `info.share`: spontaneous information (Directive (EU) 2023/977, Article 7).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    CaseId, CodeLists, Identifier, Locale, OffenceCode, SecondPersonReason, Subjects, Text,
    draft::{Checker, Remark},
    families::{AtRelease, Operational},
    fault::Finding,
    pointer::Pointer,
    request::{AlsoSent, Contact},
    subjects,
    view::View,
};

/// The body of `info.share`. Nothing is asked, and nobody owes an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SharedInformation")]
pub struct Share {
    /// What is known, in the message's language.
    pub facts: Text,
    /// Why the recipient should know it, in the message's language.
    pub relevance: Text,
    /// How the persons are linked with the purpose; always where a person is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_link: Option<Text>,
    /// The offences behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub offences: Vec<OffenceCode>,
    /// The persons and things that it is about.
    #[serde(default)]
    pub subjects: Subjects,
    /// Whom to telephone.
    pub contact: Contact,
    /// Other cases of the exchange that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub related: Vec<CaseId>,
    /// Other ways by which the same was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub also_sent: Vec<AlsoSent>,
    /// Whether the recipient must not let the persons know.
    #[serde(default)]
    pub discreet: bool,
}

impl Operational for Share {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let subjects = body.field("subjects");
        subjects::check(checker, &subjects);
        subjects::check_given_keys(checker, &subjects);
        subjects::check_person_link(checker, &body);
    }

    fn put_right(body: &mut Value, at: &Pointer, remarks: &mut Vec<Remark>) {
        if let Some(subjects) = body.get_mut("subjects") {
            subjects::put_right::vehicles(subjects, &at.field("subjects"), remarks);
        }
    }

    fn remark(body: &View<'_>, remarks: &mut Vec<Remark>) {
        subjects::remark(&body.field("subjects"), remarks);
    }

    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        found.extend(subjects::too_many(&body.field("subjects")));
    }

    /// Nobody waits for it: a person, as in an alert, needs a second pair of eyes.
    fn second_person(body: &View<'_>) -> Vec<SecondPersonReason> {
        subjects::second_person(&body.field("subjects"))
    }

    fn names_a_person(body: &View<'_>) -> bool {
        subjects::name_a_person(&body.field("subjects"))
    }

    fn identifiers(body: &View<'_>) -> Vec<Identifier> {
        subjects::identifier::of(&body.field("subjects"))
    }

    fn normalise(&mut self) {
        self.subjects.normalise_names();
    }

    fn complete(&mut self, at: &AtRelease<'_>) {
        self.subjects.give_keys(&at.case.numbers_used);
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "info.share", locale);
        let subjects = self.subjects.line(lists, locale);
        if subjects.is_empty() { kind.to_owned() } else { format!("{kind}: {subjects}") }
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
    fn what_names_a_person_says_why_and_needs_two() {
        let draft = example("info-share");
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&without(draft.clone(), "/body/person_link")),
            just("/body/person_link", FaultCode::PersonLinkMissing)
        );
        assert_eq!(checked(&draft).second_person_reasons(), [SecondPersonReason::Person]);
        assert_eq!(checked(&draft).reserved(), Reserved::No);
        assert!(summary(&draft, Locale::En).contains("1 × person"));
    }

    #[test]
    fn it_says_what_is_known_and_why_the_recipient_should_know_it() {
        for member in ["/body/facts", "/body/relevance", "/body/contact"] {
            let draft = without(example("info-share"), member);
            assert_eq!(faults(&draft), just(member, FaultCode::MissingField));
        }
    }
}
