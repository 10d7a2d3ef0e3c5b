//! The templates of requests, one for each kind, and of the messages that follow them.

use serde_json::{Value, json};

use super::question_rule;
use crate::{
    Class, CodeLists, Date, Family, MessageType,
    subjects::SubjectKind,
    template::{Plan, TemplateContext, identity},
};

/// Days for which a template proposes that the answerer may keep a request.
const RETENTION_DAYS: i32 = 365;

/// The names of the templates: the kinds of requests, each after the family, and the types of the messages that follow.
pub(crate) fn names() -> Vec<&'static str> {
    KINDS.iter().map(|(name, _, _)| *name).chain(followers().map(MessageType::as_str)).collect()
}

/// What a draft of the kind `name` needs.
pub(crate) fn plan(name: &str, context: &TemplateContext<'_>) -> Option<Plan> {
    let kind = KINDS.iter().find(|(known, _, _)| *known == name);
    let of_kind = kind.map(|(name, questions, purpose)| of_kind(name, questions, purpose, context));
    of_kind.or_else(|| followers().find(|kind| kind.as_str() == name).map(follower))
}

/// The template of each kind, with the questions that are usually asked and the usual purpose.
const KINDS: [(&str, &[&str], &str); 9] = [
    ("request.identity_check", &["identity_of_holder", "document_status"], "identification"),
    ("request.criminal_record", &["criminal_record"], "investigation"),
    ("request.vehicle_or_document_status", &["vehicle_registration", "vehicle_owner"], "detection"),
    ("request.locate_person", &["whereabouts"], "investigation"),
    ("request.take_statement", &["take_statement"], "investigation"),
    ("request.preserve_evidence", &["preserve_evidence"], "investigation"),
    ("request.victim_assistance", &["victim_support"], "protection_of_victims"),
    ("request.joint_operation", &["other"], "investigation"),
    ("request.other", &["other"], "investigation"),
];

fn of_kind(name: &str, questions: &[&str], purpose: &str, context: &TemplateContext<'_>) -> Plan {
    let kind = name.strip_prefix("request.").unwrap_or(name);
    let subjects: Vec<SubjectKind> =
        questions.iter().filter_map(|code| question_rule(code).subjects.first().copied()).collect();
    let mut values: Vec<(String, Value)> = vec![
        ("/body/kind".to_owned(), json!(kind)),
        ("/terms/purpose".to_owned(), json!(purpose)),
        ("/terms/retain_until".to_owned(), json!(Date::of(context.now).plus_days(RETENTION_DAYS))),
        ("/body/use".to_owned(), json!("intelligence")),
        ("/body/questions".to_owned(), numbered(questions)),
    ];
    let mut needed: Vec<String> = Vec::new();
    for subject in &subjects {
        let at = format!("/body/subjects/{}/0", subject.field());
        values.push((format!("{at}/key"), json!(format!("{}1", subject.letter()))));
        needed.extend(identity(*subject).iter().map(|member| format!("{at}/{member}")));
    }
    if subjects.contains(&SubjectKind::Person) {
        needed.push("/body/person_link".to_owned());
        // A confirmation that is not given yet.
        values.push(("/terms/protection_check/confirmed".to_owned(), json!(false)));
    }
    let aside = SubjectKind::ALL.into_iter().filter(|other| !subjects.contains(other));
    Plan {
        message_type: MessageType::RequestSubmit,
        values,
        needed,
        aside: aside.map(|other| format!("/body/subjects/{}", other.field())).collect(),
        notes: notes(),
    }
}

/// The questions with their numbers, each about the first subject of its kind.
fn numbered(questions: &[&str]) -> Value {
    let one = |(index, code): (usize, &&str)| {
        let rule = question_rule(code);
        let mut question = json!({ "n": index + 1, "ask": code });
        if let Some(kind) = rule.subjects.first() {
            question["subject"] = json!(format!("{}1", kind.letter()));
        }
        if rule.needs_text {
            question["text"] = json!("");
        }
        question
    };
    questions.iter().enumerate().map(one).collect()
}

fn notes() -> Vec<String> {
    let codes = CodeLists::shipped().get("questions");
    let codes: Vec<&str> =
        codes.iter().flat_map(|list| &list.entries).map(|entry| entry.code.as_str()).collect();
    vec![
        "It goes to one agency. To ask several the same, send one request to each with the same /body/group.".to_owned(),
        format!("/body/questions are numbered 1, 2, 3 …, each with one of: {}.", codes.join(", ")),
        "A question names the subject that it is about by its key, such as p1 or v1: give the subject that key.".to_owned(),
        "A request about a person says in /body/person_link how the person is linked with its purpose.".to_owned(),
        "The gateway writes the time to answer: leave out /body/answer_within_hours.".to_owned(),
        "With the use evidence, and only then, /body/legal_assistance names the request for mutual legal assistance.".to_owned(),
    ]
}

fn followers() -> impl Iterator<Item = MessageType> {
    MessageType::operational().filter(|kind| kind.class() == Class::Follower(Family::Request))
}

fn follower(message_type: MessageType) -> Plan {
    let (needed, notes): (&[&str], &[&str]) = match message_type {
        MessageType::RequestAsk => (
            &[],
            &[
                "The answerer sends it. The requester's time runs until it clarifies.",
                "/body/questions are the numbers of the questions that wait for it; all where it is left out.",
            ],
        ),
        MessageType::RequestClarify => (&[], &["The requester sends it."]),
        MessageType::RequestAcknowledge => (&[], &["The answerer sends it. It moves no limit."]),
        MessageType::RequestDelay => (&[], &["The answerer sends it, with the new limit and why."]),
        MessageType::RequestAnswer | MessageType::RequestAnswerPartial => (
            &["/body/answers/0/text"],
            &[
                "The answerer sends it. Each answer names the number of its question, in their order.",
                "result: found (with /data, /text or both), no_record, not_here (it may name /try_agency), refused (with /reason), \
                 later (in an answer in part; it may have /expected_by).",
                "Whatever is found needs /terms/protection_check, confirmed by its author.",
            ],
        ),
        MessageType::RequestRefuse => (
            &[],
            &[
                "A supervisor of the answerer releases it.",
                "With the reason not_available it may name /body/try_agency; with already_answered it has \
                 /body/answered_reference.",
            ],
        ),
        MessageType::RequestRemind => {
            (&[], &["The requester sends it, after the limit and at most once a day."])
        }
        MessageType::RequestCancel => (
            &[],
            &[
                "The requester sends it. It has no effect against an answer that was on its way.",
                "What was answered until then is erased, and that is certified.",
            ],
        ),
        MessageType::RequestClose => (&[], &["The requester sends it, after it has read the last answer."]),
        _ => (&[], &[]),
    };
    let mut plan = Plan::of_follower(message_type, needed, notes);
    if matches!(message_type, MessageType::RequestAnswer | MessageType::RequestAnswerPartial) {
        // A confirmation that is not given yet.
        plan.values.push(("/terms/protection_check/confirmed".to_owned(), json!(false)));
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_list_has_a_template() {
        let list = CodeLists::shipped().get("request_kinds").expect("the list");
        let kinds: Vec<String> = list.entries.iter().map(|entry| format!("request.{}", entry.code)).collect();
        assert_eq!(kinds, KINDS.map(|(name, _, _)| name));
    }
}
