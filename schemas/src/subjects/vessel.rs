//! A vessel; most on the Rovuma and along the coast have no registration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FaultCode, Line, Text,
    checks::imo,
    draft::Checker,
    subjects::{ColourCode, SerialNumber, StateCode, SubjectKey},
    view::View,
    words::{listed_code, shaped_text},
};

listed_code!(
    /// Dhow, canoe, motor boat…
    VesselType, "vessel_types"
);
shaped_text!(
    /// An IMO ship identification number: seven digits, the last a check digit (IMO Resolution
    /// A.1117(30)).
    ImoNumber, "an IMO number of seven digits",
    |text| text.len() == 7 && text.bytes().all(|b| b.is_ascii_digit()),
    { "type": "string", "pattern": "^[0-9]{7}$" }
);
shaped_text!(
    /// A maritime mobile service identity: nine digits (ITU-R M.585).
    Mmsi, "an MMSI of nine digits",
    |text| text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit()),
    { "type": "string", "pattern": "^[0-9]{9}$" }
);

/// An engine, often the only part of a boat that has a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Engine {
    /// The make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<Line>,
    /// The serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<SerialNumber>,
    /// The power in horsepower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub power_hp: Option<u32>,
}

/// A vessel: at least a name, a registration, a number, an engine number, or marks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vessel {
    /// The key by which other messages name this subject; the gateway assigns one at release where the author gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SubjectKey>,
    /// The kind of vessel.
    #[serde(rename = "type")]
    pub vessel_type: VesselType,
    /// The name painted on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    /// The registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<SerialNumber>,
    /// The flag state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<StateCode>,
    /// The IMO number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imo: Option<ImoNumber>,
    /// The maritime mobile service identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mmsi: Option<Mmsi>,
    /// The home port or landing place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_port: Option<Line>,
    /// Length in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub length_m: Option<f64>,
    /// The material of the hull.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hull: Option<Line>,
    /// The main colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<ColourCode>,
    /// The engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Sails, paintings, damage, and other identifying marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Text>,
}

/// Checks that one vessel can be identified.
pub(super) fn check(checker: &mut Checker<'_>, vessel: &View<'_>) {
    let engine_known = vessel.field("engine").field("serial_number").is_there();
    if !engine_known && !vessel.has_any(&["name", "registration", "imo", "mmsi", "marks"]) {
        checker.fault(&vessel.at, FaultCode::VesselWithoutIdentifier);
    }
    let number = vessel.field("imo");
    let Some(text) = number.text() else { return };
    if let Some(digit) = imo::check_digit(text).filter(|digit| !text.ends_with(*digit)) {
        checker.fault_with(&number.at, FaultCode::ImoCheckDigit, digit);
    }
}
