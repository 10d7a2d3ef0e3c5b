//! What somebody scanned or typed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the text is, as the caller knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanKind {
    /// A machine readable zone.
    Mrz,
    /// The number of a document.
    Document,
    /// A number of national identity of Tanzania.
    Nida,
    /// The number of an identity card of Mozambique.
    Bi,
    /// A registration plate.
    Plate,
    /// A vehicle identification number.
    Vin,
    /// A frame number.
    ChassisNumber,
    /// The number of an engine.
    EngineNumber,
    /// The serial number of a telephone.
    Imei,
    /// Another serial number: of a firearm, of an object.
    Serial,
    /// A person's name.
    Name,
}

/// How the text came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanSource {
    /// A document reader.
    Reader,
    /// A person typed it.
    #[default]
    Typed,
    /// A camera read it and no person has looked at it.
    Camera,
}

/// A vehicle as the officer sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenVehicle {
    /// Its type, a code of `vehicle_types`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle_type: Option<String>,
    /// Its make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Its colour, a code of `colours`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
}

/// A text to be screened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// The text as it was scanned or typed: a whole machine readable zone with its line ends, or one number.
    #[schema(min_length = 1, max_length = 400)]
    pub text: String,
    /// What it is; where absent, it is looked for as everything that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ScanKind>,
    /// The state that issued the document or registered the vehicle, three letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{1,3}$")]
    pub state: Option<String>,
    /// The type of the document, a code of `document_types`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[a-z_]{1,48}$")]
    pub document_type: Option<String>,
    /// The vehicle, as the officer sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<SeenVehicle>,
    /// How the text came.
    #[serde(default)]
    pub source: ScanSource,
    /// Whether an officer compared the text with the document or plate.
    #[serde(default)]
    pub confirmed: bool,
}

/// Maximum bytes of a text: three lines of a zone with spaces and line ends fit several times.
pub const TEXT_MAX_BYTES: usize = 400;
