//! The facts of a valid draft, and the message that it becomes.

mod support;

use std::collections::BTreeMap;

use rovuma_schemas::{
    AgencyDirectory, Body, CheckedDraft, CodeLists, Date, FaultCode, Header, Lane, Locale, Message,
    MessageId, MessageType, OperationalBody, Recipient, SecondPersonReason, Sender, Status, StoreId,
    Timestamp, ValidDraft, ValidationContext, Version,
    limits::{FAULTS_SHOWN_MAX, RECIPIENTS_MAX},
};
use rstest::rstest;
use serde_json::Value;
use support::{check_draft, now, read_folder};

fn json(name: &str) -> Value {
    let file = format!("{name}.json");
    let (_, text) = read_folder("valid").into_iter().find(|(name, _)| *name == file).expect("the example");
    serde_json::from_str(&text).expect("JSON")
}

fn valid(draft: &Value) -> ValidDraft {
    let bytes = serde_json::to_vec(draft).expect("JSON");
    check_draft(&bytes, AgencyDirectory::shipped(), Locale::En).expect("a valid draft")
}

fn checked(draft: &Value) -> CheckedDraft {
    let sender = "mz.prm".parse().expect("an agency");
    let bytes = serde_json::to_vec(draft).expect("JSON");
    CheckedDraft::read(&bytes, &ValidationContext::shipped(now(), &sender)).expect("a draft")
}

fn end_of(draft: &ValidDraft) -> Timestamp {
    draft.ends(now()).expect("an alert ends")
}

fn header(draft: &ValidDraft) -> Header {
    let recipient = |agency: &rovuma_schemas::AgencyCode| Recipient {
        agency: agency.clone(),
        lane: draft.lane(),
        stream: Some(StoreId::draw()),
        number: Some(1),
    };
    Header {
        id: MessageId::draw(now()),
        message_type: "alert.issue".into(),
        version: Version::CURRENT,
        status: Status::Exercise,
        sender: Sender { agency: "mz.prm".parse().expect("an agency"), unit: None, officer: None },
        recipients: draft.recipients().iter().map(recipient).collect(),
        created: now(),
        expires: draft.transport_expiry(now()),
        reference: draft.reference().map(ToString::to_string),
        in_reply_to: draft.in_reply_to(),
        replaces: None,
        first_created: None,
        case: None,
        turn: None,
        seen: BTreeMap::new(),
    }
}

#[rstest]
#[case("alert-stolen-motorcycle", &[])]
#[case("alert-modus-operandi", &[])]
#[case("alert-wanted-person", &[SecondPersonReason::Person])]
#[case("alert-missing-person", &[SecondPersonReason::Minor, SecondPersonReason::Person, SecondPersonReason::Handling])]
#[case("alert-threat-warning", &[SecondPersonReason::Handling])]
#[case("alert-stolen-passports", &[SecondPersonReason::Person])]
fn a_second_person_is_asked_for_where_the_domain_says_so(
    #[case] name: &str,
    #[case] expected: &[SecondPersonReason],
) {
    let draft = valid(&json(name));
    assert_eq!(draft.second_person_reasons(), expected);
}

#[rstest]
#[case("alert-stolen-motorcycle", "2029-11-23")]
#[case("alert-wanted-person", "2031-11-23")]
#[case("alert-person-check", "2027-11-23")]
#[case("alert-threat-warning", "2026-12-23")]
#[case("alert-stolen-passports", "2036-11-23")]
fn an_alert_without_an_end_ends_with_its_category(#[case] name: &str, #[case] expected: &str) {
    let draft = valid(&json(name));
    assert_eq!(Date::of(end_of(&draft)).to_string(), expected);
}

#[test]
fn a_document_alert_ends_with_its_last_document() {
    let mut draft = json("alert-stolen-passports");
    draft["body"]["subjects"]["documents"].as_array_mut().expect("documents").remove(0);
    assert_eq!(end_of(&valid(&draft)).to_string(), "2029-04-01T00:00:00Z");
    draft["body"]["subjects"]["documents"][0] = serde_json::json!({ "type": "passport", "number": "EX1", "status": "stolen", "expires": "2020-01-01" });
    assert_eq!(Date::of(end_of(&valid(&draft))).to_string(), "2036-11-23");
}

#[test]
fn transport_ends_before_the_alert_does_and_within_ninety_days() {
    let days = |draft: &Value| {
        let expiry = valid(draft).transport_expiry(now()).expect("an opener expires on the way");
        expiry.since(now()).as_secs() / 86_400
    };
    assert_eq!(days(&json("alert-stolen-motorcycle")), 90);
    assert_eq!(days(&json("alert-threat-warning")), 30);
    let mut hasty = json("alert-threat-warning");
    hasty["expires"] = "2026-11-24T12:00:00Z".into();
    assert_eq!(days(&hasty), 1);
}

