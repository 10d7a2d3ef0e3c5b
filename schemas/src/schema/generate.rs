//! Generates the schemas.

use schemars::{
    JsonSchema, Schema,
    generate::{SchemaGenerator, SchemaSettings},
};
use serde_json::{Map, Value, json};

use crate::{
    DraftHeader, Header, MessageType, Terms,
    audit::{AuditAck, AuditBatch, AuditEvent, AuditLeaf},
    schema::closed,
};

/// One generated file.
pub struct SchemaFile {
    /// Its path below `schemas/json/`.
    pub path: String,
    /// The content: JSON, indented, with a final newline.
    pub text: String,
}

/// Every schema file, in the order of their paths.
pub fn files() -> Vec<SchemaFile> {
    let mut files = vec![
        file("audit/ack", &root::<AuditAck>("audit/ack")),
        file("audit/batch", &root::<AuditBatch>("audit/batch")),
        file("audit/event", &root::<AuditEvent>("audit/event")),
        file("audit/leaf", &root::<AuditLeaf>("audit/leaf")),
        file("received/header", &header()),
    ];
    files.extend(MessageType::operational().map(|kind| file(&format!("draft/{kind}"), &draft(kind))));
    files.extend(MessageType::ALL.iter().map(|kind| file(&format!("received/{kind}"), &received(*kind))));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn file(name: &str, schema: &Value) -> SchemaFile {
    // Name and title come first, for people who open the file.
    let first = ["$schema", "$id", "title", "description"];
    let mut ordered: Map<String, Value> =
        first.iter().filter_map(|name| Some(((*name).to_owned(), schema.get(*name)?.clone()))).collect();
    for (name, value) in schema.as_object().into_iter().flatten() {
        ordered.entry(name.clone()).or_insert_with(|| value.clone());
    }
    SchemaFile { path: format!("{name}.json"), text: format!("{:#}\n", Value::Object(ordered)) }
}

/// The closed schema of a draft: the members that all drafts have, the terms, and the body of the type.
pub(super) fn draft(message_type: MessageType) -> Value {
    let mut generator = generator();
    let terms = generator.subschema_for::<Terms>();
    let body = message_type.body_schema(&mut generator);
    let mut schema = generator.into_root_schema_for::<DraftHeader>();
    for (name, part) in [("terms", terms), ("body", body)] {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.insert(name.to_owned(), part.to_value());
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.push(json!(name));
        }
    }
    closed::close(&mut schema);
    name(&mut schema, &format!("draft/{message_type}"));
    let mut schema = schema.to_value();
    addressed(&mut schema, message_type);
    schema["title"] = json!(format!("Draft of {message_type}"));
    schema["properties"]["type"] = json!({ "const": message_type.as_str() });
    if let Some(definitions) = schema["$defs"].as_object_mut() {
        definitions.remove("MessageType");
    }
    schema
}

/// An opener names its recipients, and its case does not exist yet. A follower names its case, which says who its recipients are,
/// and does not expire on the way.
fn addressed(schema: &mut Value, message_type: MessageType) {
    let follows = message_type.class().follows();
    let (required, unknown): (_, &[&str]) =
        if follows { ("case", &["recipients", "expires"]) } else { ("recipients", &["case"]) };
    if let Some(properties) = schema["properties"].as_object_mut() {
        unknown.iter().for_each(|name| drop(properties.shift_remove(*name)));
        // It is required where it is known: the type's default is for the other drafts.
        if let Some(recipients) = properties.get_mut("recipients").and_then(Value::as_object_mut) {
            recipients.shift_remove("default");
        }
    }
    // After type and status, as in the type.
    if let Some(names) = schema["required"].as_array_mut() {
        names.insert(2, json!(required));
    }
    // A body may name other cases.
    let is_named = schema.to_string().contains("#/$defs/CaseId");
    if !is_named && let Some(definitions) = schema["$defs"].as_object_mut() {
        definitions.remove("CaseId");
    }
}

/// The open schema of any message's header; it does not check the rest.
pub(super) fn header() -> Value {
    let mut generator = generator();
    let header = generator.subschema_for::<Header>();
    message_schema(generator, "received/header", json!({ "header": header }), None)
}

/// The open schema of a received message of one type.
pub(super) fn received(message_type: MessageType) -> Value {
    let mut generator = generator();
    let mut parts = json!({ "header": generator.subschema_for::<Header>() });
    if message_type.class().is_operational() {
        parts["terms"] = generator.subschema_for::<Terms>().to_value();
    }
    parts["body"] = message_type.body_schema(&mut generator).to_value();
    message_schema(generator, &format!("received/{message_type}"), parts, Some(message_type))
}

fn message_schema(
    mut generator: SchemaGenerator,
    path: &str,
    parts: Value,
    message_type: Option<MessageType>,
) -> Value {
    let required: Vec<String> =
        parts.as_object().into_iter().flat_map(|parts| parts.keys().cloned()).collect();
    let mut definitions = generator.take_definitions(true);
    if let (Some(known), Some(header)) = (message_type, definitions.get_mut("Header")) {
        header["properties"]["type"] = json!({ "const": known.as_str() });
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id(path),
        "type": "object",
        "properties": parts,
        "required": required,
        "$defs": definitions,
    })
}

fn root<T: JsonSchema>(path: &str) -> Value {
    let mut schema = generator().into_root_schema_for::<T>();
    name(&mut schema, path);
    schema.to_value()
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .with_transform(closed::without_null)
        .with_transform(closed::words_as_enum)
        .into_generator()
}

fn name(schema: &mut Schema, path: &str) {
    schema.insert("$id".into(), Value::String(id(path)));
}

/// The schema's id: a name, not an address, because nothing is ever fetched.
fn id(path: &str) -> String {
    format!("urn:rovuma:schema:{}", path.replace('/', ":"))
}
