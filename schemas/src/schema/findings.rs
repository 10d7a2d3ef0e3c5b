//! Converts the validator's errors to findings.

use jsonschema::{
    ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use crate::{
    fault::{FaultCode as Code, Finding, Findings},
    limits::TEXT_MAX_BYTES,
    pointer::Pointer,
};

/// The faults of `instance`.
pub(super) fn of(validator: &Validator, instance: &Value) -> Findings {
    let mut found = Findings::default();
    // Finding out whether there is any fault costs a fraction of listing them, and most drafts have none.
    if !validator.is_valid(instance) {
        for finding in validator.iter_errors(instance).flat_map(|error| findings(&error)) {
            found.push(finding);
        }
    }
    if has_long_text(instance) {
        long_texts(instance, &Pointer::default(), &mut found);
    }
    found
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

fn findings(error: &ValidationError<'_>) -> Vec<Finding> {
    let at = Pointer::from_text(error.instance_path().as_str());
    let one = |code, detail: String| vec![Finding::with(&at, code, detail)];
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Finding::with(&at.field(name), Code::MissingField, name)]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| Finding::with(&at.field(name), Code::UnknownField, name)).collect()
        }
        Kind::Type { kind } => one(Code::WrongType, type_name(kind)),
        Kind::Enum { options } => one(Code::UnknownValue, listed(options)),
        Kind::Constant { expected_value } => one(Code::UnknownValue, listed(expected_value)),
        Kind::MinLength { limit } => one(Code::TooShort, limit.to_string()),
        Kind::MaxLength { limit } => one(Code::TooLong, limit.to_string()),
        Kind::MinItems { limit } => one(Code::TooFew, limit.to_string()),
        Kind::MaxItems { limit } => one(Code::TooMany, limit.to_string()),
        Kind::UniqueItems => one(Code::DuplicateItem, String::new()),
        Kind::Minimum { limit } => one(Code::OutOfRange, format!("≥ {limit}")),
        Kind::Maximum { limit } => one(Code::OutOfRange, format!("≤ {limit}")),
        _ => one(Code::WrongFormat, String::new()),
    }
}

fn type_name(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(expected) => expected.to_string(),
        TypeKind::Multiple(expected) => {
            expected.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(", ")
        }
    }
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
