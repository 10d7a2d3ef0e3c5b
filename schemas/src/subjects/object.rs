//! Any other object.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Line, Text,
    subjects::{SerialNumber, SubjectKey},
    words::listed_code,
};

listed_code!(
    /// Telephone, generator, ivory…
    ObjectType, "object_types"
);

/// An object that is no document, vehicle, firearm or vessel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The key by which other messages name this subject; the gateway assigns one at release where the author gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SubjectKey>,
    /// The kind of object.
    #[serde(rename = "type")]
    pub object_type: ObjectType,
    /// What it is, and its appearance.
    pub description: Text,
    /// How many, or how many units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub quantity: Option<u32>,
    /// The unit of the quantity where it is not pieces: `kg`, `l`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Line>,
    /// The serial number; for a telephone its IMEI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<SerialNumber>,
    /// The make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<Line>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Line>,
}
