//! The facts of a valid draft, and the message that it becomes.

mod support;

use std::collections::BTreeMap;

use rovuma_schemas::{
    AgencyDirectory, Body, CaseSoFar, CheckedDraft, CodeLists, Date, FaultCode, Header, Lane, Locale,
    Message, MessageId, MessageType, OperationalBody, Recipient, Reserved, SecondPersonReason, Sender,
    Status, StoreId, Timestamp, ValidDraft, ValidationContext, Version,
    limits::{FAULTS_SHOWN_MAX, RECIPIENTS_MAX},
    request::AnswerLimits,
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
        message_type: draft.message_type().to_string(),
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
        case: draft.case().cloned(),
        turn: draft.case().map(|_| 2),
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
    for (name, text) in read_folder("valid").into_iter().filter(|(name, _)| !name.starts_with("message-")) {
        let mut draft = valid(&serde_json::from_str(&text).expect("JSON"));
        if draft.message_type().class().follows() {
            draft = draft.addressed_to(vec!["tz.tpf".parse().expect("an agency")]);
        }
        let header = header(&draft);
        let earlier = CaseSoFar { version: 1, ..CaseSoFar::default() };
        let message = draft.into_message(header.clone(), &earlier, &AnswerLimits::default());
        let payload = message.to_payload();
        assert_eq!(Header::from_payload(&payload).expect("a header"), header, "{name}");
        let read = Message::parse(&payload).unwrap_or_else(|fault| panic!("{name}: {fault:?}"));
        assert_eq!(read, message, "{name}");
        let alert = match &read.body {
            Body::Operational(OperationalBody::AlertIssue(alert)) => alert,
            Body::Operational(OperationalBody::AlertUpdate(update)) => &update.alert,
            _ => continue,
        };
        let is_opener = read.body.message_type() == MessageType::AlertIssue;
        assert_eq!(alert.validity.until.is_some(), is_opener, "{name}: an update leaves the end where it is");
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
    Message::parse(
        &largest.into_message(header, &CaseSoFar::default(), &AnswerLimits::default()).to_payload(),
    )
    .expect("the message fits too");
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
fn an_emergency_release_is_to_be_confirmed_within_twelve_hours() {
    let draft = json("alert-wanted-person-emergency");
    assert!(checked(&draft).is_emergency() && !checked(&json("alert-wanted-person")).is_emergency());
    let draft = valid(&draft);
    let header = header(&draft);
    let message = draft.into_message(header, &CaseSoFar::default(), &AnswerLimits::default());
    let emergency = message.terms.and_then(|terms| terms.emergency).expect("it says so");
    assert_eq!(emergency.confirm_by.expect("a time").to_string(), "2026-11-24T00:00:00Z");
}

#[test]
fn an_incomplete_draft_of_a_follower_shows_its_case_and_whom_it_is_reserved_for() {
    let case = serde_json::json!({ "kind": "alert", "owner": "mz.prm", "id": "0199c5a1-7b3e-7001-8a10-000000000001" });
    let mut draft =
        serde_json::json!({ "type": "alert.withdraw", "case": case, "body": { "reason": "error" } });
    let name = "alert/mz.prm/0199c5a1-7b3e-7001-8a10-000000000001";
    assert_eq!(checked(&draft).case().expect("a case").to_string(), name);
    assert_eq!(checked(&draft).reserved(), Reserved::CannotWait);
    draft["case"]["id"] = "7".into();
    draft["body"] = Value::Null;
    assert_eq!((checked(&draft).case(), checked(&draft).reserved()), (None, Reserved::Supervisor));
}

#[test]
fn a_follower_goes_to_the_parties_of_its_case_and_to_no_others() {
    let draft = json("alert-extend");
    assert!(valid(&draft).recipients().is_empty());
    let parties = vec!["tz.tpf".parse().expect("an agency"), "tz.tisd".parse().expect("an agency")];
    assert_eq!(valid(&draft).addressed_to(parties.clone()).recipients(), parties);
    let mut draft = draft;
    draft["recipients"] = serde_json::json!(["tz.tpf"]);
    draft["expires"] = "2026-12-01T00:00:00Z".into();
    let faults = checked(&draft).faults(Locale::En);
    let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(places, ["/expires", "/recipients"], "{faults:?}");
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
    let message = draft.into_message(header, &CaseSoFar::default(), &AnswerLimits::default());
    let Body::Operational(OperationalBody::AlertIssue(alert)) = &message.body else { panic!("no alert") };
    let keys: Vec<String> =
        alert.subjects.documents.iter().flat_map(|document| &document.key).map(ToString::to_string).collect();
    let numbered: Vec<String> = (1..=alert.subjects.documents.len()).map(|n| format!("d{n}")).collect();
    assert_eq!(keys, numbered);
}

/// The one fault of a draft, as `/pointer: sentence (code)` in English.
fn only_fault(draft: &Value) -> String {
    let faults = checked(draft).faults(Locale::En);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].to_string()
}

/// The example with one value replaced.
fn altered(name: &str, pointer: &str, value: Value) -> Value {
    let mut draft = json(name);
    *draft.pointer_mut(pointer).unwrap_or_else(|| panic!("{name} has no {pointer}")) = value;
    draft
}

const VEHICLE: &str = "/body/subjects/vehicles/0";

#[rstest]
#[case("alert-stolen-motorcycle", "/terms/retain_until", "31/12/2030", &["2030-12-31", "year-month-day"])]
#[case("alert-stolen-motorcycle", "/body/subjects/vehicles/0/plate/country", "MZ", &["MOZ (Mozambique)", "(states)"])]
#[case("alert-stolen-motorcycle", "/body/subjects/vehicles/0/plate/country", "Moçambique", &["nearest: MOZ (Mozambique)"])]
#[case("alert-stolen-motorcycle", "/body/subjects/vehicles/0/colour", "branco", &["nearest: white (White)", "\"Colour\" (colours)"])]
#[case("alert-stolen-motorcycle", "/body/subjects/vehicles/0/colour", "ultraviolet", &["GET /v1/codes/colours"])]
#[case("alert-stolen-motorcycle", "/recipients/0", "TZ.TPF", &["nearest: tz.tpf ("])]
#[case("alert-stolen-motorcycle", "/recipients/0", "Tanzania Police Force", &["nearest: tz.tpf (", "take part: "])]
#[case("alert-stolen-motorcycle", "/recipients/0", "tz.police", &["take part: ", "tz.tpf"])]
#[case("alert-stolen-motorcycle", "/body/subjects/vehicles/0/plate/number", "ABC.123.MP", &["such as ABC 123 MP", "is it \"ABC 123 MP\"?"])]
fn a_fault_says_what_is_wanted(
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] given: &str,
    #[case] expected: &[&str],
) {
    let fault = only_fault(&altered(name, pointer, given.into()));
    for part in expected {
        assert!(fault.contains(part), "{fault}");
    }
    for locale in Locale::ALL {
        let faults = checked(&altered(name, pointer, given.into())).faults(locale);
        assert!(!faults[0].message.contains('{') && !faults[0].message.contains("{detail}"), "{faults:?}");
    }
}

