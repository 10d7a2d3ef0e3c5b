//! The content of an alert as its author changes it.

use std::str::FromStr;

use rovuma_schemas::normalise_name;
use serde_json::Value;

/// The content of a version, as the next one begins: without what the gateway computes, and without the end, which stays where it is
/// unless the author states an earlier one.
pub(super) fn editable(content: &Value) -> Value {
    let mut content = content.clone();
    remove_computed(&mut content);
    if let Some(members) = content.as_object_mut() {
        let is_empty = members.get_mut("validity").and_then(Value::as_object_mut).is_some_and(|validity| {
            validity.remove("until");
            validity.is_empty()
        });
        if is_empty {
            members.remove("validity");
        }
    }
    content
}

/// Removes the normalised forms that follow from the printed names: a changed name would keep its old one.
fn remove_computed(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let computed = members.get("printed").and_then(Value::as_str).and_then(normalise_name);
            if computed.is_some() && members.get("normalised").and_then(Value::as_str) == computed.as_deref()
            {
                members.remove("normalised");
            }
            members.values_mut().for_each(remove_computed);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_computed),
        _ => {}
    }
}

/// The keys of all subjects, those of persons' documents too.
pub(super) fn keys_of(subjects: &Value) -> Vec<String> {
    match subjects {
        Value::Object(members) => {
            let own = members.get("key").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(keys_of)).collect()
        }
        Value::Array(items) => items.iter().flat_map(keys_of).collect(),
        _ => Vec::new(),
    }
}

/// Takes the subject with this key out of whichever list it is in.
pub(super) fn remove_subject(subjects: &mut Value, key: &str) {
    match subjects {
        Value::Object(members) => members.values_mut().for_each(|member| remove_subject(member, key)),
        Value::Array(items) => {
            items.retain(|item| item["key"] != key);
            items.iter_mut().for_each(|item| remove_subject(item, key));
        }
        _ => {}
    }
}

/// A member and its new value: `/subjects/vehicles/0/colour=red`.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pointer: String,
    value: Value,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (pointer, value) = text
            .split_once('=')
            .filter(|(pointer, _)| pointer.starts_with('/'))
            .ok_or("give a place and a value, such as /subjects/vehicles/0/colour=red")?;
        // What is not JSON is a text: the quotes would have to be escaped from the shell.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(Self { pointer: pointer.to_owned(), value })
    }
}

impl Setting {
    /// Puts the value into the content.
    pub(super) fn apply(&self, content: &mut Value) -> Result<(), String> {
        let Self { pointer, value } = self;
        let (parent, last) = pointer.rsplit_once('/').unwrap_or_default();
        let last = last.replace("~1", "/").replace("~0", "~");
        let nowhere = || format!("the alert has no place {pointer}: {parent} is not there");
        match content.pointer_mut(parent).ok_or_else(nowhere)? {
            Value::Object(members) if value.is_null() => {
                members.remove(&last).map(drop).ok_or_else(|| format!("the alert has no member {pointer}"))
            }
            Value::Object(members) => {
                // A text stays a text: a number of a document is no number.
                let is_text = members.get(&last).is_some_and(Value::is_string);
                let value = if is_text && !value.is_string() {
                    Value::from(value.to_string())
                } else {
                    value.clone()
                };
                members.insert(last, value);
                Ok(())
            }
            Value::Array(items) if last == "-" => {
                items.push(value.clone());
                Ok(())
            }
            Value::Array(items) => {
                let index: Option<usize> = last.parse().ok().filter(|index| *index < items.len());
                let index = index.ok_or_else(|| format!("the alert has no entry {pointer}"))?;
                if value.is_null() {
                    items.remove(index);
                } else {
                    items[index] = value.clone();
                }
                Ok(())
            }
            _ => Err(nowhere()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(content: &Value, text: &str) -> Result<Value, String> {
        let mut content = content.clone();
        text.parse::<Setting>()?.apply(&mut content)?;
        Ok(content)
    }

    #[test]
    fn a_member_is_set_added_and_removed() {
        let content = json!({ "subjects": { "vehicles": [{ "key": "v1", "colour": "red", "vin": "1" }] } });
        let vehicle =
            |content: Result<Value, String>| content.expect("set")["subjects"]["vehicles"][0].clone();
        let red = vehicle(set(&content, "/subjects/vehicles/0/colour=blue"));
        assert_eq!(red["colour"], "blue");
        assert_eq!(vehicle(set(&content, "/subjects/vehicles/0/year=2023"))["year"], 2023);
        assert_eq!(
            vehicle(set(&content, "/subjects/vehicles/0/vin=417"))["vin"],
            "417",
            "a text stays a text"
        );
        assert_eq!(vehicle(set(&content, "/subjects/vehicles/0/vin=null")).get("vin"), None);
        let added = set(&content, r#"/subjects/vehicles/-={"type":"car"}"#).expect("added");
        assert_eq!(added["subjects"]["vehicles"][1]["type"], "car");
        for wrong in
            ["/subjects/persons/0/name=x", "/subjects/vehicles/1={}", "colour=red", "/colour", "/x=null"]
        {
            assert!(set(&content, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_next_version_begins_without_what_the_gateway_computes() {
        let content = json!({
            "validity": { "until": "2029-01-01T00:00:00Z" },
            "subjects": { "persons": [
                { "key": "p1", "name": { "printed": "Asha Ng'ombe", "normalised": "ASHA NGOMBE" },
                  "aliases": [{ "printed": "X Y", "normalised": "IKS IPSILON" }], "documents": [{ "key": "d1" }] },
            ] },
        });
        let next = editable(&content);
        assert_eq!(next.get("validity"), None, "the end stays where it is");
        let person = &next["subjects"]["persons"][0];
        assert_eq!(person["name"], json!({ "printed": "Asha Ng'ombe" }));
        assert_eq!(person["aliases"][0]["normalised"], "IKS IPSILON", "an author gave it");
        assert_eq!(keys_of(&next["subjects"]), ["p1", "d1"]);
        let mut without = next["subjects"].clone();
        remove_subject(&mut without, "d1");
        assert_eq!(keys_of(&without), ["p1"]);
    }
}
