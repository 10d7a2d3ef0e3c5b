//! Vehicles. Motorcycles have a type of their own, because most vehicles stolen and moved across this border are motorcycles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FaultCode, Line, Text,
    checks::vin,
    draft::Checker,
    subjects::{SerialNumber, StateCode, SubjectKey},
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

/// Checks that one vehicle can be identified.
pub(super) fn check(checker: &mut Checker<'_>, vehicle: &View<'_>) {
    if !vehicle.has_any(&["plate", "vin", "chassis_number", "engine_number"]) {
        checker.fault(&vehicle.at, FaultCode::VehicleWithoutIdentifier);
    }
    let number = vehicle.field("vin");
    let Some(text) = number.text().filter(|text| vin::has_check_digit(text)) else { return };
    if let Some(digit) = vin::check_digit(text).filter(|digit| text.chars().nth(8) != Some(*digit)) {
        checker.fault_with(&number.at, FaultCode::VinCheckDigit, digit);
    }
}
