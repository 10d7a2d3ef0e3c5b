//! What differs between two versions, as lines.

use std::collections::BTreeSet;

use serde_json::Value;

/// The changes from one content to another: `/subjects/vehicles/v1/colour: "red" → "blue"`. Subjects are compared by their keys, so
/// that one that is left out does not seem to change all that follow it.
pub(super) fn changes(before: &Value, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare(before, after, "", &mut lines);
    lines
}

fn compare(before: &Value, after: &Value, at: &str, lines: &mut Vec<String>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                compare_members(old.get(name), new.get(name), &format!("{at}/{name}"), lines);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            let names: BTreeSet<String> =
                named(old).into_iter().chain(named(new)).map(|(name, _)| name).collect();
            let find = |items: &[Value], name: &str| {
                named(items).into_iter().find(|(other, _)| other == name).map(|(_, item)| item.clone())
            };
            for name in names {
                let (old, new) = (find(old, &name), find(new, &name));
                compare_members(old.as_ref(), new.as_ref(), &format!("{at}/{name}"), lines);
            }
        }
        _ => lines.push(format!("{at}: {before} → {after}")),
    }
}

fn compare_members(before: Option<&Value>, after: Option<&Value>, at: &str, lines: &mut Vec<String>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(before, after, at, lines),
        (Some(before), None) => lines.push(format!("- {at}: {before}")),
        (None, Some(after)) => lines.push(format!("+ {at}: {after}")),
        (None, None) => {}
    }
}

/// The items of a list by their keys, or by their places where they have none.
fn named(items: &[Value]) -> Vec<(String, &Value)> {
    let name = |(index, item): (usize, &Value)| {
        item["key"].as_str().map_or_else(|| index.to_string(), str::to_owned)
    };
    items.iter().enumerate().map(|(index, item)| (name((index, item)), item)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_subject_that_is_left_out_does_not_change_the_others() {
        let before =
            json!({ "a": 1, "documents": [{ "key": "d1", "x": 1 }, { "key": "d2", "x": 2 }], "l": ["a"] });
        let after = json!({ "a": 2, "documents": [{ "key": "d2", "x": 3 }, { "x": 4 }], "l": ["a", "b"] });
        assert_eq!(
            changes(&before, &after),
            [
                "/a: 1 → 2",
                r#"+ /documents/1: {"x":4}"#,
                r#"- /documents/d1: {"key":"d1","x":1}"#,
                "/documents/d2/x: 2 → 3",
                r#"+ /l/1: "b""#,
            ]
        );
        assert!(changes(&before, &before).is_empty());
    }
}
