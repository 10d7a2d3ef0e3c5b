//! Vehicles. Motorcycles have a type of their own, because most vehicles stolen and moved across this border are motorcycles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FaultCode, Line, Text,
    checks::vin,
    draft::{Checker, Remark},
    fault::{Detail, Finding, shown},
    subjects::{SerialNumber, StateCode, SubjectKey, put_right},
    view::View,
    words::{listed_code, shaped_text},
};

listed_code!(
    /// Car, motorcycle, pickup…
    VehicleType, "vehicle_types"
);
listed_code!(
    /// A colour.
    ColourCode, "colours"
);
shaped_text!(
    /// A vehicle identification number: 17 capitals and digits without I, O and Q (ISO 3779).
    Vin, "a VIN of 17 characters without I, O and Q",
    |text| {
        text.len() == 17
            && text.bytes().all(|b| {
                (b.is_ascii_uppercase() && !matches!(b, b'I' | b'O' | b'Q')) || b.is_ascii_digit()
            })
    },
    { "type": "string", "pattern": "^[A-HJ-NPR-Z0-9]{17}$" }
);
shaped_text!(
    /// The text on a plate: capitals, digits, single spaces or hyphens, 2 to 12 characters.
    PlateNumber, "a plate number of 2 to 12 capitals, digits, spaces or hyphens",
    |text| {
        (2..=12).contains(&text.len())
            && text.split([' ', '-']).all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            })
    },
    { "type": "string", "minLength": 2, "maxLength": 12, "pattern": "^[A-Z0-9]+([ -][A-Z0-9]+)*$" }
);

/// A registration plate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plate {
    /// The text on the plate.
    pub number: PlateNumber,
    /// The state that registered it.
    pub country: StateCode,
}

/// A vehicle: at least one of plate, VIN, chassis number or engine number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vehicle {
    /// The key by which other messages name this subject; the gateway assigns one at release where the author gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SubjectKey>,
    /// The kind of vehicle.
    #[serde(rename = "type")]
    pub vehicle_type: VehicleType,
    /// The plate it should carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<Plate>,
    /// The vehicle identification number (ISO 3779).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vin: Option<Vin>,
    /// A chassis or frame number that is not a VIN, as older vehicles and many motorcycles have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chassis_number: Option<SerialNumber>,
    /// The engine number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_number: Option<SerialNumber>,
    /// The make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<Line>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Line>,
    /// The colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<ColourCode>,
    /// The year of make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1900, max = 2200))]
    pub year: Option<i16>,
    /// Damage, stickers, load, and other identifying marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Text>,
}

/// The last year that the schema takes. A draft's rule takes the next year at most: makers sell a model under its year from the
/// autumn before.
const YEAR_MAX: i64 = 2200;

/// The forms of plates where letters and digits have fixed places, by the state that issues them: `L` a letter, `D` a digit.
/// Mozambique's plates end with the letters of the province, Tanzania's begin with T, or with MC for a motorcycle.
const PLATE_FORMS: [(&str, &str); 3] = [("MOZ", "LLLDDDLL"), ("TZA", "TDDDLLL"), ("TZA", "MCDDDLLL")];

/// Adds a remark about a plate that has the form of its country's plates only with digits for the letters O and I, or letters for
/// the digits 0 and 1. It may be right all the same: there are older forms.
pub(super) fn remark(vehicle: &View<'_>, remarks: &mut Vec<Remark>) {
    let plate = vehicle.field("plate");
    let (number, country) = (plate.field("number"), plate.field("country"));
    let (Some(text), Some(country)) = (number.text(), country.text()) else { return };
    let forms = PLATE_FORMS.iter().filter(|(issuer, _)| *issuer == country).map(|(_, form)| *form);
    let fitted: Vec<Option<String>> = forms.map(|form| fitted(text, form)).collect();
    if fitted.iter().flatten().any(|fitted| fitted == text) {
        return;
    }
    if let Some(guess) = fitted.into_iter().flatten().next() {
        let given = shown(text);
        let sentence = Detail::each(|hints, _| hints.plate_letters(&given, &guess));
        remarks.push(Remark { at: number.at, topic: "plate_form", sentence });
    }
}

