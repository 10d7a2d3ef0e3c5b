//! The JSON Schemas (draft 2020-12): generated from the types, and used for checks at run time.
//!
//! `schemas/json/` holds the generated files; `generate-schemas` writes them and a test compares.

mod asyncapi;
mod closed;
mod findings;
mod forms;
mod generate;

use std::{collections::BTreeMap, sync::LazyLock};

use jsonschema::{PatternOptions, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use asyncapi::asyncapi;
pub use generate::{SchemaFile, files};

pub(crate) use findings::labelled;
pub(crate) use forms::in_words as form_in_words;

use crate::{
    MessageType,
    fault::{FaultCode, Finding, Findings},
    pointer::Pointer,
};

/// The closed schema that a client's draft of an operational type must meet.
pub(crate) fn draft(message_type: MessageType) -> &'static Value {
    static SCHEMAS: LazyLock<BTreeMap<MessageType, Value>> = LazyLock::new(|| {
        let generated = |kind| (kind, generate::draft(kind));
        MessageType::operational().map(generated).collect()
    });
    SCHEMAS.get(&message_type).unwrap_or(&Value::Null)
}

/// The faults of a draft against the schema of its type.
pub(crate) fn draft_faults(message_type: MessageType, draft: &Value) -> Findings {
    static VALIDATORS: LazyLock<BTreeMap<MessageType, Validator>> = LazyLock::new(|| {
        let compiled = |kind| (kind, compile(self::draft(kind)));
        MessageType::operational().map(compiled).collect()
    });
    let schema = self::draft(message_type);
    VALIDATORS
        .get(&message_type)
        .map_or_else(Findings::default, |validator| findings::of_draft(validator, schema, draft))
}

/// The first faults of a received message against the open schema of its type.
pub(crate) fn received_faults(message_type: MessageType, message: &Value) -> Vec<Finding> {
    static VALIDATORS: LazyLock<BTreeMap<MessageType, (Validator, Value)>> = LazyLock::new(|| {
        let compiled = |kind: &MessageType| {
            let schema = generate::received(*kind);
            (*kind, (compile(&schema), schema))
        };
        MessageType::ALL.iter().map(compiled).collect()
    });
    VALIDATORS
        .get(&message_type)
        .map_or_else(Vec::new, |(validator, schema)| findings::of_received(validator, schema, message).into())
}

/// The first faults of a received message's header alone, whatever its type.
pub(crate) fn header_faults(message: &Value) -> Vec<Finding> {
    static VALIDATOR: LazyLock<(Validator, Value)> = LazyLock::new(|| {
        let schema = generate::header();
        (compile(&schema), schema)
    });
    findings::of_received(&VALIDATOR.0, &VALIDATOR.1, message).into()
}

fn compile(schema: &Value) -> Validator {
    // Patterns run in linear time, so no text can make one slow. The schemas are generated from
    // this build's own types and a test compiles each of them.
    jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .build(schema)
        .expect("generated schemas compile")
}

/// The typed value of JSON that has met its schema. A value that the type refuses all the same is reported like a fault against
/// the schema.
pub(crate) fn typed<T: DeserializeOwned>(value: &Value, at: &Pointer) -> Result<T, Finding> {
    // The second, slower parser finds the pointer, and runs only after a refusal.
    if let Ok(typed) = T::deserialize(value) {
        return Ok(typed);
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut place = at.clone();
        for segment in error.path() {
            match segment {
                serde_path_to_error::Segment::Seq { index } => place = place.item(*index),
                serde_path_to_error::Segment::Map { key } => place = place.field(key),
                _ => {}
            }
        }
        Finding::with(&place, FaultCode::WrongFormat, error.into_inner().to_string())
    })
}
