//! One record of a list, in the same form for all lists.

use serde::{Deserialize, Serialize};

/// A person, organisation, ship or thing of a list.
///
/// A list with several lines for one person ([`ListSource::Csv`](super::ListSource::Csv)) gives a record for each
/// line: the further ones name the first in [`alias_of`](Self::alias_of).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The list's own id: `DATAID`, `ent_num`, the CSV's `id`.
    pub id: String,
    /// The reference that the list prints for people, if it has one: `QDi.001`.
    pub reference: Option<String>,
    /// The id of the record that this one adds a name or other particulars to. Only the CSV has such records, and the
    /// other record may come before or after this one, or be missing.
    pub alias_of: Option<String>,
    /// The primary name first.
    pub names: Vec<ListedName>,
    /// Alternatives: the person was born on one of them.
    pub births: Vec<ListedBirth>,
    /// `F`, `M` or `X`.
    pub sex: Option<char>,
    /// ISO 3166-1 alpha-3, or a code that ICAO adds.
    pub nationalities: Vec<String>,
    /// Documents and numbers of identity.
    pub documents: Vec<ListedDocument>,
    /// Vehicles that belong to it.
    pub vehicles: Vec<ListedVehicle>,
    /// The programmes or regimes under which the list has this record: `SDGT`, `Al-Qaida`.
    pub programs: Vec<String>,
    /// Whether it is anything but a person: an organisation, a ship, an aircraft.
    pub is_organisation: bool,
    /// Warnings about this record for whoever reads it, such as what could not be understood.
    pub remarks: Vec<String>,
    /// The line of the file where the record begins, from 1.
    pub line: u64,
}

/// A name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedName {
    /// The whole name, given names first where the list tells them apart.
    pub full: String,
    /// The surname, where the list tells it apart.
    pub surname: Option<String>,
    /// The given names, where the list tells them apart.
    pub given: Option<String>,
    /// What stands behind the name: `Jr.`
    pub suffix: Option<String>,
    /// How far the name can be relied on.
    pub quality: NameQuality,
}

/// How far a name can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameQuality {
    /// The name under which the record is listed.
    Primary,
    /// An alias that identifies.
    Good,
    /// A common word or nickname. It never hits alone.
    Weak,
}

impl NameQuality {
    /// The word for it in the CSV.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Good => "good",
            Self::Weak => "weak",
        }
    }
}

/// A date of birth, as precise as the list has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedBirth {
    /// Which of the other fields are there.
    pub precision: BirthPrecision,
    /// The year; of a range the first.
    pub year: Option<i16>,
    /// The month, from 1.
    pub month: Option<i8>,
    /// The day, from 1.
    pub day: Option<i8>,
    /// The last year of a range.
    pub to_year: Option<i16>,
    /// The date as the list has it.
    pub text: String,
}

/// How precise a date of birth is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BirthPrecision {
    /// Year, month and day.
    Day,
    /// Year and month.
    Month,
    /// The year.
    Year,
    /// About that year.
    About,
    /// Between that year and `to_year`, both included. Days and months of such a range are only in the text.
    Between,
    /// A statement in words, which is only in the text.
    Unknown,
}

impl BirthPrecision {
    /// The word for it in counts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
            Self::About => "about",
            Self::Between => "between",
            Self::Unknown => "unknown",
        }
    }
}

/// A document or a number of identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedDocument {
    /// `passport`, `national_id`, `travel_document` …, or `other`.
    pub document_type: String,
    /// Its number: capital letters and digits alone. Nothing when no machine can tell the number from the words
    /// around it; a person reads `text` then.
    pub number: Option<String>,
    /// The last number of a range of documents that begins with `number`.
    pub number_to: Option<String>,
    /// ISO 3166-1 alpha-3 (`DEU`, where the machine readable zone prints `D`), or a code that ICAO adds.
    pub issuer: Option<String>,
    /// What the list says beside number and issuer.
    pub note: Option<String>,
    /// Whether the document is an innocent holder's, whose identity the listed person misuses. It protects that holder.
    pub is_misused: bool,
    /// The document as the list has it.
    pub text: String,
}

/// A vehicle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedVehicle {
    /// Its plate: capital letters and digits alone.
    pub plate: Option<String>,
    /// The country of the plate, ISO 3166-1 alpha-3.
    pub plate_country: Option<String>,
    /// Its VIN or frame number: capital letters and digits alone.
    pub vin: Option<String>,
}

impl ListedName {
    /// A name whose parts the list does not tell apart.
    pub(super) fn whole(full: impl Into<String>, quality: NameQuality) -> Self {
        Self { full: full.into(), surname: None, given: None, suffix: None, quality }
    }
}
