//! An event or a place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FaultCode, Line, Text, Timestamp,
    draft::Checker,
    subjects::{StateCode, SubjectKey},
    view::View,
    words::{listed_code, shaped_text},
};

listed_code!(
    /// Place of the offence, last seen, event, threatened place…
    PlaceType, "place_types"
);
listed_code!(
    /// A border crossing.
    CrossingCode, "crossings"
);
shaped_text!(
    /// A province or region, ISO 3166-2: `MZ-P`, `TZ-17`.
    SubdivisionCode, "an ISO 3166-2 code such as MZ-P",
    |text| {
        text.split_once('-').is_some_and(|(country, part)| {
            country.len() == 2
                && country.bytes().all(|b| b.is_ascii_uppercase())
                && (1..=3).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        })
    },
    { "type": "string", "pattern": "^[A-Z]{2}-[A-Z0-9]{1,3}$" }
);

/// A point on the ground, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// Latitude in degrees, north positive.
    #[schemars(range(min = -90, max = 90))]
    pub latitude: f64,
    /// Longitude in degrees, east positive.
    #[schemars(range(min = -180, max = 180))]
    pub longitude: f64,
    /// The radius of uncertainty, in metres.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub precision_m: u32,
}

/// An event or a place: at least a name, a subdivision, a crossing or a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The key by which other messages name this subject; the gateway assigns one at release where the author gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SubjectKey>,
    /// The role of the place in the matter.
    #[serde(rename = "type")]
    pub place_type: PlaceType,
    /// Its name: a village, a road, the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    /// The state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<StateCode>,
    /// The province or region, ISO 3166-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdivision: Option<SubdivisionCode>,
    /// The district.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<Line>,
    /// The administrative post or ward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<Line>,
    /// The border crossing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossing: Option<CrossingCode>,
    /// The point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Point>,
    /// When it happened or began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Other facts about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// Checks the rules about one event or place.
pub(super) fn check(checker: &mut Checker<'_>, place: &View<'_>) {
    location(checker, place);
    subdivision(checker, &place.field("subdivision"));
    let (from, until) = (place.field("from"), place.field("until"));
    let times = from.parsed::<Timestamp>().zip(until.parsed::<Timestamp>());
    if times.is_some_and(|(from, until)| until < from) {
        checker.fault(&until.at, FaultCode::EventTimesOrder);
    }
}

fn location(checker: &mut Checker<'_>, place: &View<'_>) {
    let located = ["name", "subdivision", "district", "crossing", "point"];
    if !located.iter().any(|field| place.field(field).is_there()) {
        checker.fault(&place.at, FaultCode::PlaceWithoutLocation);
    }
}

/// Checks a subdivision. The list has either all subdivisions of a country or none; for the latter any code of the right form
/// is accepted.
fn subdivision(checker: &mut Checker<'_>, view: &View<'_>) {
    let Some(code) = view.parsed::<SubdivisionCode>() else { return };
    let Some(list) = checker.context.lists.get("subdivisions") else { return };
    let country = &code.as_str()[..3];
    let covered = list.entries.iter().any(|entry| entry.code.starts_with(country));
    if covered && list.find(code.as_str()).is_none() {
        checker.fault_with(&view.at, FaultCode::SubdivisionUnknown, code.as_str());
    }
}