#[test]
fn a_vin_with_letters_that_none_has_is_guessed() {
    let mut draft = json("alert-stolen-motorcycle");
    for (given, expected) in [
        ("MD2A21EZ0EWAO0000", "is it \"MD2A21EZ0EWA00000\"?"),
        ("MD2A21EZ0EWA0000", "this text has 16 characters"),
        ("md2a21ez0ewaI", "17 capitals and digits without I, O and Q"),
    ] {
        draft.pointer_mut(VEHICLE).expect("a vehicle")["vin"] = given.into();
        let fault = only_fault(&draft);
        assert!(fault.contains(expected), "{fault}");
    }
}

#[test]
fn an_unknown_category_is_answered_with_labels_and_the_nearest() {
    let draft = altered("alert-stolen-motorcycle", "/body/category", "car".into());
    let faults = checked(&draft).faults(Locale::Pt);
    let fault = faults.iter().find(|fault| fault.pointer == "/body/category").expect("a fault");
    assert!(fault.message.contains("wanted_person (Pessoa procurada"), "{fault}");
    assert!(fault.message.contains("o mais próximo de «car»: vehicle ("), "{fault}");
}

#[test]
fn an_object_given_as_a_text_is_one_fault() {
    let birth = altered("alert-missing-person", "/body/subjects/persons/0/birth", "2012-03-09".into());
    let fault = only_fault(&birth);
    assert!(
        fault.contains("/birth: ")
            && fault.contains("\"precision\": \"day\"")
            && fault.contains("(wrong_type)"),
        "{fault}"
    );
    let faults = checked(&birth).faults(Locale::Pt);
    assert!(faults[0].message.contains("um objecto com"), "{}", faults[0].message);
    let vehicle = altered("alert-stolen-motorcycle", VEHICLE, "ABC 123 MP".into());
    assert!(only_fault(&vehicle).contains("an object with fields"));
    // A mistake elsewhere is a fault of its own.
    let mut two = birth.clone();
    two["body"]["subjects"]["persons"][0]["minor"] = "yes".into();
    assert_eq!(checked(&two).fault_count(), 2);
}

