//! The generated schemas.

use schemars::{
    JsonSchema, Schema,
    generate::{SchemaGenerator, SchemaSettings},
};
use serde_json::{Map, Value, json};

use crate::{
    Alert, Delivered, Header, LinkFault, MessageType, Read, Rejected, StreamRequest, StreamStatus, Terms,
    audit::{AuditAck, AuditBatch, AuditCheckpoint, AuditCosignature, AuditEvent, AuditLeaf},
    draft::AlertDraft,
    schema::closed,
};

/// One generated file.
pub struct SchemaFile {
    /// Its path below `schemas/json/`.
    pub path: String,
    /// What it holds: JSON, indented, with a final newline.
    pub text: String,
}

/// Every schema file, in the order of their paths.
pub fn files() -> Vec<SchemaFile> {
    let mut files = vec![
        file("audit/ack", &root::<AuditAck>("audit/ack")),
        file("audit/batch", &root::<AuditBatch>("audit/batch")),
        file("audit/event", &root::<AuditEvent>("audit/event")),
        file("audit/leaf", &root::<AuditLeaf>("audit/leaf")),
        file("draft/alert.issue", &draft()),
        file("received/header", &header()),
    ];
    files.extend(MessageType::ALL.into_iter().map(|known| {
        let name = format!("received/{known}");
        file(&name, &received(known))
    }));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn file(name: &str, schema: &Value) -> SchemaFile {
    // What it is comes first, for whoever opens the file.
    let first = ["$schema", "$id", "title", "description"];
    let mut ordered: Map<String, Value> =
        first.iter().filter_map(|name| Some(((*name).to_owned(), schema.get(*name)?.clone()))).collect();
    for (name, value) in schema.as_object().into_iter().flatten() {
        ordered.entry(name.clone()).or_insert_with(|| value.clone());
    }
    SchemaFile { path: format!("{name}.json"), text: format!("{:#}\n", Value::Object(ordered)) }
}

/// The closed schema of a draft.
pub(super) fn draft() -> Value {
    let mut schema = generator().into_root_schema_for::<AlertDraft>();
    closed::close(&mut schema);
    name(&mut schema, "draft/alert.issue");
    let mut schema = schema.to_value();
    schema["properties"]["type"] = json!({ "const": MessageType::AlertIssue.as_str() });
    if let Some(definitions) = schema["$defs"].as_object_mut() {
        definitions.remove("MessageType");
    }
    schema
}

/// The open schema of any message's header, the rest left alone.
pub(super) fn header() -> Value {
    let mut generator = generator();
    let header = generator.subschema_for::<Header>();
    message_schema(generator, "received/header", json!({ "header": header }), None)
}

/// The open schema of a received message of one type.
pub(super) fn received(message_type: MessageType) -> Value {
    match message_type {
        MessageType::AlertIssue => message::<Alert>(message_type),
        MessageType::ReceiptDelivered => message::<Delivered>(message_type),
        MessageType::ReceiptRead => message::<Read>(message_type),
        MessageType::ReceiptRejected => message::<Rejected>(message_type),
        MessageType::StreamStatus => message::<StreamStatus>(message_type),
        MessageType::StreamRequest => message::<StreamRequest>(message_type),
        MessageType::LinkFault => message::<LinkFault>(message_type),
        MessageType::AuditCheckpoint => message::<AuditCheckpoint>(message_type),
        MessageType::AuditCosignature => message::<AuditCosignature>(message_type),
    }
}

fn message<B: JsonSchema>(message_type: MessageType) -> Value {
    let mut generator = generator();
    let mut parts = json!({ "header": generator.subschema_for::<Header>() });
    if message_type.is_operational() {
        parts["terms"] = generator.subschema_for::<Terms>().to_value();
    }
    parts["body"] = generator.subschema_for::<B>().to_value();
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

/// A name, not an address: nothing is ever fetched.
fn id(path: &str) -> String {
    format!("urn:rovuma:schema:{}", path.replace('/', ":"))
}
