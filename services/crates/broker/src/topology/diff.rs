//! Compares the definitions that a node exports with those that it should have.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::Value;

use super::VHOST;

/// The sections of RabbitMQ's definitions that the table fills, with the fields that identify their entries.
const SECTIONS: [(&str, &[&str]); 8] = [
    ("vhosts", &["name"]),
    ("users", &["name"]),
    ("permissions", &["user"]),
    ("topic_permissions", &["user", "exchange"]),
    ("parameters", &["component", "name"]),
    ("exchanges", &["name"]),
    ("queues", &["name"]),
    ("bindings", &["source", "destination_type", "destination", "routing_key"]),
];

/// One object that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The section of RabbitMQ's definitions: `queues`, `permissions`.
    pub section: &'static str,
    /// The object's name: `link.tz.urgent`.
    pub name: String,
    /// What is wrong with it.
    #[serde(rename = "difference")]
    pub kind: DifferenceKind,
}

/// How an object differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DifferenceKind {
    /// It is missing.
    Missing,
    /// It should not exist.
    Unexpected,
    /// A field has another value.
    Changed {
        /// The field.
        field: String,
        /// The value that it should have.
        expected: Value,
        /// The value that it has.
        got: Value,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.section, self.name)?;
        match &self.kind {
            DifferenceKind::Missing => f.write_str("missing"),
            DifferenceKind::Unexpected => f.write_str("should not be there"),
            DifferenceKind::Changed { field, expected, got } => {
                write!(f, "{field} is {got}, should be {expected}")
            }
        }
    }
}

/// Compares two sets of definitions: `desired` from [`super::definitions`], `actual` as a node exports them.
///
/// Other virtual hosts are ignored. All users are compared except `administrators`, who use the management API. An empty list
/// means that the node is as it should be.
pub fn diff(desired: &Value, actual: &Value, administrators: &[&str]) -> Vec<Difference> {
    SECTIONS
        .iter()
        .flat_map(|(section, key)| diff_section(section, key, desired, actual, administrators))
        .collect()
}

fn diff_section(
    section: &'static str,
    key: &[&str],
    desired: &Value,
    actual: &Value,
    administrators: &[&str],
) -> Vec<Difference> {
    let (desired, actual) = (entries(desired, section, key), entries(actual, section, key));
    let mut differences = Vec::new();
    for (name, entry) in &desired {
        let difference = |kind| Difference { section, name: name.clone(), kind };
        match actual.get(name) {
            None => differences.push(difference(DifferenceKind::Missing)),
            Some(got) => differences.extend(changes(entry, got).map(difference)),
        }
    }
    let tolerated = |entry: &Value| {
        let user = entry.get("user").or_else(|| entry.get("name")).and_then(Value::as_str);
        let of_users = matches!(section, "users" | "permissions" | "topic_permissions");
        (of_users && user.is_some_and(|user| administrators.contains(&user))) || section == "vhosts"
    };
    let unexpected = actual.iter().filter(|(name, entry)| !desired.contains_key(*name) && !tolerated(entry));
    differences.extend(unexpected.map(|(name, _)| Difference {
        section,
        name: name.clone(),
        kind: DifferenceKind::Unexpected,
    }));
    differences
}

/// The entries of a section in our virtual host or in none, by name.
fn entries<'a>(definitions: &'a Value, section: &str, key: &[&str]) -> BTreeMap<String, &'a Value> {
    let list = definitions.get(section).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ours = |entry: &&Value| entry.get("vhost").is_none_or(|vhost| vhost == VHOST);
    list.iter().filter(ours).map(|entry| (name_of(entry, key), entry)).collect()
}

fn name_of(entry: &Value, key: &[&str]) -> String {
    let part = |field: &&str| entry.get(*field).and_then(Value::as_str).unwrap_or_default().to_owned();
    key.iter().map(part).collect::<Vec<_>>().join(" ")
}

/// The fields of `desired` that differ in `actual`. Fields that RabbitMQ adds are ignored.
fn changes(desired: &Value, actual: &Value) -> impl Iterator<Item = DifferenceKind> {
    desired.as_object().into_iter().flatten().filter_map(|(field, expected)| {
        let got = actual.get(field).unwrap_or(&Value::Null);
        let same = got == expected || (got.is_null() && is_empty(expected));
        (!same).then(|| DifferenceKind::Changed {
            field: field.clone(),
            expected: expected.clone(),
            got: got.clone(),
        })
    })
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::topology::{definitions, spec::tests::mozambique};

    fn desired() -> Value {
        definitions(&mozambique()).expect("a sound specification")
    }

    fn found(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut actual = desired();
        change(&mut actual);
        diff(&desired(), &actual, &["admin"]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_node_that_is_as_it_should_be_has_no_differences() {
        assert!(found(|_| {}).is_empty());
    }

    #[test]
    fn what_is_missing_changed_or_added_is_named() {
        let missing = found(|actual| {
            let queues = actual["queues"].as_array_mut().expect("a list");
            queues.retain(|queue| queue["name"] != "link.tz.urgent");
        });
        assert_eq!(missing, ["queues link.tz.urgent: missing"]);
        let changed = found(|actual| {
            let permissions = actual["permissions"].as_array_mut().expect("a list");
            let link = permissions.iter_mut().find(|entry| entry["user"] == "link.tz").expect("the link");
            link["write"] = json!(".*");
        });
        let expected = r#"permissions link.tz: write is ".*", should be "^ingress\\.tz$""#;
        assert_eq!(changed, [expected]);
        let unbounded = found(|actual| {
            let queues = actual["queues"].as_array_mut().expect("a list");
            let quarantine = queues.iter_mut().find(|queue| queue["name"] == "quarantine").expect("it");
            quarantine["arguments"].as_object_mut().expect("an object").remove("x-max-length-bytes");
        });
        assert!(
            unbounded.len() == 1 && unbounded[0].starts_with("queues quarantine: arguments"),
            "{unbounded:?}"
        );
        let added = found(|actual| {
            let users = actual["users"].as_array_mut().expect("a list");
            users.push(json!({ "name": "guest", "tags": ["administrator"] }));
        });
        assert_eq!(added, ["users guest: should not be there"]);
    }

    #[test]
    fn administrators_and_other_virtual_hosts_are_left_alone() {
        let quiet = found(|actual| {
            let list = |section: &str, actual: &mut Value, entry: Value| {
                actual[section].as_array_mut().expect("a list").push(entry);
            };
            list("users", actual, json!({ "name": "admin", "tags": ["administrator"] }));
            list("permissions", actual, json!({ "user": "admin", "vhost": "rovuma", "write": ".*" }));
            list("queues", actual, json!({ "name": "other", "vhost": "/" }));
            list("vhosts", actual, json!({ "name": "/" }));
        });
        assert!(quiet.is_empty(), "{quiet:?}");
    }
}
