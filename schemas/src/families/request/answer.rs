//! `request.answer` and `request.answer_partial`: answers by the numbers of the questions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{contact::Contact, question::QuestionNumber, refuse::RefusalReason};
use crate::{
    AgencyCode, CaseSoFar, CodeLists, FaultCode, Identifier, Locale, SecondPersonReason, Subjects, Terms,
    Text, Timestamp,
    draft::{Checker, Remark},
    families::{AtRelease, Operational},
    fault::Finding,
    pointer::Pointer,
    subjects,
    view::View,
};

/// The result for one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "answer_results"))]
pub enum AnswerResult {
    /// There is data, and it is here.
    Found,
    /// It was looked for where it should be, and there is none: the commonest answer, and no refusal.
    NoRecord,
    /// This agency does not hold such data.
    NotHere,
    /// This question is refused, and why.
    Refused,
    /// It comes later.
    Later,
}

impl AnswerResult {
    /// Every result.
    pub const ALL: [Self; 5] = [Self::Found, Self::NoRecord, Self::NotHere, Self::Refused, Self::Later];

    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NoRecord => "no_record",
            Self::NotHere => "not_here",
            Self::Refused => "refused",
            Self::Later => "later",
        }
    }

    fn of(answer: &View<'_>) -> Option<Self> {
        let word = answer.field("result").text()?;
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NumberedAnswer {
    /// The number of the question.
    #[schemars(range(min = 1, max = 16))]
    pub n: QuestionNumber,
    /// The result.
    pub result: AnswerResult,
    /// Why the question is refused; with `refused` only, and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RefusalReason>,
    /// What was found; with `found` only.
    #[serde(default)]
    pub data: Subjects,
    /// The answer in words; with `found` it may stand for data. In the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// When the answer comes; with `later` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_by: Option<Timestamp>,
    /// Who may have it; with `not_here`, or `refused` as `not_available`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub try_agency: Option<AgencyCode>,
}

/// What both kinds of answers say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestAnswer")]
pub struct Answer {
    /// The answers, in the order of the questions' numbers.
    #[schemars(length(min = 1, max = 16))]
    pub answers: Vec<NumberedAnswer>,
    /// Whom to telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// More about all of it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// The body of `request.answer_partial`: what it does not name, or leaves for `later`, is still to be answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "RequestAnswerPartial")]
pub struct AnswerPartial(pub Answer);

impl Operational for Answer {
    fn check(checker: &mut Checker<'_>) {
        check(checker);
        for answer in checker.body().field("answers").items() {
            if AnswerResult::of(&answer) == Some(AnswerResult::Later) {
                checker.fault(&answer.field("result").at, FaultCode::AnswerLater);
            }
        }
    }

    fn put_right(body: &mut Value, at: &Pointer, remarks: &mut Vec<Remark>) {
        let answers = at.field("answers");
        let Some(list) = body.get_mut("answers").and_then(Value::as_array_mut) else { return };
        for (index, answer) in list.iter_mut().enumerate() {
            if let Some(data) = answer.get_mut("data") {
                subjects::put_right::vehicles(data, &answers.item(index).field("data"), remarks);
            }
        }
    }

    fn remark(body: &View<'_>, remarks: &mut Vec<Remark>) {
        data_of(body).iter().for_each(|data| subjects::remark(data, remarks));
    }

    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        found.extend(data_of(body).iter().filter_map(subjects::too_many));
        check_order(body, found);
    }

    fn second_person(body: &View<'_>) -> Vec<SecondPersonReason> {
        let is_about_minor = data_of(body).iter().any(subjects::include_a_minor);
        is_about_minor.then_some(SecondPersonReason::Minor).into_iter().collect()
    }

    /// Whether something was found: data flows here, in words too, and so the protection check is confirmed (cases 3).
    fn names_a_person(body: &View<'_>) -> bool {
        body.field("answers")
            .items()
            .iter()
            .any(|answer| AnswerResult::of(answer) == Some(AnswerResult::Found))
    }

    fn identifiers(body: &View<'_>) -> Vec<Identifier> {
        data_of(body).iter().flat_map(subjects::identifier::of).collect()
    }

    fn normalise(&mut self) {
        self.answers.iter_mut().for_each(|answer| answer.data.normalise_names());
    }

    fn complete(&mut self, at: &AtRelease<'_>) {
        let mut used = at.case.numbers_used.clone();
        for answer in &mut self.answers {
            answer.data.give_keys(&used);
            for key in answer.data.keys() {
                let (letter, number) = key.kind_and_number();
                used.entry(letter).and_modify(|last| *last = number.max(*last)).or_insert(number);
            }
        }
    }

    fn check_against(&self, _: &Terms, case: &CaseSoFar, found: &mut Vec<Finding>) {
        self.check_numbers(case, found);
        let answered = |n: &&QuestionNumber| self.answers.iter().any(|answer| answer.n == **n);
        let missing: Vec<String> =
            case.open_questions.iter().filter(|n| !answered(n)).map(ToString::to_string).collect();
        if !missing.is_empty() {
            let at = Pointer::default().field("body").field("answers");
            found.push(Finding::with(&at, FaultCode::AnswerNumberMissing, missing.join(", ")));
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        self.line("request.answer", lists, locale)
    }
}

impl Operational for AnswerPartial {
    fn check(checker: &mut Checker<'_>) {
        check(checker);
    }

    fn put_right(body: &mut Value, at: &Pointer, remarks: &mut Vec<Remark>) {
        Answer::put_right(body, at, remarks);
    }

    fn remark(body: &View<'_>, remarks: &mut Vec<Remark>) {
        Answer::remark(body, remarks);
    }

    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        Answer::check_received(body, found);
    }

    fn second_person(body: &View<'_>) -> Vec<SecondPersonReason> {
        Answer::second_person(body)
    }

    fn names_a_person(body: &View<'_>) -> bool {
        Answer::names_a_person(body)
    }

    fn identifiers(body: &View<'_>) -> Vec<Identifier> {
        Answer::identifiers(body)
    }

    fn normalise(&mut self) {
        self.0.normalise();
    }

    fn complete(&mut self, at: &AtRelease<'_>) {
        self.0.complete(at);
    }

    fn check_against(&self, _: &Terms, case: &CaseSoFar, found: &mut Vec<Finding>) {
        self.0.check_numbers(case, found);
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        self.0.line("request.answer_partial", lists, locale)
    }
}

impl Answer {
    /// How many answers have each result: `Answer: 2 × found, 1 × no record`.
    fn line(&self, message_type: &str, lists: &CodeLists, locale: Locale) -> String {
        let count =
            |result: AnswerResult| self.answers.iter().filter(|answer| answer.result == result).count();
        let counted = AnswerResult::ALL.into_iter().map(|result| (result, count(result)));
        let named = counted.filter(|(_, count)| *count > 0).map(|(result, count)| {
            format!("{count} × {}", lists.label("answer_results", result.as_str(), locale))
        });
        let kind = lists.label("message_types", message_type, locale);
        format!("{kind}: {}", named.collect::<Vec<_>>().join(", "))
    }

    fn check_numbers(&self, case: &CaseSoFar, found: &mut Vec<Finding>) {
        let at = Pointer::default().field("body").field("answers");
        for (index, answer) in self.answers.iter().enumerate() {
            if !case.questions.contains(&answer.n) {
                found.push(Finding::new(&at.item(index).field("n"), FaultCode::AnswerNumberUnknown));
            }
        }
    }
}

fn data_of<'a>(body: &View<'a>) -> Vec<View<'a>> {
    body.field("answers").items().iter().map(|answer| answer.field("data")).collect()
}

