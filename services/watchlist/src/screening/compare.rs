//! Compares one reading of a text with one number of a list: whether they are the same, and whether that is certain.

use serde::{Deserialize, Serialize};

use super::{
    listed::{ListedNumber, ListedSubject},
    number::{NumberKind, are_confusable},
    reading::{DocumentFamily, NumberDigit, Reading, is_state, state_code},
    scan::{Scan, ScanSource, SeenVehicle},
};

mod holder;

pub(crate) use holder::is_somebody_else;

/// How a number of a list was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// Every character is equal.
    Equal,
    /// It lies between the two ends of a series.
    InSeries,
    /// Some characters are taken for each other.
    Confusable,
    /// One is the end of the other.
    Suffix,
}

/// A feature that was compared, so that a person sees why something was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Feature {
    /// What was compared: `number`, `issuer`, `type`, `holder`, `country`, `make`, `colour`, `vehicle_type`.
    pub feature: String,
    /// What the scan has.
    pub query: String,
    /// What the list has.
    pub listed: String,
    /// `equal`, `in_series`, `confusable`, `suffix`, `different`, or `unknown` where one side does not say.
    pub effect: String,
}

/// A match of a reading with a listed number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) likeness: Likeness,
    pub(crate) features: Vec<Feature>,
    /// Why it is not certain; empty when it is.
    pub(crate) doubts: Vec<Doubt>,
    /// Whether a person other than the listed one holds the document.
    pub(crate) is_other_holder: bool,
}

/// Why a match is not certain enough to be forwarded without a person.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Numbers are alike and not equal.
    OnlyAlike,
    /// The check digit is wrong.
    CheckDigit,
    /// Nobody said what kind of number it is.
    KindUnknown,
    /// The issuer or the country is not known on both sides.
    StateUnknown,
    /// The country was concluded from the form of the plate.
    StateGuessed,
    /// The country of the plate differs.
    StateDiffers,
    /// The type of the document is not known on both sides.
    TypeUnknown,
    /// The type of the document differs.
    TypeDiffers,
    /// The series has more numbers than are ever stolen together: it would report everybody.
    SeriesTooWide,
    /// A camera read it and no person has looked.
    Unconfirmed,
    /// It was typed, has no check digit, and nobody compared it with the document.
    NotCompared,
    /// Numbers of this kind are given by each maker, and are not unique.
    NotUnique,
    /// Make, colour or type of the vehicle differ.
    VehicleDiffers,
    /// The list says that the identity of an innocent person is misused.
    MisusedIdentity,
}

impl Doubt {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyAlike => "only_alike",
            Self::CheckDigit => "check_digit",
            Self::KindUnknown => "kind_unknown",
            Self::StateUnknown => "state_unknown",
            Self::StateGuessed => "state_guessed",
            Self::StateDiffers => "state_differs",
            Self::TypeUnknown => "type_unknown",
            Self::TypeDiffers => "type_differs",
            Self::SeriesTooWide => "series_too_wide",
            Self::Unconfirmed => "unconfirmed",
            Self::NotCompared => "not_compared",
            Self::NotUnique => "not_unique",
            Self::VehicleDiffers => "vehicle_differs",
            Self::MisusedIdentity => "misused_identity",
        }
    }

    /// Whether a match with this doubt is only something alike: a person must look at it before it is called a hit.
    pub(crate) const fn is_for_review(self) -> bool {
        matches!(
            self,
            Self::OnlyAlike
                | Self::CheckDigit
                | Self::StateDiffers
                | Self::TypeDiffers
                | Self::Unconfirmed
                | Self::VehicleDiffers
        )
    }
}

/// Compares a reading with a listed number; none where they are not the same.
pub(crate) fn compare(
    scan: &Scan,
    reading: &Reading,
    (subject, number): (&ListedSubject, &ListedNumber),
) -> Option<Match> {
    if reading.kind.place() != number.kind.place() {
        return None;
    }
    let likeness = likeness(reading, number)?;
    let mut found = Match {
        likeness,
        features: vec![Feature {
            feature: "number".to_owned(),
            query: reading.number.clone(),
            listed: match &number.value_to {
                Some(to) => format!("{} – {to}", number.value),
                None => number.value.clone(),
            },
            effect: effect_of(likeness).to_owned(),
        }],
        doubts: Vec::new(),
        is_other_holder: false,
    };
    if !matches!(likeness, Likeness::Equal | Likeness::InSeries) || reading.is_proposed {
        found.doubts.push(Doubt::OnlyAlike);
    }
    if likeness == Likeness::InSeries && number.series().is_some_and(|series| series.is_too_wide()) {
        found.doubts.push(Doubt::SeriesTooWide);
    }
    if reading.digit == NumberDigit::Wrong {
        found.doubts.push(Doubt::CheckDigit);
    }
    if !reading.is_kind_known {
        found.doubts.push(Doubt::KindUnknown);
    }
    match reading.kind {
        NumberKind::Document => document(scan, reading, subject, number, &mut found)?,
        NumberKind::Plate => plate(scan, reading, subject, number, &mut found),
        NumberKind::Vin | NumberKind::ChassisNumber => {
            if number.normal().is_none_or(|listed| listed.parse::<rovuma_schemas::subjects::Vin>().is_err()) {
                found.doubts.push(Doubt::NotUnique);
            }
            vehicle(scan.vehicle.as_ref(), subject, &mut found.features);
        }
        NumberKind::Imei if reading.digit == NumberDigit::Right => {}
        _ => found.doubts.push(Doubt::NotUnique),
    }
    if number.is_misused {
        found.doubts.push(Doubt::MisusedIdentity);
    }
    if scan.source == ScanSource::Camera && !scan.confirmed {
        found.doubts.push(Doubt::Unconfirmed);
    }
    Some(found)
}

