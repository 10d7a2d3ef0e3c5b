//! What is certain is put right when a draft comes in: the case and the spaces of plates and VINs. The author is told.

use serde_json::Value;

use super::{PlateNumber, Vin};
use crate::{
    draft::Remark,
    fault::{Detail, shown},
    pointer::Pointer,
};

/// The topic of remarks about what was put right.
const TOPIC: &str = "put_right";

/// Puts the plates and VINs of all vehicles right.
pub(crate) fn vehicles(subjects: &mut Value, at: &Pointer, remarks: &mut Vec<Remark>) {
    let list = subjects.get_mut("vehicles").and_then(Value::as_array_mut);
    let at = at.field("vehicles");
    for (index, vehicle) in list.into_iter().flatten().enumerate() {
        let at = at.item(index);
        if let Some(number) = vehicle.get_mut("plate").and_then(|plate| plate.get_mut("number")) {
            one(number, &at.field("plate").field("number"), plate, remarks);
        }
        if let Some(number) = vehicle.get_mut("vin") {
            one(number, &at.field("vin"), vin, remarks);
        }
    }
}

fn one(value: &mut Value, at: &Pointer, right: fn(&str) -> Option<String>, remarks: &mut Vec<Remark>) {
    let Some(given) = value.as_str() else { return };
    let Some(now) = right(given).filter(|now| now != given) else { return };
    let (before, after) = (shown(given), now.clone());
    let sentence = Detail::each(|hints, _| hints.put_right(&before, &after));
    remarks.push(Remark { at: at.clone(), topic: TOPIC, sentence });
    *value = Value::String(now);
}

/// A plate in capitals with single spaces; `None` where that does not make a plate of it.
fn plate(text: &str) -> Option<String> {
    let right = text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    right.parse::<PlateNumber>().is_ok().then_some(right)
}

/// A VIN in capitals without spaces, which no VIN has; `None` where that does not make a VIN of it.
fn vin(text: &str) -> Option<String> {
    let right = text.split_whitespace().collect::<String>().to_ascii_uppercase();
    right.parse::<Vin>().is_ok().then_some(right)
}

/// A text as a VIN, with digits for the letters that no VIN has because they look like digits (ISO 3779): only a guess.
pub(crate) fn vin_digits(text: &str) -> String {
    let letters = text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase());
    letters.map(as_digit).collect()
}

/// The digit that a letter looks like, or the letter.
pub(crate) const fn as_digit(letter: char) -> char {
    match letter {
        'O' | 'Q' => '0',
        'I' => '1',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("abc 123 mp", Some("ABC 123 MP"))]
    #[case("  ABC  123 MP ", Some("ABC 123 MP"))]
    #[case("abc\u{a0}123\u{a0}mp", Some("ABC 123 MP"))]
    #[case("abc-123-mp", Some("ABC-123-MP"))]
    #[case("T 123 ABC", Some("T 123 ABC"))]
    // What is not certain stays as it is.
    #[case("ABC.123.MP", None)]
    #[case("abc - 123", None)]
    #[case("ábc 123 mp", None)]
    #[case("x", None)]
    fn plates_have_capitals_and_single_spaces(#[case] given: &str, #[case] expected: Option<&str>) {
        assert_eq!(plate(given).as_deref(), expected);
    }

    #[rstest]
    #[case("md2a21ez0ewa00000", Some("MD2A21EZ0EWA00000"))]
    #[case(" MD2A 21EZ 0EWA 00000 ", Some("MD2A21EZ0EWA00000"))]
    #[case("MD2A21EZ0EWAO0000", None)]
    #[case("MD2A21EZ0EWA0000", None)]
    fn vins_have_capitals_and_no_spaces(#[case] given: &str, #[case] expected: Option<&str>) {
        assert_eq!(vin(given).as_deref(), expected);
    }

    proptest! {
        #[test]
        fn what_was_put_right_is_right(given in "[a-zA-Z0-9 \\-\u{a0}]{0,20}") {
            for right in [plate, vin] {
                if let Some(now) = right(&given) {
                    prop_assert_eq!(right(&now), Some(now.clone()));
                    let bare = |text: &str| -> String {
                        text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase()
                    };
                    prop_assert_eq!(bare(&now), bare(&given));
                }
            }
        }
    }
}
