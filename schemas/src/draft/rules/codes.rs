//! Every code word stands in its list and is in force.
//!
//! Which field takes codes of which list is written once, at the type, and read here from the
//! schema's `x-code-list`: a field added later is checked without a rule of its own.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

use crate::{draft::rules::Checker, fault::FaultCode, schema, view::View, words};

static CODED: LazyLock<Coded> = LazyLock::new(|| {
    let root = schema::draft();
    Coded::read(root, root)
});

pub(super) fn check(checker: &mut Checker<'_>) {
    let draft = checker.draft.clone();
    CODED.check(checker, &draft);
}

/// Where a value, or what is in it, takes codes: of a schema nothing but that, read once.
#[derive(Debug, Default)]
struct Coded {
    /// The list of its codes, where the value itself is one.
    list: Option<String>,
    /// Its items, where one has codes.
    items: Option<Box<Coded>>,
    /// Those of its fields that have codes.
    fields: BTreeMap<String, Coded>,
}

impl Coded {
    fn read(root: &Value, schema: &Value) -> Self {
        let schema = resolve(root, schema);
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let fields = fields.map(|(name, field)| (name.clone(), Self::read(root, field)));
        // What has an `enum` beside it is checked by the schema.
        let list = schema.get("x-code-list").filter(|_| schema.get("enum").is_none());
        Self {
            list: list.and_then(Value::as_str).map(str::to_owned),
            items: schema.get("items").map(|item| Self::read(root, item)).filter(Self::is_any).map(Box::new),
            fields: fields.filter(|(_, field)| field.is_any()).collect(),
        }
    }

    fn is_any(&self) -> bool {
        self.list.is_some() || self.items.is_some() || !self.fields.is_empty()
    }

    fn check(&self, checker: &mut Checker<'_>, view: &View<'_>) {
        if let Some(list) = &self.list {
            code(checker, list, view);
        }
        if let Some(item) = &self.items {
            view.items().iter().for_each(|found| item.check(checker, found));
        }
        for (name, field) in &self.fields {
            let found = view.field(name);
            if found.is_there() {
                field.check(checker, &found);
            }
        }
    }
}

/// Follows `#/$defs/Name`.
fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
    name.and_then(|name| root.get("$defs")?.get(name)).unwrap_or(schema)
}

fn code(checker: &mut Checker<'_>, list: &str, view: &View<'_>) {
    let Some(code) = view.text().filter(|text| words::is_code(text)) else { return };
    let entry = checker.context.lists.get(list).and_then(|list| list.find(code));
    match entry {
        None => checker.tell_with(&view.at, FaultCode::UnknownCode, code),
        Some(entry) if !entry.in_force(checker.context.today()) => {
            checker.tell_with(&view.at, FaultCode::CodeNotInForce, code);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CodeLists;

    /// Every `x-code-list` of a schema.
    fn named_lists(schema: &Value, names: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                names.extend(members.get("x-code-list").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| named_lists(member, names));
            }
            Value::Array(items) => items.iter().for_each(|item| named_lists(item, names)),
            _ => {}
        }
    }

    #[test]
    fn every_list_that_a_field_names_is_there_and_holds_what_an_enumeration_has() {
        let mut names = Vec::new();
        named_lists(schema::draft(), &mut names);
        assert!(names.len() > 20, "{names:?}");
        for name in names {
            assert!(CodeLists::shipped().get(&name).is_some(), "no code list {name}");
        }
        let definitions = schema::draft()["$defs"].as_object().expect("definitions");
        for (name, definition) in definitions {
            let (Some(list), Some(words)) =
                (definition["x-code-list"].as_str(), definition["enum"].as_array())
            else {
                continue;
            };
            let listed: Vec<&str> = CodeLists::shipped()
                .get(list)
                .expect("above")
                .entries
                .iter()
                .map(|e| e.code.as_str())
                .collect();
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            assert_eq!(words, listed, "{name} and the code list {list} differ");
        }
    }
}
