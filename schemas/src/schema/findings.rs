//! Converts the validator's errors to findings.

use jsonschema::{
    JsonType, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use super::forms;
use crate::{
    CodeEntry, CodeLists, Locale,
    fault::{Detail, FaultCode as Code, Finding, Findings, Hints, code_point, shown},
    limits::TEXT_MAX_BYTES,
    pointer::Pointer,
    words,
};

/// The faults of a draft. The form of codes and of recipients is left to their rules, which say what is nearest in the list.
pub(super) fn of_draft(validator: &Validator, schema: &Value, draft: &Value) -> Findings {
    let has_rule = |definition: &Definition<'_>| {
        definition.schema.get("x-code-list").is_some() || definition.name == "AgencyCode"
    };
    of(validator, schema, draft, has_rule)
}

/// The faults of a received message.
pub(super) fn of_received(validator: &Validator, schema: &Value, message: &Value) -> Findings {
    of(validator, schema, message, |_| false)
}

/// The faults of `instance`, except the forms of definitions that have a rule.
fn of(
    validator: &Validator,
    schema: &Value,
    instance: &Value,
    has_rule: impl Fn(&Definition<'_>) -> bool,
) -> Findings {
    let mut found = Findings::default();
    // Finding out whether there is any fault costs a fraction of listing them, and most drafts have none.
    if !validator.is_valid(instance) {
        for error in validator.iter_errors(instance) {
            let definition = Definition::of(schema, &error);
            let left_to_rule =
                matches!(error.kind(), Kind::Pattern { .. }) && definition.as_ref().is_some_and(&has_rule);
            if left_to_rule {
                continue;
            }
            // A sentence's detail takes far longer to make than to count the fault that it would be about.
            if found.is_full() {
                found.count(number(&error));
                continue;
            }
            for finding in findings(&error, definition.as_ref()) {
                found.push(finding);
            }
        }
    }
    if has_long_text(instance) {
        long_texts(instance, &Pointer::default(), &mut found);
    }
    found
}

/// The definition of a schema that a value does not meet.
struct Definition<'s> {
    name: &'s str,
    schema: &'s Value,
}

impl<'s> Definition<'s> {
    /// The definition in which the keyword stands that an error is about, if it stands in one.
    fn of(root: &'s Value, error: &ValidationError<'_>) -> Option<Self> {
        let (place, _) = error.schema_path().as_str().rsplit_once('/')?;
        let name = place.strip_prefix("/$defs/").filter(|name| !name.contains('/'))?;
        let (name, schema) = root.get("$defs")?.as_object()?.get_key_value(name)?;
        Some(Self { name, schema })
    }

    /// Whether it says how long a text is at least.
    fn has_least_length(&self) -> bool {
        self.schema["minLength"].as_u64().is_some_and(|least| least > 0)
    }
}

/// Whether some text is long enough to exceed the limit of bytes. Most drafts have none, and then no pointers are made.
fn has_long_text(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() > TEXT_MAX_BYTES,
        Value::Array(items) => items.iter().any(has_long_text),
        Value::Object(members) => members.values().any(has_long_text),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The number of an error's findings.
fn number(error: &ValidationError<'_>) -> u64 {
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected.len() as u64
        }
        _ => 1,
    }
}

fn findings(error: &ValidationError<'_>, definition: Option<&Definition<'_>>) -> Vec<Finding> {
    let at = Pointer::from_text(error.instance_path().as_str());
    let one = |code, detail: Detail| vec![Finding::with(&at, code, detail)];
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Finding::with(&at.field(name), Code::MissingField, name)]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| Finding::with(&at.field(name), Code::UnknownField, name)).collect()
        }
        Kind::Type { kind } => one(Code::WrongType, type_wanted(kind, definition)),
        Kind::Enum { options } => {
            one(Code::UnknownValue, value_wanted(options, error.instance(), definition))
        }
        Kind::Constant { expected_value } => one(Code::UnknownValue, listed(expected_value).into()),
        Kind::MinLength { limit } => one(Code::TooShort, limit.to_string().into()),
        Kind::MaxLength { limit } => one(Code::TooLong, limit.to_string().into()),
        Kind::MinItems { limit } => one(Code::TooFew, limit.to_string().into()),
        Kind::MaxItems { limit } => one(Code::TooMany, limit.to_string().into()),
        Kind::UniqueItems => one(Code::DuplicateItem, "".into()),
        Kind::Minimum { limit } => one(Code::OutOfRange, format!("≥ {limit}").into()),
        Kind::Maximum { limit } => one(Code::OutOfRange, format!("≤ {limit}").into()),
        _ => form(&at, error.instance().as_str().unwrap_or_default(), definition).into_iter().collect(),
    }
}

