//! A document: its own subject when it is the matter, or what a person is known to hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Date, Line, Text,
    alert::{PersonName, StateCode},
    words::{listed_code, shaped_text},
};

listed_code!(
    /// Passport, identity card, border pass…
    DocumentType, "document_types"
);
listed_code!(
    /// Stolen, lost, revoked, forged, valid.
    DocumentStatus, "document_statuses"
);
shaped_text!(
    /// A number as printed on a thing: letters, digits, single separators.
    SerialNumber, "a number of 2 to 40 letters, digits, spaces, dots, slashes or hyphens",
    |text| {
        (2..=40).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'/' | b'.'))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    },
    {
        "type": "string", "minLength": 2, "maxLength": 40,
        "pattern": "^[A-Za-z0-9]([A-Za-z0-9 ./-]*[A-Za-z0-9])?$"
    }
);
shaped_text!(
    /// One line of a machine readable zone: A–Z, 0–9 and `<` (ICAO Doc 9303 part 3 section 4.3).
    MrzLine, "a line of 30, 36 or 44 characters A-Z 0-9 <",
    |text| {
        matches!(text.len(), 30 | 36 | 44)
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'<')
    },
    { "type": "string", "pattern": "^([A-Z0-9<]{30}|[A-Z0-9<]{36}|[A-Z0-9<]{44})$" }
);

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// What kind of document.
    #[serde(rename = "type")]
    pub document_type: DocumentType,
    /// Its number; absent only where the machine readable zone is all that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<SerialNumber>,
    /// The state or organisation that issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<StateCode>,
    /// The day of issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Date>,
    /// The last day on which it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
    /// The lines of the machine readable zone, from the top.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub mrz: Vec<MrzLine>,
    /// Stolen, lost, revoked, forged, valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<DocumentStatus>,
    /// The holder's name as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<PersonName>,
    /// For blanks stolen in a series: the last number, `number` being the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_to: Option<SerialNumber>,
    /// What else is known: signs of forgery, circumstances of the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// The post or office that issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<Line>,
}

impl Document {
    /// Whether it says whose it is.
    pub fn names_its_holder(&self) -> bool {
        self.holder.is_some() || !self.mrz.is_empty()
    }
}