fn check(checker: &mut Checker<'_>) {
    let body = checker.body();
    let mut out_of_order = Vec::new();
    check_order(&body, &mut out_of_order);
    out_of_order.into_iter().for_each(|finding| checker.found.push(finding));
    for answer in body.field("answers").items() {
        let data = answer.field("data");
        subjects::check(checker, &data);
        subjects::check_new_keys(checker, &data);
        if let Some(result) = AnswerResult::of(&answer) {
            check_members(checker, &answer, result);
        }
    }
}

/// Checks that each result has what belongs to it, and nothing that belongs to another.
fn check_members(checker: &mut Checker<'_>, answer: &View<'_>, result: AnswerResult) {
    use AnswerResult as R;
    let data = answer.field("data");
    let has_data = data
        .value()
        .and_then(Value::as_object)
        .is_some_and(|data| data.values().any(|list| list.as_array().is_some_and(|list| !list.is_empty())));
    let is_said = has_data || answer.field("text").is_there();
    if (result == R::Found && !is_said) || (result != R::Found && has_data) {
        checker.fault(&data.at, FaultCode::AnswerDataMismatch);
    }
    let reason = answer.field("reason");
    if reason.is_there() != (result == R::Refused) {
        checker.fault(&reason.at, FaultCode::AnswerReasonMismatch);
    }
    let expected = answer.field("expected_by");
    if expected.is_there() && result != R::Later {
        checker.fault(&expected.at, FaultCode::AnswerExpectedMismatch);
    }
    let agency = answer.field("try_agency");
    let is_elsewhere = result == R::NotHere || reason.text() == Some("not_available");
    if agency.is_there() && !is_elsewhere {
        checker.fault(&agency.at, FaultCode::TryAgencyMismatch);
    }
}

