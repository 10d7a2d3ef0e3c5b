//! A firearm.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FaultCode, Line, Text,
    draft::Checker,
    subjects::{SerialNumber, StateCode, SubjectKey},
    view::View,
    words::listed_code,
};

listed_code!(
    /// Pistol, rifle, home-made…
    FirearmType, "firearm_types"
);

/// A firearm, identified by its serial number, or by marks where the number was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firearm {
    /// The key by which other messages name this subject; the gateway assigns one at release where the author gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SubjectKey>,
    /// The kind of firearm.
    #[serde(rename = "type")]
    pub firearm_type: FirearmType,
    /// The serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<SerialNumber>,
    /// Whether the serial number was removed or made unreadable.
    #[serde(default)]
    pub serial_removed: bool,
    /// The make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<Line>,
    /// The model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Line>,
    /// The calibre as marked: `7.62x39`, `9 mm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibre: Option<Line>,
    /// The state in which it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_in: Option<StateCode>,
    /// Proof and import marks, damage, and other identifying marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Text>,
}

/// Checks that one firearm can be identified.
pub(super) fn check(checker: &mut Checker<'_>, firearm: &View<'_>) {
    let removed = firearm.field("serial_removed");
    match (firearm.field("serial_number").is_there(), removed.truth()) {
        (true, Some(true)) => checker.fault(&removed.at, FaultCode::SerialContradiction),
        (false, _) if !firearm.has_any(&["marks"]) => {
            checker.fault(&firearm.at, FaultCode::FirearmWithoutIdentifier);
        }
        _ => {}
    }
}
