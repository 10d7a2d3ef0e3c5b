//! The rule that every code is in its list and in force.
//!
//! The type of a field names its code list, and the schema repeats it as `x-code-list`. This module reads it from there, so a
//! field added later is checked without a rule of its own.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;

use crate::{
    FaultCode, MessageType,
    draft::Checker,
    fault::{Detail, shown},
    schema,
    view::View,
};

/// Faults of a draft after which no list is searched for the nearest codes: nobody mends more at a time, and each search compares
/// the text with a whole list.
const SEARCHED_MAX: usize = 40;

/// The fields with codes, by type of draft.
static CODED_FIELDS: LazyLock<BTreeMap<MessageType, CodedFields>> = LazyLock::new(|| {
    let read = |kind| {
        let root = schema::draft(kind);
        (kind, CodedFields::read(root, root))
    };
    MessageType::operational().map(read).collect()
});

pub(super) fn check(checker: &mut Checker<'_>) {
    let draft = checker.draft.clone();
    if let Some(fields) = CODED_FIELDS.get(&checker.message_type) {
        fields.check(checker, &draft);
    }
}

/// The parts of a JSON value that hold codes, as its schema marks them. Each schema is read once, because walking it for every
/// draft took longer than all other rules.
#[derive(Debug, Default)]
struct CodedFields {
    /// The code list, where the value itself is a code.
    list: Option<String>,
    /// The items of an array, where they hold codes.
    items: Option<Box<CodedFields>>,
    /// The fields of an object that hold codes.
    fields: BTreeMap<String, CodedFields>,
}

impl CodedFields {
    fn read(root: &Value, schema: &Value) -> Self {
        let schema = resolve(root, schema);
        let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let fields = fields.map(|(name, field)| (name.clone(), Self::read(root, field)));
        // The schema itself checks a field that has an `enum`.
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
    // The schema's check leaves the form of codes to this rule, because an officer who types a name wants to know the code.
    let Some(code) = view.text() else { return };
    let known = checker.context.lists.get(list);
    match known.and_then(|list| list.find(code)) {
        None => {
            let is_searched = checker.found.kept().len() < SEARCHED_MAX;
            let near = known.filter(|_| is_searched).map(|list| list.nearest(code)).unwrap_or_default();
            let title = |locale| known.map_or(list, |list| list.title.get(locale)).to_owned();
            let code = shown(code);
            let detail = Detail::each(|hints, locale| match near.as_slice() {
                [] => hints.code_far(&code, title(locale), list),
                near => hints.code_near(
                    &code,
                    title(locale),
                    list,
                    schema::labelled(near.iter().copied(), locale),
                ),
            });
            checker.fault_with(&view.at, FaultCode::UnknownCode, detail);
        }
        Some(entry) if !entry.in_force(checker.context.today()) => {
            checker.fault_with(&view.at, FaultCode::CodeNotInForce, code);
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
        for kind in MessageType::operational() {
            let schema = schema::draft(kind);
            let mut names = Vec::new();
            named_lists(schema, &mut names);
            assert!(names.len() > 5, "{kind}: {names:?}");
            for name in names {
                assert!(CodeLists::shipped().get(&name).is_some(), "no code list {name}");
            }
            let definitions = schema["$defs"].as_object().expect("definitions");
            for (name, definition) in definitions {
                let (Some(list), Some(words)) =
                    (definition["x-code-list"].as_str(), definition["enum"].as_array())
                else {
                    continue;
                };
                let list = CodeLists::shipped().get(list).expect("above");
                let listed: Vec<&str> = list.entries.iter().map(|entry| entry.code.as_str()).collect();
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                assert_eq!(words, listed, "{name} and the code list {} differ", list.list);
            }
        }
    }
}
