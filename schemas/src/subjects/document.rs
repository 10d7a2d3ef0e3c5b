//! Documents: a subject of its own, or a document that a person is known to hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Date, FaultCode, Line, Text,
    checks::mrz::{self, MrzFault},
    draft::Checker,
    mrz::MrzZone,
    subjects::{PersonName, StateCode, SubjectKey},
    view::View,
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
    /// The key by which other messages name this subject; the gateway assigns one at release where the author gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SubjectKey>,
    /// The kind of document.
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
    /// Other facts: signs of forgery, circumstances of the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
    /// The post or office that issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<Line>,
}

impl Document {
    /// The number with the issuer, as far as it is known: as the fields give them, or else as the machine readable zone does.
    pub fn number_and_issuer(&self) -> Option<(String, Option<String>)> {
        let lines: Vec<&str> = self.mrz.iter().map(MrzLine::as_str).collect();
        let zone = mrz::read(&lines).ok();
        let number = self.number.as_ref().map(ToString::to_string);
        let number = number.or_else(|| zone.as_ref().map(|zone| zone.number.clone()))?;
        let issuer = self.issuer.as_ref().map(ToString::to_string);
        let issuer = issuer.or_else(|| sole_issuer(self.document_type.as_str()).map(str::to_owned));
        Some((number, issuer.or(zone.map(|zone| zone.issuer)).filter(|issuer| !issuer.is_empty())))
    }
}

/// The state that issues all documents of this type, where there is only one.
pub(super) fn sole_issuer(document_type: &str) -> Option<&'static str> {
    match document_type {
        "bi_mz" => Some("MOZ"),
        "nida_tz" => Some("TZA"),
        _ => None,
    }
}

/// Checks the rules about one document: number, dates, machine readable zone.
pub(super) fn check(checker: &mut Checker<'_>, document: &View<'_>) {
    let (number, mrz) = (document.field("number"), document.field("mrz"));
    if !number.is_there() && mrz.items().is_empty() {
        checker.fault(&number.at, FaultCode::DocumentWithoutNumber);
    }
    number_shape(checker, document, &number);
    dates(checker, document);
    let lines: Vec<&str> = mrz.items().iter().filter_map(View::text).collect();
    if lines.is_empty() {
        return;
    }
    match mrz::read(&lines) {
        Ok(zone) => compare(checker, document, &zone),
        Err(MrzFault::Shape) => checker.fault(&mrz.at, FaultCode::MrzShape),
        Err(MrzFault::CheckDigit(field)) => {
            checker.fault_with(&mrz.at, FaultCode::MrzCheckDigit, field.as_str())
        }
    }
}

/// The numbers whose form is known: the Mozambican identity card has twelve digits and a letter,
/// the Tanzanian NIDA number twenty digits.
fn number_shape(checker: &mut Checker<'_>, document: &View<'_>, number: &View<'_>) {
    let Some(text) = number.text() else { return };
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let (fits, form) = match document.field("type").text() {
        Some("bi_mz") => {
            let letter = text.chars().last().is_some_and(|last| last.is_ascii_uppercase());
            (letter && digits(text.get(..text.len() - 1).unwrap_or_default(), 12), "000000000000A")
        }
        Some("nida_tz") => (digits(&text.replace('-', ""), 20), "00000000-00000-00000-00"),
        _ => return,
    };
    if !fits {
        checker.fault_with(&number.at, FaultCode::DocumentNumberShape, form);
    }
}

fn dates(checker: &mut Checker<'_>, document: &View<'_>) {
    let (issued, expires) = (document.field("issued"), document.field("expires"));
    let issued_on = issued.parsed::<Date>();
    if issued_on.is_some_and(|date| date > checker.context.today()) {
        checker.fault(&issued.at, FaultCode::DateInFuture);
    }
    if issued_on.zip(expires.parsed::<Date>()).is_some_and(|(issued, expires)| expires < issued) {
        checker.fault(&expires.at, FaultCode::DocumentDatesOrder);
    }
}

/// Checks that the zone and the fields beside it agree: otherwise one of them was typed wrongly.
fn compare(checker: &mut Checker<'_>, document: &View<'_>, zone: &MrzZone) {
    let bare = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
    let expiry = |date: Date| format!("{:02}{:02}{:02}", date.year() % 100, date.month(), date.day());
    let fields = [
        ("number", document.field("number").text().map(|text| bare(text).to_uppercase()), &zone.number),
        ("issuer", document.field("issuer").text().map(str::to_owned), &zone.issuer),
        ("expires", document.field("expires").parsed::<Date>().map(expiry), &zone.expiry.text),
    ];
    for (name, beside, in_zone) in fields {
        if beside.is_some_and(|beside| beside != *in_zone) {
            checker.fault_with(&document.field(name).at, FaultCode::MrzMismatch, name);
        }
    }
}