#[test]
fn the_lane_follows_the_urgency() {
    assert_eq!(valid(&json("alert-stolen-motorcycle")).lane(), Lane::Urgent);
    assert_eq!(valid(&json("alert-stolen-dhow")).lane(), Lane::Normal);
}

#[test]
fn a_summary_counts_and_names_nobody() {
    let line = |name: &str, locale| valid(&json(name)).summary(CodeLists::shipped(), locale);
    assert_eq!(line("alert-stolen-motorcycle", Locale::En), "Vehicle: 1 × vehicle, 1 × event or place");
    assert_eq!(
        line("alert-wanted-person", Locale::Pt),
        "Pessoa procurada para detenção: 1 × pessoa, 1 × evento ou lugar"
    );
    assert_eq!(line("alert-modus-operandi", Locale::Sw), "Mbinu za uhalifu");
}

#[test]
fn every_valid_draft_becomes_a_message_that_the_other_side_reads() {
    for (name, text) in read_folder("valid").into_iter().filter(|(name, _)| name.starts_with("alert-")) {
        let draft = valid(&serde_json::from_str(&text).expect("JSON"));
        let header = header(&draft);
        let message = draft.into_message(header.clone());
        let payload = message.to_payload();
        assert_eq!(Header::from_payload(&payload).expect("a header"), header, "{name}");
        let read = Message::parse(&payload).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        assert_eq!(read, message, "{name}");
        let Body::Operational(OperationalBody::AlertIssue(alert)) = &read.body else {
            panic!("{name} is no alert")
        };
        assert!(alert.validity.until.is_some(), "{name} has no end");
        assert!(
            alert
                .subjects
                .persons
                .iter()
                .flat_map(|person| &person.name)
                .all(|name| name.normalised.is_some()),
            "{name} has a name that is not normalised"
        );
    }
}

#[test]
fn a_draft_is_never_larger_than_the_message_it_becomes_may_be() {
    let mut draft = json("alert-stolen-ivory");
    let with_objects = |draft: &mut Value, count: usize| {
        let item = serde_json::json!({ "type": "other", "description": "x".repeat(16 * 1024) });
        draft["body"]["subjects"]["objects"] = vec![item; count].into();
        let bytes = serde_json::to_vec(draft).expect("JSON");
        check_draft(&bytes, AgencyDirectory::shipped(), Locale::En)
    };
    let largest = with_objects(&mut draft, 14).expect("it fits");
    let header = header(&largest);
    Message::parse(&largest.into_message(header).to_payload()).expect("the message fits too");
    let faults = with_objects(&mut draft, 15).expect_err("no room for the header");
    assert_eq!(faults[0].code.as_str(), "too_large");
}

#[test]
fn free_text_about_what_is_not_carried_is_pointed_out_but_not_refused() {
    let mut draft = json("alert-stolen-motorcycle");
    assert!(checked(&draft).advice(Locale::Pt).is_empty());
    draft["body"]["circumstances"] = "Um dos homens terá pedido asilo.".into();
    let advice = checked(&draft).advice(Locale::Pt);
    assert_eq!(advice.len(), 1);
    assert_eq!((advice[0].pointer.as_str(), advice[0].topic.as_str()), ("/body/circumstances", "asylum"));
}

#[test]
fn an_incomplete_draft_is_kept_with_all_its_faults_and_what_can_be_read_of_it() {
    let draft = checked(&serde_json::json!({ "type": "alert.issue", "body": { "category": "vehicle" } }));
    assert_eq!(draft.message_type(), MessageType::AlertIssue);
    assert_eq!(draft.facet().as_deref(), Some("vehicle"));
    assert_eq!(draft.status(), None);
    assert!(draft.valid().is_none());
    let missing: Vec<String> = draft
        .faults(Locale::En)
        .into_iter()
        .filter(|fault| fault.code == FaultCode::MissingField)
        .map(|fault| fault.pointer)
        .collect();
    assert_eq!(missing, ["/body/actions", "/body/circumstances", "/recipients", "/status", "/terms"]);
}

#[rstest]
#[case("PRM-7/2026", Some("PRM-7/2026"))]
#[case(&"x".repeat(201), None)]
#[case("PRM\0", None)]
#[case("PRM\n7", None)]
#[case("", None)]
fn the_reference_of_a_draft_is_read_only_when_it_is_one_line(
    #[case] posted: &str,
    #[case] expected: Option<&str>,
) {
    let draft = checked(&serde_json::json!({ "type": "alert.issue", "reference": posted }));
    assert_eq!(draft.reference().as_ref().map(rovuma_schemas::Line::as_str), expected);
}

