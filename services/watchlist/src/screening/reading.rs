//! What a text is: a zone, a plate, a number; and every number by which it is looked for.

mod numbers;
mod plate;
mod zone;

use std::collections::BTreeMap;

use rovuma_schemas::{CodeLists, mrz::MrzShapeFault};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    number::{NUMBER_MAX, NumberKind, normal},
    scan::{Scan, ScanKind, TEXT_MAX_BYTES},
};

/// The family of a document's type. Within one, types are told apart on no paper in the same way, so they count as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DocumentFamily {
    /// Passport books of every kind: codes P, PD, PS.
    Passport,
    /// Cards: codes I, A, C.
    Card,
    /// Visas: code V.
    Visa,
}

/// What the check digit of a number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NumberDigit {
    /// It fits.
    Right,
    /// It does not fit: a character is misread.
    Wrong,
    /// The number has none, or none that is known.
    None,
}

/// The holder as the document names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) surname: String,
    pub(crate) given: String,
    /// Whether the names fill their field: then they may be cut.
    pub(crate) is_name_full: bool,
    /// Year of the century, month, day, each where it is known.
    pub(crate) birth: (Option<u8>, Option<u8>, Option<u8>),
    /// The nationality or status, three letters.
    pub(crate) nationality: String,
}

/// A number by which the text is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// Its kind.
    pub(crate) kind: NumberKind,
    /// Whether the kind is known, and not one of several guesses.
    pub(crate) is_kind_known: bool,
    /// The number in the form that is compared.
    pub(crate) number: String,
    /// The state that issued the document or registered the vehicle.
    pub(crate) state: Option<String>,
    /// Whether the state was concluded from the form of the number.
    pub(crate) is_state_guessed: bool,
    /// The family of the document.
    pub(crate) family: Option<DocumentFamily>,
    /// Its check digit.
    pub(crate) digit: NumberDigit,
    /// Whether it is only a proposal for what was misread.
    pub(crate) is_proposed: bool,
    /// The holder, of whom nothing is ever written down.
    #[serde(skip)]
    pub(crate) holder: Option<Holder>,
}

/// What a text was understood as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Understood {
    /// `td1`, `td2`, `td3`, `mrva`, `mrvb`; `plate`, `vin`, `nida`, `bi`, `imei`, `name`; `number` where it may be several things.
    pub kind: String,
    /// What was read, by field.
    pub fields: BTreeMap<String, String>,
    /// What is wrong or guessed, as codes: `check_digit_wrong:document number`, `space_read_as_filler`, `country_guessed`, …
    pub warnings: Vec<String>,
}

/// Why a text cannot be read. Then nothing is known about whoever shows it: it is no "no hit".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It does not have the shape of a zone.
    #[error("{0}")]
    Zone(#[from] MrzShapeFault),
    /// A number of national identity with too few or too many digits.
    #[error("a number of national identity of Tanzania has 20 digits, and this has {0}")]
    Nida(usize),
    /// No number of a card of Mozambique.
    #[error(
        "the number of a card of Mozambique has 12 digits and a letter, or on old cards 9 digits; this is {0:?}"
    )]
    Bi(String),
    /// No number of a telephone.
    #[error("the serial number of a telephone has 14 to 16 digits, and this has {0}")]
    Imei(usize),
    /// Letters or digits of another script, or none at all.
    #[error("a number has letters A to Z and digits; this has others, or none")]
    NoNumber,
    /// More than anything that is screened has.
    #[error("the text is longer than {0} characters")]
    TooLong(usize),
}

impl Unreadable {
    /// The code of the refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Zone(_) => "mrz_shape",
            Self::Nida(_) => "nida_shape",
            Self::Bi(_) => "bi_shape",
            Self::Imei(_) => "imei_shape",
            Self::NoNumber => "no_number",
            Self::TooLong(_) => "too_long",
        }
    }
}

/// The least characters of a number whose kind nobody said: fewer are in every list.
const UNKNOWN_KIND_MIN: usize = 4;

/// A text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadScan {
    /// What it was understood as.
    pub(crate) understood: Understood,
    /// What it is looked for as; empty where it is too little to look for.
    pub(crate) readings: Vec<Reading>,
}

/// Reads a text.
///
/// # Errors
/// [`Unreadable`], with what is wrong.
pub(crate) fn read(scan: &Scan) -> Result<ReadScan, Unreadable> {
    if scan.text.len() > TEXT_MAX_BYTES {
        return Err(Unreadable::TooLong(TEXT_MAX_BYTES));
    }
    let state = scan.state.as_deref().map(state_code);
    match scan.kind {
        Some(ScanKind::Mrz) => zone::read(&scan.text),
        Some(ScanKind::Name) => Ok(name(&scan.text)),
        None if zone::looks_like_one(&scan.text) => zone::read(&scan.text),
        kind => {
            let text = scan.text.trim();
            let number = normal(text).ok_or_else(|| not_a_number(text))?;
            match kind {
                Some(ScanKind::Plate) => Ok(plate::read(&number, state)),
                Some(ScanKind::Nida) => numbers::nida(number),
                Some(ScanKind::Bi) => numbers::bi(number),
                Some(ScanKind::Imei) => numbers::imei(number),
                Some(ScanKind::Document) => {
                    Ok(numbers::document(number, state, scan.document_type.as_deref()))
                }
                Some(ScanKind::Vin | ScanKind::ChassisNumber) => Ok(numbers::frame(number)),
                Some(ScanKind::EngineNumber) => Ok(numbers::one(NumberKind::EngineNumber, number)),
                Some(ScanKind::Serial) => Ok(numbers::serial(number)),
                _ if text.chars().all(|c| !c.is_ascii_digit()) => Ok(name(text)),
                _ if number.len() < UNKNOWN_KIND_MIN => Ok(too_little("number", number)),
                _ => Ok(anything(&number, state)),
            }
        }
    }
}

