//! `request.submit`: a new request for assistance.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    contact::{AlsoSent, Contact},
    limits, question,
    question::Question,
};
use crate::{
    CaseId, CodeLists, FaultCode, Identifier, Line, Locale, MessageId, OffenceCode, SecondPersonReason,
    Subjects, Text, Timestamp,
    draft::{Checker, Remark},
    families::{AtRelease, Operational},
    fault::Finding,
    pointer::Pointer,
    subjects,
    view::View,
    words::listed_code,
};

listed_code!(
    /// The kind of a request.
    RequestKind, "request_kinds"
);
listed_code!(
    /// Why the data is thought to be held by the agency that is asked.
    ReasonHeldCode, "reasons_held"
);

/// Why the data is thought to be held by the agency that is asked (Directive (EU) 2023/977, Article 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonHeld {
    /// The reason.
    pub code: ReasonHeldCode,
    /// More about it; always with `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

/// The time by which the answer is needed: a hearing, the end of a detention. It is not the transport expiry, and moves no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeededBy {
    /// The time.
    pub at: Timestamp,
    /// Why, in the message's language.
    pub reason: Text,
}

/// What the answer is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "request_uses"))]
pub enum Use {
    /// To go on working.
    Intelligence,
    /// Before a court.
    Evidence,
}

/// The body of `request.submit`. The request's id is the message's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Request")]
pub struct Submit {
    /// The kind.
    pub kind: RequestKind,
    /// The questions, numbered from 1.
    #[schemars(length(min = 1, max = 16))]
    pub questions: Vec<Question>,
    /// The offences behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub offences: Vec<OffenceCode>,
    /// What happened, in the message's language.
    pub facts: Text,
    /// How the persons are linked with the purpose; always where a person is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person_link: Option<Text>,
    /// Why the data is thought to be held there.
    pub reason_held: ReasonHeld,
    /// The persons and things that it is about.
    #[serde(default)]
    pub subjects: Subjects,
    /// The time by which the answer is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_by: Option<NeededBy>,
    /// Whom to telephone.
    pub contact: Contact,
    /// The answerer's own reference, where there is one already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub your_reference: Option<Line>,
    /// Other cases of the exchange that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub related: Vec<CaseId>,
    /// Other ways by which the same was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub also_sent: Vec<AlsoSent>,
    /// What the answer is to be used for.
    #[serde(rename = "use")]
    pub intended_use: Use,
    /// The request for mutual legal assistance on which use as evidence rests; with `evidence` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_assistance: Option<Text>,
    /// Whether the answerer must not let the persons know.
    #[serde(default)]
    pub discreet: bool,
    /// Whether the answerer will be told what came of it. The requester then closes with an outcome in words.
    #[serde(default)]
    pub feedback_promised: bool,
    /// The common mark of requests that ask several agencies the same: the id of any one of them, or a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<MessageId>,
    /// The hours to answer, from the delivery; the gateway writes what the agreement says. A released request always has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = limits::ANSWER_HOURS_MAX))]
    pub answer_within_hours: Option<u16>,
}

impl Submit {
    /// Whether a database of the answerer answers every question.
    pub fn is_direct(&self) -> bool {
        limits::are_direct(self.questions.iter().map(|question| question.ask.as_str()))
    }
}

impl Operational for Submit {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let subjects = body.field("subjects");
        subjects::check(checker, &subjects);
        subjects::check_given_keys(checker, &subjects);
        question::check(checker, &body.field("questions"), &subjects);
        subjects::check_person_link(checker, &body);
        let held = body.field("reason_held");
        if held.field("code").text() == Some("other") && !held.field("text").is_there() {
            checker.fault(&held.field("text").at, FaultCode::ReasonHeldTextMissing);
        }
        let needed = body.field("needed_by").field("at");
        if needed.parsed::<Timestamp>().is_some_and(|at| at <= checker.context.now) {
            checker.fault(&needed.at, FaultCode::NeededByPast);
        }
        check_evidence(checker, &body);
        let limit = body.field("answer_within_hours");
        if limit.is_there() {
            checker.fault(&limit.at, FaultCode::LimitGiven);
        }
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
        for (index, question) in body.field("questions").items().into_iter().enumerate() {
            let number = question.field("n");
            // Answers name questions by their numbers: none may be ambiguous.
            if number.count().is_some_and(|n| usize::try_from(n).is_ok_and(|n| n != index + 1)) {
                found.push(Finding::new(&number.at, FaultCode::QuestionNumbers));
            }
        }
    }

    fn second_person(body: &View<'_>) -> Vec<SecondPersonReason> {
        second_person(&body.field("subjects"))
    }

    fn names_a_person(body: &View<'_>) -> bool {
        subjects::name_a_person(&body.field("subjects"))
    }

    fn identifiers(body: &View<'_>) -> Vec<Identifier> {
        subjects::identifier::of(&body.field("subjects"))
    }

    fn is_direct(body: &View<'_>) -> bool {
        limits::are_direct_in(&body.field("questions"))
    }

    fn facet_of(body: &View<'_>) -> Option<String> {
        body.field("kind").parsed::<RequestKind>().map(|kind| kind.to_string())
    }

    fn facet(&self) -> Option<&str> {
        Some(self.kind.as_str())
    }

    fn normalise(&mut self) {
        self.subjects.normalise_names();
    }

    fn complete(&mut self, at: &AtRelease<'_>) {
        self.subjects.give_keys(&at.case.numbers_used);
        self.answer_within_hours = Some(at.answer_limits.hours(at.terms.urgency.level, self.is_direct()));
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("request_kinds", self.kind.as_str(), locale);
        let subjects = self.subjects.line(lists, locale);
        if subjects.is_empty() { kind.to_owned() } else { format!("{kind}: {subjects}") }
    }
}

