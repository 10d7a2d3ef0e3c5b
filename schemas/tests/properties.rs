//! Altered messages and drafts never cause a panic and are never half read.

mod support;

use proptest::{prelude::*, sample::Index};
use rovuma_schemas::{AgencyDirectory, Header, Locale, Message, ParseFault};
use serde_json::{Value, json};
use support::{check_draft, read_folder};

/// Every pointer (RFC 6901) in a JSON value.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| places(member, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[{}]])),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[A-Z0-9<]{0,45}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?".prop_map(Value::from),
    ]
}

/// An example with one to four values overwritten.
fn altered() -> impl Strategy<Value = Value> {
    let examples: Vec<Value> =
        read_folder("valid").iter().map(|(_, text)| serde_json::from_str(text).expect("JSON")).collect();
    let changes = proptest::collection::vec((any::<Index>(), anything()), 1..5);
    (proptest::sample::select(examples), changes).prop_map(|(mut example, changes)| {
        for (index, value) in changes {
            let mut all = Vec::new();
            places(&example, "", &mut all);
            if let Some(place) = example.pointer_mut(&all[index.index(all.len())]) {
                *place = value;
            }
        }
        example
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn an_altered_draft_is_taken_whole_or_told_with_places_that_exist(example in altered()) {
        let bytes = serde_json::to_vec(&example).expect("JSON");
        if let Err(faults) = check_draft(&bytes, AgencyDirectory::shipped(), Locale::Sw) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                // The pointer of a missing field names the field: its object is present.
                let parent = fault.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                let grandparent = parent.rsplit_once('/').map_or("", |(parent, _)| parent);
                let named = [fault.pointer.as_str(), parent, grandparent];
                prop_assert!(
                    named.iter().any(|place| example.pointer(place).is_some()),
                    "{} is nowhere", fault.pointer
                );
            }
        }
    }

    #[test]
    fn an_altered_message_is_read_whole_or_not_at_all(example in altered()) {
        let bytes = serde_json::to_vec(&example).expect("JSON");
        let header = Header::from_payload(&bytes);
        match Message::parse(&bytes) {
            Ok(message) => {
                prop_assert_eq!(header.expect("a header"), message.header.clone());
                prop_assert_eq!(Message::parse(&message.to_payload()).expect("reads back"), message);
            }
            Err(ParseFault::Schema(faults) | ParseFault::NotJson(faults)) => prop_assert!(!faults.is_empty()),
            Err(ParseFault::UnknownType { .. } | ParseFault::UnsupportedVersion { .. }) => {
                prop_assert!(header.is_ok());
            }
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn cut_short_nothing_is_read(cut in any::<Index>(), which in any::<Index>()) {
        let all = read_folder("valid");
        let text = all[which.index(all.len())].1.trim_end();
        let part = &text.as_bytes()[..cut.index(text.len())];
        prop_assert!(Message::parse(part).is_err());
        prop_assert!(check_draft(part, AgencyDirectory::shipped(), Locale::Pt).is_err());
    }
}
