//! Generates `asyncapi.yaml` from a frame written by hand and the table of message types.

use std::fmt::Write as _;

use crate::MessageType;

/// The description of the channels. A line that begins with `@` stands for one piece of text for each message type.
const FRAME: &str = include_str!("asyncapi.frame.yaml");

/// The AsyncAPI 3.0 document of the exchange, as it is kept in `schemas/asyncapi.yaml`.
pub fn asyncapi() -> String {
    let mut document = String::new();
    for line in FRAME.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut each = |piece: &dyn Fn(MessageType, String) -> String| {
            for kind in MessageType::ALL {
                let key = kind.as_str().replace('.', "_");
                for line in piece(*kind, key).lines() {
                    let _ = writeln!(document, "{indent}{line}");
                }
            }
        };
        match line.trim_start().split_once(' ').unwrap_or((line.trim_start(), "")) {
            ("@each-message", _) => {
                each(&|_, key| format!("{key}:\n  $ref: '#/components/messages/{key}'"));
            }
            ("@each-message-of", channel) => {
                each(&|_, key| format!("- $ref: '#/channels/{channel}/messages/{key}'"));
            }
            ("@each-definition", _) => each(&definition),
            _ => {
                let _ = writeln!(document, "{line}");
            }
        }
    }
    document
}

fn definition(kind: MessageType, key: String) -> String {
    format!(
        "{key}:\n  name: {kind}\n  summary: {}\n  contentType: application/vnd.rovuma.bundle\n  payload:\n    \
         schemaFormat: application/schema+json;version=draft-2020-12\n    schema:\n      \
         $ref: ./json/received/{kind}.json",
        // Quoted: a colon in a sentence is no key.
        serde_json::Value::from(kind.description().trim())
    )
}