/// An adult needs one person only: two would make eight hours a fiction (domain 5).
pub(super) fn second_person(subjects: &View<'_>) -> Vec<SecondPersonReason> {
    subjects::include_a_minor(subjects).then_some(SecondPersonReason::Minor).into_iter().collect()
}

fn check_evidence(checker: &mut Checker<'_>, body: &View<'_>) {
    let assistance = body.field("legal_assistance");
    let is_evidence = match body.field("use").text() {
        Some("evidence") => true,
        Some("intelligence") => false,
        _ => return,
    };
    if assistance.is_there() != is_evidence {
        checker.fault(&assistance.at, FaultCode::EvidenceMismatch);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{
        Body, CaseSoFar, OperationalBody, Reserved,
        families::support::{checked, example, faults, just, released, summary, with, without},
        request::AnswerLimits,
    };

    #[test]
    fn a_request_about_a_person_says_the_role_and_the_link_and_why_the_data_is_there() {
        let draft = example("request-identity-check");
        assert_eq!(faults(&draft), []);
        let cases = [
            ("/body/subjects/persons/0/role", FaultCode::MissingField),
            ("/body/person_link", FaultCode::PersonLinkMissing),
            ("/body/reason_held", FaultCode::MissingField),
            ("/body/contact", FaultCode::MissingField),
            ("/body/facts", FaultCode::MissingField),
            ("/body/use", FaultCode::MissingField),
            ("/terms/protection_check", FaultCode::ProtectionCheckMissing),
        ];
        for (member, code) in cases {
            let place = match code {
                FaultCode::ProtectionCheckMissing => "/terms/protection_check/confirmed",
                _ => member,
            };
            assert_eq!(faults(&without(draft.clone(), member)), just(place, code), "{member}");
        }
    }

    #[rstest]
    #[case("/body/reason_held", json!({ "code": "other" }), "/body/reason_held/text", FaultCode::ReasonHeldTextMissing)]
    #[case("/body/needed_by", json!({ "at": "2026-11-23T11:59:59Z", "reason": "Audiência." }), "/body/needed_by/at", FaultCode::NeededByPast)]
    #[case("/body/legal_assistance", json!("Carta rogatória 4/2026."), "/body/legal_assistance", FaultCode::EvidenceMismatch)]
    #[case("/body/use", json!("evidence"), "/body/legal_assistance", FaultCode::EvidenceMismatch)]
    #[case("/body/answer_within_hours", json!(1), "/body/answer_within_hours", FaultCode::LimitGiven)]
    #[case("/recipients", json!(["tz.tpf", "tz.tisd"]), "/recipients", FaultCode::OneRecipientOnly)]
    #[case("/body/kind", json!("favour"), "/body/kind", FaultCode::UnknownCode)]
    fn what_contradicts_itself_is_told(
        #[case] pointer: &str,
        #[case] value: Value,
        #[case] place: &str,
        #[case] code: FaultCode,
    ) {
        assert_eq!(faults(&with(example("request-identity-check"), pointer, value)), just(place, code));
    }

    #[test]
    fn an_adult_needs_one_person_and_a_minor_two() {
        let draft = example("request-identity-check");
        assert_eq!(checked(&draft).second_person_reasons(), []);
        assert_eq!(checked(&draft).reserved(), Reserved::No);
        let minor = with(
            with(draft, "/body/subjects/persons/0/minor", true),
            "/body/subjects/persons/0/birth",
            json!({ "precision": "year", "year": 2015 }),
        );
        assert_eq!(checked(&minor).second_person_reasons(), [SecondPersonReason::Minor]);
    }

    #[test]
    fn the_gateway_gives_keys_and_writes_the_time_that_the_agreement_gives() {
        let limits = AnswerLimits { urgent_direct_hours: 4, ..AnswerLimits::default() };
        let hours = |draft: &Value| {
            let message = released(draft, &CaseSoFar::default(), &limits);
            let Body::Operational(OperationalBody::RequestSubmit(submit)) = message.body else {
                panic!("a request")
            };
            assert!(submit.subjects.persons.iter().all(|person| person.key.is_some()));
            submit.answer_within_hours
        };
        let direct = example("request-identity-check");
        assert_eq!(hours(&direct), Some(168));
        let urgent = with(
            direct,
            "/terms/urgency",
            json!({ "level": "urgent", "reason": "detention_decision", "statement": "Detido até amanhã." }),
        );
        assert_eq!(hours(&urgent), Some(4));
        let officer = with(urgent, "/body/questions/1/ask", "whereabouts");
        assert_eq!(hours(&officer), Some(72));
    }

    #[test]
    fn lists_name_the_kind_and_the_number_of_subjects_and_nobody() {
        let line = summary(&example("request-identity-check"), Locale::En);
        assert!(line.ends_with(": 1 × person") && !line.contains("Mtungwa"), "{line}");
        assert_eq!(checked(&example("request-identity-check")).facet().as_deref(), Some("identity_check"));
    }
}