fn not_a_number(text: &str) -> Unreadable {
    if text.chars().filter(char::is_ascii_alphanumeric).count() > NUMBER_MAX {
        return Unreadable::TooLong(NUMBER_MAX);
    }
    Unreadable::NoNumber
}

/// Everything that a number may be.
fn anything(number: &str, state: Option<String>) -> ReadScan {
    let forms: Vec<_> = plate::forms(number)
        .into_iter()
        .filter(|form| state.as_deref().is_none_or(|state| state == form.state))
        .collect();
    let mut readings: Vec<Reading> = NumberKind::ALL
        .into_iter()
        .filter(|kind| kind.place() == *kind)
        .map(|kind| Reading::new(kind, number))
        .collect();
    for reading in &mut readings {
        if matches!(reading.kind, NumberKind::Document | NumberKind::Plate) {
            reading.state.clone_from(&state);
        }
    }
    let mut fields = BTreeMap::from([("number".to_owned(), number.to_owned())]);
    let mut warnings = Vec::new();
    if let [form, ..] = forms.as_slice() {
        fields.insert("plate_form".to_owned(), form.name.to_owned());
        if state.is_none() {
            fields.insert("state".to_owned(), form.state.to_owned());
            warnings.push("country_guessed".to_owned());
            if let Some(plate) = readings.iter_mut().find(|reading| reading.kind == NumberKind::Plate) {
                (plate.state, plate.is_state_guessed) = (Some(form.state.to_owned()), true);
            }
        }
    }
    let kind = match number {
        _ if !forms.is_empty() => "plate",
        _ if numbers::is_vin(number) => "vin",
        _ => "number",
    };
    // Nothing else has the form of a VIN. What has that of a plate may be a document's number: nobody said so.
    if kind == "vin" {
        let frames = readings.iter_mut().filter(|reading| reading.kind == NumberKind::ChassisNumber);
        frames.for_each(|reading| reading.is_kind_known = true);
    }
    ReadScan { understood: Understood { kind: kind.to_owned(), fields, warnings }, readings }
}

/// A name alone finds nobody yet.
fn name(text: &str) -> ReadScan {
    let mut scan = too_little("name", text.trim().to_owned());
    scan.understood.warnings.push("ask_for:document number, birth date".to_owned());
    scan
}

fn too_little(kind: &str, text: String) -> ReadScan {
    let fields = BTreeMap::from([(kind.to_owned(), text)]);
    ReadScan {
        understood: Understood { kind: kind.to_owned(), fields, warnings: Vec::new() },
        readings: Vec::new(),
    }
}

/// A state as it is compared: zones print D for Germany, registers write DEU.
pub(crate) fn state_code(code: &str) -> String {
    let code = code.trim().trim_end_matches('<').to_ascii_uppercase();
    match code.as_str() {
        "DEU" => "D".to_owned(),
        // Part 3 section 5: kinds of British nationality, one issuer.
        "GBD" | "GBN" | "GBO" | "GBP" | "GBS" => "GBR".to_owned(),
        _ => code,
    }
}

/// Whether a state has this code. One that is misread tells nothing apart: issuers have no check digit.
pub(crate) fn is_state(code: &str) -> bool {
    CodeLists::shipped().get("states").is_some_and(|states| states.find(code).is_some())
}

impl Reading {
    fn new(kind: NumberKind, number: &str) -> Self {
        Self {
            kind,
            is_kind_known: false,
            number: number.to_owned(),
            state: None,
            is_state_guessed: false,
            family: None,
            digit: NumberDigit::None,
            is_proposed: false,
            holder: None,
        }
    }
}

impl DocumentFamily {
    /// The family of a document code of a zone.
    pub(crate) fn of_zone(code: &str) -> Option<Self> {
        match code.chars().next()? {
            'P' => Some(Self::Passport),
            'V' => Some(Self::Visa),
            'I' | 'A' | 'C' => Some(Self::Card),
            _ => None,
        }
    }

    /// The family of a code of `document_types`; none of a type that has no zone of its own kind.
    pub(crate) fn of_type(code: &str) -> Option<Self> {
        match code {
            "passport" | "diplomatic_passport" | "service_passport" => Some(Self::Passport),
            "visa" => Some(Self::Visa),
            "bi_mz" | "nida_tz" | "residence_permit" | "national_id" => Some(Self::Card),
            _ => None,
        }
    }
}
