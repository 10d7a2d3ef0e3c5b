//! Alerts to post: the example, and any number of similar ones.

use anyhow::{Context, Result};
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../../schemas/examples/valid/alert-stolen-motorcycle.json");

/// An alert that one person may release in an emergency: it must be confirmed by some instant.
const EMERGENCY: &str = include_str!("../../../schemas/examples/valid/alert-wanted-person-emergency.json");

/// The chassis number of the example, by which the content of copies of it is made different.
pub(crate) const MARK: &str = "MD2EXAMPLE0000417";

/// The reference of the example, by which copies of it are found.
pub(crate) const REFERENCE: &str = "PRM-EX-2025-0417";

/// The example as it is.
pub(crate) fn example() -> String {
    EXAMPLE.to_owned()
}

/// The example, addressed to one recipient only.
///
/// # Errors
/// None in practice: the example is JSON.
pub(crate) fn to(recipient: &str) -> Result<String> {
    let mut draft = parsed()?;
    draft["recipients"] = json!([recipient]);
    Ok(draft.to_string())
}

/// The example with numbers of its own and the words of its sentences in another order: of the same size, but two
/// such alerts in one bundle have in common what two alerts of the same kind have, and not everything.
///
/// # Errors
/// When the example has other fields than these.
pub(crate) fn numbered(number: u32) -> Result<String> {
    let mut draft = parsed()?;
    // None has the number of the example, which would be a duplicate of it.
    let serial = format!("{:07}", 1_000_000 + number % 9_000_000);
    set_value(&mut draft, "/reference", format!("PRM-EX-{}", &serial))?;
    set_value(&mut draft, "/body/decision/reference", format!("Auto {serial}"))?;
    set_value(
        &mut draft,
        "/body/subjects/vehicles/0/plate/number",
        format!("AA{} {}", &serial[..3], &serial[3..]),
    )?;
    set_value(&mut draft, "/body/subjects/vehicles/0/chassis_number", format!("MD2EXAMPLE{serial}"))?;
    set_value(&mut draft, "/body/subjects/vehicles/0/engine_number", format!("DUZEX{serial}"))?;
    for text in ["/terms/urgency/statement", "/body/circumstances", "/body/subjects/vehicles/0/marks"] {
        let words = draft.pointer(text).and_then(Value::as_str).context("a text")?;
        let shuffled = shuffled(words, u64::from(number));
        set_value(&mut draft, text, shuffled)?;
    }
    Ok(draft.to_string())
}

/// The emergency alert, with the example's mark and reference.
///
/// # Errors
/// None in practice: the example is JSON.
pub(crate) fn emergency() -> Result<String> {
    let mut draft = emergency_content()?;
    draft["reference"] = json!(REFERENCE);
    draft["recipients"] = json!(["tz.tpf", "tz.tisd"]);
    Ok(draft.to_string())
}

/// A newer version of the alert that opened this case, the same but for its circumstances: of the emergency alert, or of the
/// example; in answer to a message, if one is given.
///
/// # Errors
/// None in practice: the examples are JSON.
pub(crate) fn update(case: &Value, is_emergency: bool, answers: Option<&str>) -> Result<String> {
    let alert = if is_emergency { emergency_content()? } else { parsed()? };
    let mut content = alert["body"].clone();
    let letters = [("vehicles", "v1"), ("places", "l1"), ("persons", "p1")];
    for (list, key) in letters {
        if let Some(subject) = content["subjects"].get_mut(list).and_then(|list| list.get_mut(0)) {
            subject["key"] = json!(key);
        }
    }
    if let Some(document) = content.pointer_mut("/subjects/persons/0/documents/0") {
        document["key"] = json!("d1");
    }
    let mut terms = alert["terms"].clone();
    terms["urgency"] = json!({ "level": "normal" });
    let body = json!({ "alert": content, "change": "Vista outra vez." });
    let mut draft = json!({ "type": "alert.update", "status": alert["status"], "case": case, "terms": terms, "body": body });
    if let Some(id) = answers {
        draft["in_reply_to"] = json!(id);
    }
    Ok(draft.to_string())
}

/// A recipient's report of an error in the first version.
///
/// # Errors
/// None in practice: the example is JSON.
pub(crate) fn error_report(case: &Value) -> Result<String> {
    let errors = json!([{ "at": "/circumstances", "proposal": "Barabara imefungwa." }]);
    follower("alert.error_report", case, json!({ "version": 1, "errors": errors }))
}

/// A recipient's mark that the alert cannot be executed there.
///
/// # Errors
/// None in practice: the example is JSON.
pub(crate) fn flag(case: &Value) -> Result<String> {
    follower(
        "alert.flag",
        case,
        json!({ "flag": "on", "version": 1, "reason": "own_proceedings", "instead": "inform_only" }),
    )
}

fn follower(message_type: &str, case: &Value, body: Value) -> Result<String> {
    let alert = parsed()?;
    let mut terms = alert["terms"].clone();
    terms["urgency"] = json!({ "level": "normal" });
    let draft = json!({ "type": message_type, "status": alert["status"], "case": case, "terms": terms, "body": body });
    Ok(draft.to_string())
}

fn emergency_content() -> Result<Value> {
    let mut alert: Value = serde_json::from_str(EMERGENCY).context("the example is JSON")?;
    let circumstances = alert["body"]["circumstances"].as_str().context("circumstances")?;
    alert["body"]["circumstances"] = json!(format!("{circumstances} {MARK}"));
    Ok(alert)
}

fn parsed() -> Result<Value> {
    serde_json::from_str(EXAMPLE).context("the example is JSON")
}

fn set_value(draft: &mut Value, pointer: &str, text: String) -> Result<()> {
    *draft.pointer_mut(pointer).with_context(|| format!("the example has {pointer}"))? = Value::String(text);
    Ok(())
}

/// Shuffles the words in an order that follows from `seed` (Fisher and Yates, with the splitmix64 sequence).
fn shuffled(text: &str, mut seed: u64) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    for last in (1..words.len()).rev() {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut drawn = seed;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        drawn ^= drawn >> 31;
        let place = usize::try_from(drawn % (last as u64 + 1)).unwrap_or(last);
        words.swap(last, place);
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_alike_in_size_and_differ_in_words() {
        let whole: Value = serde_json::from_str(EXAMPLE).expect("JSON");
        let (first, second) = (numbered(1).expect("a draft"), numbered(2).expect("a draft"));
        assert_ne!(first, second);
        assert_eq!(first.len(), second.len());
        assert!(first.len().abs_diff(whole.to_string().len()) < 32, "{} bytes", first.len());
        assert_eq!(numbered(1).expect("a draft"), first, "the same each time");
    }
}