fn likeness(reading: &Reading, number: &ListedNumber) -> Option<Likeness> {
    let query = reading.kind.compared(&reading.number);
    let wholes: Vec<String> = number.wholes().collect();
    let listed = || wholes.iter().map(|whole| number.kind.compared(whole));
    if listed().any(|listed| listed == query) {
        return Some(Likeness::Equal);
    }
    if number.series().is_some_and(|series| series.has(query)) {
        return Some(Likeness::InSeries);
    }
    let folded_query = super::number::folded(query);
    if listed().any(|listed| are_confusable(query, listed))
        || number.folded_series().is_some_and(|series| series.has(&folded_query))
    {
        return Some(Likeness::Confusable);
    }
    let is_end = |listed: &str| {
        query.len().min(listed.len()) >= super::index::SUFFIX_MIN
            && (query.ends_with(listed) || listed.ends_with(query))
    };
    let is_frame = number.kind.place() == NumberKind::ChassisNumber && reading.is_kind_known;
    (is_frame && listed().any(is_end)).then_some(Likeness::Suffix)
}

const fn effect_of(likeness: Likeness) -> &'static str {
    match likeness {
        Likeness::Equal => "equal",
        Likeness::InSeries => "in_series",
        Likeness::Confusable => "confusable",
        Likeness::Suffix => "suffix",
    }
}

/// Issuer, type and holder. None where two states issued the two documents: then they are two documents.
fn document(
    scan: &Scan,
    reading: &Reading,
    subject: &ListedSubject,
    number: &ListedNumber,
    found: &mut Match,
) -> Option<()> {
    let listed = number.qualifier.as_deref().map(state_code);
    let effect = match agreement(reading.state.as_deref(), listed.as_deref()) {
        "different" if reading.state.as_deref().is_some_and(is_state) => return None,
        "different" => "unknown",
        effect => effect,
    };
    if effect == "unknown" {
        found.doubts.push(Doubt::StateUnknown);
    }
    found.features.push(feature("issuer", reading.state.as_deref(), number.qualifier.as_deref(), effect));
    let family = number.document_type.as_deref().and_then(DocumentFamily::of_type);
    let effect = match (reading.family, family) {
        (Some(one), Some(other)) if one == other => "equal",
        (Some(_), Some(_)) => "different",
        _ => "unknown",
    };
    match effect {
        "different" => found.doubts.push(Doubt::TypeDiffers),
        "unknown" => found.doubts.push(Doubt::TypeUnknown),
        _ => {}
    }
    let code = reading.family.map(|family| match family {
        DocumentFamily::Passport => "passport",
        DocumentFamily::Card => "card",
        DocumentFamily::Visa => "visa",
    });
    found.features.push(feature("type", code, number.document_type.as_deref(), effect));
    // A number that was typed has no check digit: a person must have compared it.
    if reading.digit == NumberDigit::None && !scan.confirmed {
        found.doubts.push(Doubt::NotCompared);
    }
    if let Some(holder) = &reading.holder {
        found.is_other_holder = is_somebody_else(holder, subject);
        let query = [holder.surname.as_str(), &holder.given].join(" ");
        let effect = match (subject.names.is_empty() && subject.births.is_empty(), found.is_other_holder) {
            (true, _) => "unknown",
            (false, true) => "different",
            (false, false) => "equal",
        };
        let names = subject.names.join("; ");
        found.features.push(feature("holder", Some(query.trim()), Some(&names), effect));
    }
    Some(())
}

fn plate(scan: &Scan, reading: &Reading, subject: &ListedSubject, number: &ListedNumber, found: &mut Match) {
    let listed = number.qualifier.as_deref().map(state_code);
    let effect = agreement(reading.state.as_deref(), listed.as_deref());
    match effect {
        "different" => found.doubts.push(Doubt::StateDiffers),
        "unknown" => found.doubts.push(Doubt::StateUnknown),
        _ if reading.is_state_guessed => found.doubts.push(Doubt::StateGuessed),
        _ => {}
    }
    found.features.push(feature("country", reading.state.as_deref(), number.qualifier.as_deref(), effect));
    if vehicle(scan.vehicle.as_ref(), subject, &mut found.features) {
        found.doubts.push(Doubt::VehicleDiffers);
    }
}

/// Adds how the vehicle looks; whether anything contradicts.
fn vehicle(seen: Option<&SeenVehicle>, subject: &ListedSubject, features: &mut Vec<Feature>) -> bool {
    let Some(seen) = seen else { return false };
    let mut differs = false;
    for (name, query, listed) in [
        ("vehicle_type", &seen.vehicle_type, &subject.vehicle_type),
        ("make", &seen.make, &subject.make),
        ("colour", &seen.colour, &subject.colour),
    ] {
        if query.is_none() && listed.is_none() {
            continue;
        }
        let word = |text: &Option<String>| text.as_ref().map(|text| text.trim().to_lowercase());
        let effect = agreement(word(query).as_deref(), word(listed).as_deref());
        differs |= effect == "different";
        features.push(feature(name, query.as_deref(), listed.as_deref(), effect));
    }
    differs
}

fn agreement(query: Option<&str>, listed: Option<&str>) -> &'static str {
    match (query.filter(|text| !text.is_empty()), listed.filter(|text| !text.is_empty())) {
        (Some(query), Some(listed)) if query == listed => "equal",
        (Some(_), Some(_)) => "different",
        _ => "unknown",
    }
}

fn feature(name: &str, query: Option<&str>, listed: Option<&str>, effect: &str) -> Feature {
    Feature {
        feature: name.to_owned(),
        query: query.unwrap_or_default().to_owned(),
        listed: listed.unwrap_or_default().to_owned(),
        effect: effect.to_owned(),
    }
}
