//! Every example is valid, or has exactly the fault that it shows.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{
    Agency, AgencyDirectory, Body, CaseSoFar, Fault, FaultCode, Locale, Message, MessageType, ParseFault,
    Sentences, SubjectKey, Timestamp, alert::Category, sentences,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use support::{check_draft, read_folder};

#[test]
fn every_valid_example_is_accepted() {
    for (name, text) in read_folder("valid") {
        match Example::read(&text) {
            Example::Draft(draft) => {
                let checked = check_draft(&draft, AgencyDirectory::shipped(), Locale::En);
                checked.unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
            }
            Example::Message(message) => {
                let parsed = Message::parse(&message).unwrap_or_else(|fault| panic!("{name}: {fault:#?}"));
                let again = Message::parse(&parsed.to_payload()).expect("what is written reads back");
                assert_eq!(parsed, again, "{name}");
            }
        }
    }
}

#[test]
fn every_category_and_every_message_type_has_a_valid_example() {
    let (mut categories, mut drafted, mut types) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (_, text) in read_folder("valid") {
        match Example::read(&text) {
            Example::Draft(draft) => {
                let draft: Value = serde_json::from_slice(&draft).expect("JSON");
                let kind: MessageType = serde_json::from_value(draft["type"].clone()).expect("a type");
                drafted.insert(kind);
                if kind == MessageType::AlertIssue {
                    let category = draft["body"]["category"].as_str().expect("a category");
                    categories.insert(category.parse::<Category>().expect("a category"));
                }
            }
            Example::Message(message) => {
                types.insert(Message::parse(&message).expect("a message").body.message_type());
            }
        }
    }
    assert_eq!(categories, BTreeSet::from(Category::ALL));
    assert_eq!(drafted, MessageType::operational().collect());
    assert_eq!(types, MessageType::ALL.iter().copied().collect());
}

#[test]
fn every_invalid_example_has_exactly_the_fault_that_it_names() {
    for (name, text) in read_folder("invalid") {
        let example: InvalidExample = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let faults = example.faults();
        let reported: Vec<(&str, &str)> =
            faults.iter().map(|fault| (fault.code.as_str(), fault.pointer.as_str())).collect();
        assert_eq!(reported, [(example.rule.as_str(), example.pointer.as_str())], "{name}: {faults:#?}");
    }
}

#[test]
fn every_sentence_with_a_place_for_a_detail_gets_one() {
    let sentences = Sentences::parse(sentences::FAULTS).expect("complete");
    for (name, text) in read_folder("invalid") {
        let example: InvalidExample = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        for fault in example.faults() {
            let code = fault.code.as_str();
            let without = sentences.fill(code, Locale::En, &[("detail", &"")]);
            let takes_detail = sentences.get(code, Locale::En) != without;
            assert!(!takes_detail || fault.message != without, "{name}: {}", fault.message);
        }
    }
}

#[test]
fn every_rule_has_an_invalid_example() {
    let shown: BTreeSet<FaultCode> = read_folder("invalid")
        .into_iter()
        .map(|(_, text)| serde_json::from_str::<InvalidExample>(&text).expect("an example").rule)
        .collect();
    let all: BTreeSet<FaultCode> = FaultCode::ALL.iter().copied().collect();
    assert_eq!(shown, all);
}

#[test]
fn all_faults_are_told_at_once_in_the_language_asked_for() {
    let (_, text) = read_folder("valid")
        .into_iter()
        .find(|(name, _)| name.contains("motorcycle"))
        .expect("the motorcycle");
    let mut draft: Value = serde_json::from_str(&text).expect("JSON");
    draft["recipients"] = serde_json::json!(["tz.tpf", "tz.tpf", "xx.none"]);
    draft["terms"]["legal_basis"] = "unknown".into();
    draft["terms"]["urgency"] = serde_json::json!({ "level": "urgent" });
    draft["terms"]["purpose"] = Value::Null;
    draft["body"]["surplus"] = 1.into();
    draft["body"]["subjects"]["vehicles"][0] = serde_json::json!({ "type": "motorcycle", "vin": "short" });
    let bytes = serde_json::to_vec(&draft).expect("JSON");
    let mut pointers = Vec::new();
    for locale in Locale::ALL {
        let faults =
            check_draft(&bytes, AgencyDirectory::shipped(), locale).expect_err("a draft full of faults");
        assert!(faults.iter().all(|fault| !fault.message.is_empty() && !fault.message.contains('{')));
        pointers.push(
            faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect::<Vec<_>>(),
        );
    }
    assert_eq!(pointers[0], pointers[1]);
    assert_eq!(pointers[1], pointers[2]);
    insta::assert_json_snapshot!(pointers[0]);
}

