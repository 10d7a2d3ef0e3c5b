//! Alerts to post: the example, and any number of similar ones.

use anyhow::{Context, Result};
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../../schemas/examples/valid/alert-stolen-motorcycle.json");

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
    let serial = format!("{:07}", number % 10_000_000);
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