#[test]
fn a_draft_shows_its_first_faults_and_the_number_of_all() {
    let zeros = vec![0; 100_000];
    let draft = checked(&serde_json::json!({ "type": "alert.issue", "recipients": zeros }));
    assert_eq!(draft.faults(Locale::En).len(), FAULTS_SHOWN_MAX);
    assert!(draft.fault_count() > 100_000, "{}", draft.fault_count());
    let twice: Vec<String> = (0..10_000).map(|n| format!("\"k{n}\":0,\"k{n}\":0")).collect();
    let sender = "mz.prm".parse().expect("an agency");
    let context = ValidationContext::shipped(now(), &sender);
    let bytes = format!("{{{}}}", twice.join(","));
    let none = CheckedDraft::read(bytes.as_bytes(), &context).expect_err("every name is there twice");
    assert_eq!((none.faults(Locale::En).len(), none.fault_count()), (FAULTS_SHOWN_MAX, 10_000));
}

#[test]
fn long_names_around_many_faults_do_not_make_the_answer_long() {
    let name = "x".repeat(100_000);
    let twice: Vec<String> = (0..5_000).map(|n| format!("\"k{n}\":0,\"k{n}\":0")).collect();
    let bytes = format!("{{\"{name}\":{{{}}}}}", twice.join(","));
    let sender = "mz.prm".parse().expect("an agency");
    let context = ValidationContext::shipped(now(), &sender);
    let none = CheckedDraft::read(bytes.as_bytes(), &context).expect_err("every name is there twice");
    assert_eq!((none.faults(Locale::En).len(), none.fault_count()), (1, 5_000));

    let note = vec!["asilo"; 10_000];
    let draft = checked(&serde_json::json!({ "type": "alert.issue", name: { "note": note } }));
    assert_eq!(draft.advice(Locale::Pt).len(), 1);
    let draft = checked(&serde_json::json!({ "type": "alert.issue", "body": { "note": note } }));
    assert_eq!(draft.advice(Locale::Pt).len(), FAULTS_SHOWN_MAX);
}

#[test]
fn recipients_beyond_the_maximum_are_not_checked_one_by_one() {
    let recipients: Vec<String> = (0..20_000).map(|n| format!("tz.a{n}")).collect();
    let draft = checked(&serde_json::json!({ "type": "alert.issue", "recipients": recipients }));
    let faults = draft.faults(Locale::En);
    let count = |code| faults.iter().filter(|fault| fault.code == code).count();
    assert_eq!(count(FaultCode::RecipientUnknown), RECIPIENTS_MAX);
    assert_eq!(count(FaultCode::TooMany), 1);
    assert!(draft.fault_count() < 50, "{}", draft.fault_count());
}

#[test]
fn free_text_of_an_incomplete_draft_is_watched_too() {
    let body = serde_json::json!({ "circumstances": "Pediu asilo em Nampula." });
    let draft = checked(&serde_json::json!({ "type": "alert.issue", "body": body }));
    assert_eq!(draft.advice(Locale::Pt).len(), 1);
}

#[rstest]
#[case(serde_json::json!({}), "/type", FaultCode::MissingField)]
#[case(serde_json::json!({ "type": 7 }), "/type", FaultCode::UnknownValue)]
#[case(serde_json::json!({ "type": "alert.recall" }), "/type", FaultCode::UnknownValue)]
#[case(serde_json::json!({ "type": "receipt.read" }), "/type", FaultCode::UnknownValue)]
#[case(serde_json::json!(["alert.issue"]), "", FaultCode::WrongType)]
fn what_is_no_draft_of_a_known_type_is_not_kept(
    #[case] posted: Value,
    #[case] pointer: &str,
    #[case] code: FaultCode,
) {
    let sender = "mz.prm".parse().expect("an agency");
    let bytes = serde_json::to_vec(&posted).expect("JSON");
    let none = CheckedDraft::read(&bytes, &ValidationContext::shipped(now(), &sender)).expect_err("no draft");
    let faults = none.faults(Locale::En);
    assert_eq!(faults.len(), 1);
    assert_eq!((faults[0].pointer.as_str(), faults[0].code), (pointer, code));
}

#[test]
fn a_released_message_has_a_key_for_every_subject() {
    let draft = valid(&json("alert-stolen-passports"));
    let header = header(&draft);
    let message = draft.into_message(header);
    let Body::Operational(OperationalBody::AlertIssue(alert)) = &message.body else { panic!("no alert") };
    let keys: Vec<String> =
        alert.subjects.documents.iter().flat_map(|document| &document.key).map(ToString::to_string).collect();
    let numbered: Vec<String> = (1..=alert.subjects.documents.len()).map(|n| format!("d{n}")).collect();
    assert_eq!(keys, numbered);
}
