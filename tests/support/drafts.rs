//! Drafts to send.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// The example of a stolen motorcycle, to these agencies: another motorcycle each time, because a second alert about the same one takes a
/// reason. One person may send it.
///
/// # Panics
/// Never: the example is JSON.
pub fn motorcycle(recipients: &[&str]) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let example = include_str!("../../schemas/examples/valid/alert-stolen-motorcycle.json");
    let mut draft = to(example, recipients);
    let vehicle = &mut draft["body"]["subjects"]["vehicles"][0];
    vehicle["plate"]["number"] = json!(format!("AAA {number:05}"));
    vehicle["chassis_number"] = json!(format!("MD2EXAMPLE{number:07}"));
    vehicle["engine_number"] = json!(format!("DUZEXAMPLE{number:07}"));
    draft
}

/// The example of a request about a vehicle, to this agency: another motorcycle each time. One person may send it.
///
/// # Panics
/// Never: the example is JSON.
pub fn vehicle_request(recipients: &[&str]) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut draft = to(include_str!("../../schemas/examples/valid/request-vehicle.json"), recipients);
    let vehicle = &mut draft["body"]["subjects"]["vehicles"][0];
    vehicle["plate"]["number"] = json!(format!("MC {number:05} R"));
    vehicle["chassis_number"] = json!(format!("MD2REQUEST{number:07}"));
    // Its own case, group and time, which the example invents.
    if let Some(body) = draft["body"].as_object_mut() {
        for member in ["related", "group", "needed_by"] {
            body.remove(member);
        }
    }
    draft
}

/// The example of a wanted person, to these agencies. A second person must release it.
///
/// # Panics
/// Never: the example is JSON.
pub fn wanted_person(recipients: &[&str]) -> Value {
    to(include_str!("../../schemas/examples/valid/alert-wanted-person.json"), recipients)
}

/// The example of a wanted person whom one person may release alone, in an emergency, to these agencies; a different
/// person each time, as an alert about the same one would be a duplicate.
///
/// # Panics
/// Never: the example is JSON.
pub fn emergency(recipients: &[&str]) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let example = include_str!("../../schemas/examples/valid/alert-wanted-person-emergency.json");
    let mut draft = to(example, recipients);
    let person = &mut draft["body"]["subjects"]["persons"][0];
    let surname = surname(number);
    person["name"] = json!({
        "printed": format!("Mfano Juma {surname}"),
        "surname": surname,
        "given": "Mfano Juma",
        "normalised": format!("MFANO JUMA {}", surname.to_uppercase()),
    });
    // An alias with a birth date is the same person, too.
    person["aliases"] = json!([]);
    person["documents"][0]["number"] = json!(format!("19880101-00000-{number:05}-00"));
    draft
}

/// A surname of its own for each number, as a name has no digits.
fn surname(number: u64) -> String {
    let digits = number.to_string();
    let letters = digits.bytes().map(|digit| char::from(b'a' + digit - b'0'));
    format!("Mtungwa{}", letters.collect::<String>())
}

fn to(example: &str, recipients: &[&str]) -> Value {
    let mut draft: Value = serde_json::from_str(example).expect("an example is JSON");
    draft["recipients"] = json!(recipients);
    draft
}