/// The fault of a text that does not have the form of its definition. An empty text has its fault already where the definition
/// says how long a text is: it is too short.
fn form(at: &Pointer, text: &str, definition: Option<&Definition<'_>>) -> Option<Finding> {
    let name = definition.map_or("", |definition| definition.name);
    let controls: &[char] = match name {
        "Text" => &words::TEXT_CONTROLS,
        "Line" => &[],
        _ if text.is_empty() && definition.is_some_and(Definition::has_least_length) => return None,
        _ => return Some(Finding::with(at, Code::WrongFormat, forms::detail(name, text))),
    };
    match words::first_unseen(text, controls) {
        _ if text.is_empty() => None,
        Some(unseen) => Some(Finding::with(at, Code::UnseenCharacter, code_point(unseen))),
        None => Some(Finding::new(at, Code::BlankText)),
    }
}

/// The JSON types that a value may have; of an object that is often written as a text, also an example.
fn type_wanted(kind: &TypeKind, definition: Option<&Definition<'_>>) -> Detail {
    if let Some(definition) = definition.filter(|definition| forms::is_described(definition.name))
        && matches!(kind, TypeKind::Single(JsonType::Object))
    {
        return forms::of(definition.name);
    }
    let types: Vec<JsonType> = match kind {
        TypeKind::Single(expected) => vec![*expected],
        TypeKind::Multiple(expected) => expected.iter().collect(),
    };
    Detail::each(|hints, _| {
        types.iter().map(|expected| type_name(hints, *expected)).collect::<Vec<_>>().join(", ")
    })
}

fn type_name(hints: Hints, expected: JsonType) -> &'static str {
    match expected {
        JsonType::Object => hints.type_object(),
        JsonType::Array => hints.type_array(),
        JsonType::String => hints.type_string(),
        JsonType::Number => hints.type_number(),
        JsonType::Integer => hints.type_integer(),
        JsonType::Boolean => hints.type_boolean(),
        JsonType::Null => hints.type_null(),
    }
}

/// The possible words, with their labels where a code list has them, and the nearest to the word given.
fn value_wanted(options: &Value, given: &Value, definition: Option<&Definition<'_>>) -> Detail {
    let list = definition.and_then(|definition| definition.schema.get("x-code-list")?.as_str());
    // An enumeration and its shipped list have the same words: a test compares them.
    let Some(list) = list.and_then(|list| CodeLists::shipped().get(list)) else {
        return listed(options).into();
    };
    let near = given.as_str().map(|given| list.nearest(given)).unwrap_or_default();
    Detail::each(|hints, locale| {
        let all = labelled(&list.entries, locale);
        match given.as_str().filter(|_| !near.is_empty()) {
            Some(given) => hints.value_near(shown(given), labelled(near.iter().copied(), locale), all),
            None => all,
        }
    })
}

/// Codes with their labels: `white (Branco), grey (Cinzento)`.
pub(crate) fn labelled<'e>(entries: impl IntoIterator<Item = &'e CodeEntry>, locale: Locale) -> String {
    let entry = |entry: &CodeEntry| format!("{} ({})", entry.code, entry.labels.get(locale));
    entries.into_iter().map(entry).collect::<Vec<_>>().join(", ")
}

fn listed(options: &Value) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match options {
        Value::Array(options) => options.iter().map(word).collect::<Vec<_>>().join(", "),
        single => word(single),
    }
}

/// Adds texts that exceed the limit of bytes although they keep the schema's limit of characters.
fn long_texts(value: &Value, at: &Pointer, found: &mut Findings) {
    match value {
        Value::String(text) if text.len() > TEXT_MAX_BYTES => {
            let told = found.kept().iter().any(|finding| finding.at == *at && finding.code == Code::TooLong);
            if !told {
                found.push(Finding::with(at, Code::TooLong, TEXT_MAX_BYTES.to_string()));
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| long_texts(item, &at.item(index), found));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| long_texts(member, &at.field(name), found));
        }
        _ => {}
    }
}
