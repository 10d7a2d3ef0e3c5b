//! `request.clarify`: the requester says more, in answer to a question of the answerer or by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::submit;
use crate::{
    CodeLists, Identifier, Locale, SecondPersonReason, Subjects, Text,
    draft::{Checker, Remark},
    families::{AtRelease, Operational},
    fault::Finding,
    pointer::Pointer,
    subjects,
    view::View,
};

/// The body of `request.clarify`. It answers a question only if its sender had that question; otherwise it is a supplement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestClarify")]
pub struct Clarify {
    /// What the answerer needs to know, in the message's language.
    pub text: Text,
    /// Further persons and things.
    #[serde(default)]
    pub subjects: Subjects,
}

impl Operational for Clarify {
    fn check(checker: &mut Checker<'_>) {
        let subjects = checker.body().field("subjects");
        subjects::check(checker, &subjects);
        subjects::check_new_keys(checker, &subjects);
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

    fn second_person(body: &View<'_>) -> Vec<SecondPersonReason> {
        submit::second_person(&body.field("subjects"))
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
        lists.label("message_types", "request.clarify", locale).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{
        Body, CaseSoFar, FaultCode, OperationalBody,
        families::support::{checked, example, faults, just, released, with, without},
        request::AnswerLimits,
    };

    #[test]
    fn further_persons_are_checked_as_the_first_ones_are() {
        let draft = example("request-clarify");
        assert_eq!(faults(&draft), []);
        let unconfirmed = without(draft.clone(), "/terms/protection_check");
        assert_eq!(
            faults(&unconfirmed),
            just("/terms/protection_check/confirmed", FaultCode::ProtectionCheckMissing)
        );
        let minor =
            with(without(draft, "/body/subjects/persons/0/birth"), "/body/subjects/persons/0/minor", true);
        assert_eq!(checked(&minor).second_person_reasons(), [SecondPersonReason::Minor]);
    }

    #[test]
    fn further_subjects_get_keys_that_none_had_before() {
        let draft = example("request-clarify");
        let keyed = with(draft.clone(), "/body/subjects/persons/0/key", json!("p1"));
        assert_eq!(faults(&keyed), just("/body/subjects/persons/0/key", FaultCode::SubjectKeyUnknown));
        let case = CaseSoFar { numbers_used: BTreeMap::from([('p', 3)]), ..CaseSoFar::default() };
        let message = released(&draft, &case, &AnswerLimits::default());
        let Body::Operational(OperationalBody::RequestClarify(clarify)) = message.body else {
            panic!("{message:?}")
        };
        assert_eq!(clarify.subjects.persons[0].key, Some("p4".parse().expect("a key")));
    }
}
