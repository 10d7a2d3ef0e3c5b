//! A person as a subject.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Line, Text,
    alert::{Document, WarningCode},
    words::{listed_code, shaped_text},
};

listed_code!(
    /// What a person is in the matter: wanted, witness, victim…
    PersonRole, "person_roles"
);
listed_code!(
    /// A state, organisation or status of a person: three-letter codes of ICAO Doc 9303 part 3
    /// section 5, which cover stateless persons and UN holders.
    StateCode, "states"
);
shaped_text!(
    /// A name in the characters of a machine readable zone: A–Z, single spaces (ICAO Doc 9303
    /// part 3 section 6).
    NormalName, "a name in capital letters A to Z",
    |text| {
        (1..=200).contains(&text.len())
            && text.split(' ').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase()))
    },
    { "type": "string", "maxLength": 200, "pattern": "^[A-Z]+( [A-Z]+)*$" }
);

/// A name, as a document prints it and as a machine compares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonName {
    /// The whole name as printed, in the document's order.
    pub printed: Line,
    /// The family name or names, where the document tells them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<Line>,
    /// The given names, where the document tells them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Line>,
    /// The printed name in the characters of a machine readable zone; worked out where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalised: Option<NormalName>,
}

/// How exact a birth date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "birth_precision"))]
pub enum BirthPrecision {
    /// To the day.
    Day,
    /// To the month.
    Month,
    /// To the year.
    Year,
    /// An estimated year.
    About,
}

/// A birth date, no more exact than it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BirthDate {
    /// How exact; decides which of the parts below are there.
    pub precision: BirthPrecision,
    /// The year.
    #[schemars(range(min = 1880, max = 2200))]
    pub year: i16,
    /// The month, with precision `month` and `day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 12))]
    pub month: Option<i8>,
    /// The day, with precision `day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31))]
    pub day: Option<i8>,
}

/// Sex as travel documents give it (ICAO Doc 9303 part 4: F, M, X).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-code-list" = "sex"))]
pub enum Sex {
    /// Female.
    F,
    /// Male.
    M,
    /// Unspecified.
    X,
}

/// A person. There is no field for religion, ethnicity, political opinion or an asylum claim, and
/// there must never be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// What the person is in the matter.
    pub role: PersonRole,
    /// The name best documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
    /// Other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub aliases: Vec<PersonName>,
    /// The birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<BirthDate>,
    /// The place of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_place: Option<Line>,
    /// The sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// The nationalities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub nationalities: Vec<StateCode>,
    /// The documents known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub documents: Vec<Document>,
    /// Height in centimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 20, max = 250))]
    pub height_cm: Option<u16>,
    /// Scars, tattoos and other marks, and how the person looks and dresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub marks: Vec<Line>,
    /// Warnings about this person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub warnings: Vec<WarningCode>,
    /// Whether the person is under 18.
    pub minor: bool,
    /// What ties the person to the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}