#[test]
fn the_time_of_the_category_is_told_where_retention_is_too_short() {
    let mut draft = altered("alert-stolen-motorcycle", "/terms/retain_until", "2028-01-01".into());
    let fault = only_fault(&draft);
    assert!(
        fault.contains("2029-11-23") && fault.contains("3 years") && fault.contains("at least that day"),
        "{fault}"
    );
    draft["body"]["validity"] = serde_json::json!({ "until": "2028-06-01T00:00:00Z" });
    let fault = only_fault(&draft);
    assert!(fault.contains("ends on 2028-06-01;"), "{fault}");
    let faults = checked(&draft).faults(Locale::Sw);
    assert!(faults[0].message.contains("inamalizika 2028-06-01"), "{}", faults[0].message);
}

#[test]
fn retention_has_a_last_day() {
    let mut draft = altered("alert-stolen-motorcycle", "/terms/retain_until", "2041-11-23".into());
    valid(&draft);
    draft["terms"]["retain_until"] = "2041-11-24".into();
    assert!(only_fault(&draft).contains("2041-11-23"));
}

#[test]
fn a_model_year_is_next_year_at_most() {
    let year = |year: i32| altered("alert-stolen-motorcycle", &format!("{VEHICLE}/year"), year.into());
    valid(&year(2027));
    for late in [2028, 2200, 2201, 30_000] {
        assert!(only_fault(&year(late)).contains("≤ 2027"), "{late}");
    }
}

#[test]
fn an_empty_text_has_one_fault() {
    let empty = |field: &str| {
        let mut draft = json("alert-stolen-motorcycle");
        let vehicle = draft.pointer_mut(VEHICLE).expect("a vehicle");
        match field.split_once('/') {
            Some((object, member)) => vehicle[object][member] = "".into(),
            None => vehicle[field] = "".into(),
        }
        only_fault(&draft)
    };
    for (field, said) in [
        ("plate/number", "at least 2 characters"),
        ("engine_number", "engine_number: "),
        ("vin", "17 capitals"),
        ("make", "at least 1 character"),
    ] {
        assert!(empty(field).contains(said), "{}", empty(field));
    }
}

#[test]
fn what_is_certain_is_put_right_and_told() {
    let mut draft =
        altered("alert-stolen-motorcycle", &format!("{VEHICLE}/plate/number"), "  aaa  000 cd ".into());
    draft.pointer_mut(VEHICLE).expect("a vehicle")["vin"] = "md2a21ez0ewa00000".into();
    let read = checked(&draft);
    assert!(read.valid().is_some(), "{:?}", read.faults(Locale::En));
    let advice = read.advice(Locale::En);
    assert_eq!(advice.len(), 2, "{advice:?}");
    assert_eq!(
        (advice[0].pointer.as_str(), advice[0].topic.as_str()),
        ("/body/subjects/vehicles/0/plate/number", "put_right")
    );
    assert_eq!(advice[0].message, "Written as \"AAA 000 CD\"; given was \"  aaa  000 cd \".");
    let kept: Value = serde_json::from_slice(&read.put_right().expect("changed")).expect("JSON");
    let vehicle = kept.pointer(VEHICLE).expect("a vehicle");
    assert_eq!(
        (&vehicle["plate"]["number"], &vehicle["vin"]),
        (&"AAA 000 CD".into(), &"MD2A21EZ0EWA00000".into())
    );
    draft.pointer_mut(VEHICLE).expect("a vehicle")["plate"]["number"] = "AAA 000 CD".into();
    draft.pointer_mut(VEHICLE).expect("a vehicle")["vin"] = "MD2A21EZ0EWA00000".into();
    assert_eq!(kept, draft, "nothing else has changed");
    // What is kept needs nothing any more.
    let again = checked(&kept);
    assert!(again.put_right().is_none() && again.advice(Locale::En).is_empty());
}

#[rstest]
#[case("Иван Петров", &[], Some("in letters A to Z"))]
#[case("محمد", &[], Some("\"MXHMD\""))]
#[case("محمد", &["Mohamed"], None)]
#[case("Nguyễn Văn", &[], None)]
fn a_name_that_nobody_will_find_is_pointed_out(
    #[case] printed: &str,
    #[case] aliases: &[&str],
    #[case] expected: Option<&str>,
) {
    let name = |printed: &str| serde_json::json!({ "printed": printed });
    let mut draft = altered("alert-wanted-person", "/body/subjects/persons/0/name", name(printed));
    draft["body"]["subjects"]["persons"][0]["aliases"] = aliases.iter().map(|alias| name(alias)).collect();
    let advice: Vec<_> =
        checked(&draft).advice(Locale::En).into_iter().filter(|advice| advice.topic == "name_form").collect();
    match expected {
        None => assert!(advice.is_empty(), "{advice:?}"),
        Some(part) => {
            assert_eq!(advice[0].pointer, "/body/subjects/persons/0/name/printed");
            assert!(advice[0].message.contains(part), "{advice:?}");
        }
    }
}
