//! Drafts to send.

use serde_json::{Value, json};

/// The example of a stolen motorcycle, to these agencies. One person may send it.
///
/// # Panics
/// Never: the example is JSON.
pub fn motorcycle(recipients: &[&str]) -> Value {
    let example = include_str!("../../schemas/examples/valid/alert-stolen-motorcycle.json");
    to(example, recipients)
}

/// The example of a wanted person, to these agencies. A second person must release it.
///
/// # Panics
/// Never: the example is JSON.
pub fn wanted_person(recipients: &[&str]) -> Value {
    to(include_str!("../../schemas/examples/valid/alert-wanted-person.json"), recipients)
}

/// The example of a wanted person whom one person may release alone, in an emergency, to these agencies.
///
/// # Panics
/// Never: the example is JSON.
pub fn emergency(recipients: &[&str]) -> Value {
    to(include_str!("../../schemas/examples/valid/alert-wanted-person-emergency.json"), recipients)
}

fn to(example: &str, recipients: &[&str]) -> Value {
    let mut draft: Value = serde_json::from_str(example).expect("an example is JSON");
    draft["recipients"] = json!(recipients);
    draft
}