/// Adds a fault for each answer whose number does not come after the one before.
fn check_order(body: &View<'_>, found: &mut Vec<Finding>) {
    let answers = body.field("answers").items();
    let mut before = 0;
    for number in answers.iter().map(|answer| answer.field("n")) {
        let Some(n) = number.count() else { continue };
        if n <= before && before > 0 {
            found.push(Finding::new(&number.at, FaultCode::AnswerNumbers));
        }
        before = before.max(n);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{
        Body, OperationalBody,
        families::support::{
            checked, example, faults, faults_against, just, released, summary, with, without,
        },
        request::AnswerLimits,
    };

    fn asked(questions: &[QuestionNumber], open: &[QuestionNumber]) -> CaseSoFar {
        CaseSoFar {
            questions: questions.iter().copied().collect(),
            open_questions: open.iter().copied().collect::<BTreeSet<_>>(),
            ..CaseSoFar::default()
        }
    }

    /// The example answers: 1 found, 2 no record, 3 refused, 4 not here.
    #[rstest]
    #[case("/body/answers/1/n", json!(1), "/body/answers/1/n", FaultCode::AnswerNumbers)]
    #[case("/body/answers/0/n", json!(0), "/body/answers/0/n", FaultCode::OutOfRange)]
    #[case("/body/answers/1/result", json!("found"), "/body/answers/1/data", FaultCode::AnswerDataMismatch)]
    #[case("/body/answers/1/result", json!("maybe"), "/body/answers/1/result", FaultCode::UnknownValue)]
    #[case("/body/answers/1/result", json!("later"), "/body/answers/1/result", FaultCode::AnswerLater)]
    #[case("/body/answers/1/reason", json!("harms_person"), "/body/answers/1/reason", FaultCode::AnswerReasonMismatch)]
    #[case("/body/answers/1/expected_by", json!("2026-12-01T00:00:00Z"), "/body/answers/1/expected_by", FaultCode::AnswerExpectedMismatch)]
    #[case("/body/answers/1/try_agency", json!("tz.tisd"), "/body/answers/1/try_agency", FaultCode::TryAgencyMismatch)]
    #[case("/body/answers", json!([]), "/body/answers", FaultCode::TooFew)]
    fn each_result_has_what_belongs_to_it(
        #[case] pointer: &str,
        #[case] value: Value,
        #[case] place: &str,
        #[case] code: FaultCode,
    ) {
        let draft = example("request-answer");
        assert_eq!(faults(&draft), []);
        assert_eq!(faults(&with(draft, pointer, value)), just(place, code));
    }

    #[test]
    fn a_refused_question_says_why_and_what_was_found_is_said() {
        let draft = example("request-answer");
        let bare = without(draft.clone(), "/body/answers/2/reason");
        assert_eq!(faults(&bare), just("/body/answers/2/reason", FaultCode::AnswerReasonMismatch));
        let moved = with(draft.clone(), "/body/answers/1/data", draft["body"]["answers"][0]["data"].clone());
        assert_eq!(faults(&moved), just("/body/answers/1/data", FaultCode::AnswerDataMismatch));
        let in_words =
            with(without(draft, "/body/answers/0/data"), "/body/answers/0/text", "Está registado.");
        assert_eq!(faults(&in_words), [], "words may stand for data");
    }

    #[test]
    fn whatever_is_found_needs_the_protection_check_and_a_minor_a_second_person() {
        let draft = without(example("request-answer"), "/terms/protection_check");
        let missing = just("/terms/protection_check/confirmed", FaultCode::ProtectionCheckMissing);
        assert_eq!(faults(&draft), missing);
        let in_words =
            with(without(draft.clone(), "/body/answers/0/data"), "/body/answers/0/text", "Está registado.");
        assert_eq!(faults(&in_words), missing, "words name persons too");
        let nothing = with(without(in_words, "/body/answers/0/text"), "/body/answers/0/result", "no_record");
        assert_eq!(faults(&nothing), []);
        let person = json!({ "role": "owner", "name": { "printed": "Mfano Juma" }, "minor": true });
        let minor = with(example("request-answer"), "/body/answers/0/data", json!({ "persons": [person] }));
        assert_eq!(checked(&minor).second_person_reasons(), [SecondPersonReason::Minor]);
    }

    /// Nothing would suspend it: what was disclosed is disclosed.
    #[test]
    fn an_answer_about_a_minor_waits_for_a_second_person_whatever_the_emergency() {
        let person = json!({ "role": "owner", "name": { "printed": "Mfano Juma" }, "minor": true });
        let draft = with(example("request-answer"), "/body/answers/0/data", json!({ "persons": [person] }));
        assert_eq!(faults(&draft), []);
        let emergency = with(draft, "/terms/emergency", json!({ "reason": "Anahitajika usiku huu." }));
        assert_eq!(faults(&emergency), just("/terms/emergency", FaultCode::EmergencyNotNeeded));
    }

    #[test]
    fn a_whole_answer_leaves_no_question_and_a_part_may() {
        let draft = example("request-answer");
        assert_eq!(faults_against(&draft, &asked(&[1, 2, 3, 4], &[1, 2, 3, 4])), []);
        assert_eq!(faults_against(&draft, &asked(&[1, 2, 3, 4, 5], &[3, 4])), [], "5 was answered before");
        let left = faults_against(&draft, &asked(&[1, 2, 3, 4, 5, 6], &[2, 5, 6]));
        assert_eq!(left, just("/body/answers", FaultCode::AnswerNumberMissing));
        let unknown = faults_against(&draft, &asked(&[1, 2, 3], &[1]));
        assert_eq!(unknown, just("/body/answers/3/n", FaultCode::AnswerNumberUnknown));

        let part = example("request-answer-partial");
        assert_eq!(faults(&part), []);
        assert_eq!(faults_against(&part, &asked(&[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5])), []);
        assert_eq!(faults_against(&part, &asked(&[3], &[3])).len(), 2, "1 and 2 are no questions");
    }

    #[test]
    fn what_is_found_gets_keys_that_the_case_does_not_have() {
        let case = CaseSoFar { numbers_used: BTreeMap::from([('v', 2)]), ..asked(&[1, 2, 3, 4], &[1]) };
        let mut draft = example("request-answer");
        draft["body"]["answers"][1] = draft["body"]["answers"][0].clone();
        draft["body"]["answers"][1]["n"] = json!(2);
        let message = released(&draft, &case, &AnswerLimits::default());
        let Body::Operational(OperationalBody::RequestAnswer(answer)) = message.body else {
            panic!("{message:?}")
        };
        let keys: Vec<String> =
            answer.answers.iter().flat_map(|one| one.data.keys()).map(|key| key.to_string()).collect();
        assert_eq!(keys, ["v3", "v4"]);
        let given = with(draft, "/body/answers/0/data/vehicles/0/key", "v1");
        assert_eq!(faults(&given), just("/body/answers/0/data/vehicles/0/key", FaultCode::SubjectKeyUnknown));
    }

    #[test]
    fn lists_count_the_results_and_name_nobody() {
        let line = summary(&example("request-answer"), Locale::En);
        assert_eq!(line.matches("1 × ").count(), 4, "{line}");
        assert!(summary(&example("request-answer-partial"), Locale::Pt).contains("1 × "));
    }
}