#[test]
fn newer_and_unknown_messages_are_distinguished() {
    let alter = |field: &str, value: &str| {
        let (_, text) = read_folder("valid")
            .into_iter()
            .find(|(name, _)| name == "message-receipt.read.json")
            .expect("it");
        let mut message: Value = serde_json::from_str(&text).expect("JSON");
        message["header"][field] = value.into();
        Message::parse(&serde_json::to_vec(&message).expect("JSON"))
    };
    assert!(matches!(alter("version", "1.9").expect("a newer minor").body, Body::ReceiptRead(_)));
    assert!(matches!(alter("version", "2.0"), Err(ParseFault::UnsupportedVersion { .. })));
    assert!(matches!(alter("type", "alert.recall"), Err(ParseFault::UnknownType { .. })));
    assert!(matches!(alter("id", "1"), Err(ParseFault::Schema(_))));
}

/// A valid example: what a client posts, or a whole message.
enum Example {
    Draft(Vec<u8>),
    Message(Vec<u8>),
}

impl Example {
    fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).expect("JSON");
        match value.get("header") {
            Some(_) => Self::Message(text.into()),
            None => Self::Draft(text.into()),
        }
    }
}

/// An invalid example: the one fault that it has, and what has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InvalidExample {
    rule: FaultCode,
    pointer: String,
    /// What the draft's case has come to, where only that shows the fault.
    earlier: Option<Earlier>,
    draft: Option<Box<RawValue>>,
    message: Option<Box<RawValue>>,
    text: Option<String>,
    times: Option<usize>,
    agencies: Option<Vec<Agency>>,
}

/// What a draft's case has come to, as [`CaseSoFar`] has them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Earlier {
    version: u32,
    keys: BTreeSet<SubjectKey>,
    numbers_used: BTreeMap<char, u16>,
    ends: Option<Timestamp>,
    latest_end: Option<Timestamp>,
    #[serde(default)]
    questions: BTreeSet<u8>,
    #[serde(default)]
    open_questions: BTreeSet<u8>,
}

impl From<Earlier> for CaseSoFar {
    fn from(earlier: Earlier) -> Self {
        let Earlier { version, keys, numbers_used, ends, latest_end, questions, open_questions } = earlier;
        Self { version, keys, numbers_used, ends, latest_end, questions, open_questions }
    }
}

impl InvalidExample {
    fn faults(&self) -> Vec<Fault> {
        let directory = self.agencies.clone().map(AgencyDirectory::new);
        let agencies = directory.as_ref().unwrap_or(AgencyDirectory::shipped());
        let checked = |bytes: &[u8]| match (check_draft(bytes, agencies, Locale::En), &self.earlier) {
            (Err(faults), None) => faults,
            (Ok(draft), Some(earlier)) => draft.faults_against(&earlier.clone().into(), Locale::En),
            (Ok(_), None) => Vec::new(),
            (Err(faults), Some(_)) => panic!("it has faults whatever came before: {faults:?}"),
        };
        match (&self.draft, &self.message, &self.text) {
            (Some(draft), None, None) => checked(draft.get().as_bytes()),
            (None, Some(message), None) => match Message::parse(message.get().as_bytes()) {
                Err(ParseFault::Schema(faults)) => faults,
                other => panic!("{other:?}"),
            },
            (None, None, Some(text)) => checked(text.repeat(self.times.unwrap_or(1)).as_bytes()),
            _ => panic!("one of draft, message, text"),
        }
    }
}