/// The plate with letters and digits that look alike in the places that `form` has for them; `None` where that is not enough.
fn fitted(plate: &str, form: &str) -> Option<String> {
    let mut places = form.chars();
    let mut fitted = String::with_capacity(plate.len());
    for c in plate.chars() {
        if !c.is_ascii_alphanumeric() {
            fitted.push(c);
            continue;
        }
        let digit = put_right::as_digit(c);
        let letter = match c {
            '0' => 'O',
            '1' => 'I',
            other => other,
        };
        fitted.push(match places.next()? {
            'D' if digit.is_ascii_digit() => digit,
            'L' if letter.is_ascii_uppercase() => letter,
            fixed @ ('T' | 'M' | 'C') if fixed == c => c,
            _ => return None,
        });
    }
    places.next().is_none().then_some(fitted)
}

/// Whether the check digit of a VIN fits; none where its maker's country asks for none. North America (49 CFR 565.15) and China (GB
/// 16735, whose first letter is L) ask for one.
pub fn vin_check(number: &str) -> Option<bool> {
    let is_asked_for = vin::has_check_digit(number) || number.starts_with('L');
    let digit = vin::check_digit(number).filter(|_| is_asked_for)?;
    Some(number.chars().nth(8) == Some(digit))
}

/// Checks that one vehicle can be identified.
pub(super) fn check(checker: &mut Checker<'_>, vehicle: &View<'_>) {
    if !vehicle.has_any(&["plate", "vin", "chassis_number", "engine_number"]) {
        checker.fault(&vehicle.at, FaultCode::VehicleWithoutIdentifier);
    }
    let year = vehicle.field("year");
    let next_year = i64::from(checker.context.today().year()) + 1;
    if let Some(given) = year.integer().filter(|given| *given > next_year) {
        let fault = Finding::with(&year.at, FaultCode::OutOfRange, format!("≤ {next_year}"));
        // The range of the schema is wider: its numbers do not depend on the day. Beyond it the fault is there already, with a
        // bound that would not help.
        if given > YEAR_MAX { checker.found.replace(fault) } else { checker.found.push(fault) }
    }
    let number = vehicle.field("vin");
    let Some(text) = number.text().filter(|text| vin::has_check_digit(text)) else { return };
    if let Some(digit) = vin::check_digit(text).filter(|digit| text.chars().nth(8) != Some(*digit)) {
        checker.fault_with(&number.at, FaultCode::VinCheckDigit, digit);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::Locale;

    #[rstest]
    #[case("MOZ", "ABC 123 MP", None)]
    #[case("MOZ", "ABC-1O3-MP", Some("ABC-103-MP"))]
    #[case("MOZ", "AB0 123 MP", Some("ABO 123 MP"))]
    #[case("TZA", "T I23 ABC", Some("T 123 ABC"))]
    #[case("TZA", "MC 123 ABC", None)]
    #[case("TZA", "MC 1O3 ABC", Some("MC 103 ABC"))]
    // Older forms, and other countries', are left alone.
    #[case("MOZ", "MMA 12-34", None)]
    #[case("ZAF", "CA 1O3", None)]
    fn letters_in_the_place_of_digits_are_pointed_out(
        #[case] country: &str,
        #[case] plate: &str,
        #[case] expected: Option<&str>,
    ) {
        let vehicle = json!({ "plate": { "number": plate, "country": country } });
        let mut remarks = Vec::new();
        remark(&View::root(&vehicle), &mut remarks);
        let sentence = remarks.first().map(|remark| remark.sentence.get(Locale::En).to_owned());
        match expected {
            None => assert_eq!(sentence, None),
            Some(guess) => {
                assert!(sentence.as_ref().is_some_and(|text| text.contains(guess)), "{sentence:?}")
            }
        }
    }
}
