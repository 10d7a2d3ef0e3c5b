//! Numbers of documents, vehicles, telephones and objects.

use std::collections::BTreeMap;

use rovuma_schemas::subjects::Vin;

use super::{DocumentFamily, NumberDigit, ReadScan, Reading, Understood, Unreadable};
use crate::screening::number::{NumberKind, is_placeholder};

/// Digits of a number of national identity of Tanzania; the first eight are the birth date.
const NIDA_DIGITS: usize = 20;

/// Digits of a telephone's number without its check digit, by which it is compared.
const IMEI_COMPARED: usize = 14;

/// A number that can be one thing alone.
pub(super) fn one(kind: NumberKind, number: String) -> ReadScan {
    let reading = Reading { is_kind_known: true, ..Reading::new(kind, &number) };
    understood(kind.as_str(), "number", number, vec![reading])
}

/// A serial number of a firearm or of another object.
pub(super) fn serial(number: String) -> ReadScan {
    let kinds = [NumberKind::FirearmSerial, NumberKind::ObjectSerial];
    let readings = kinds.map(|kind| Reading { is_kind_known: true, ..Reading::new(kind, &number) });
    understood("serial", "number", number, readings.to_vec())
}

/// The number of a document, with what the officer says of it.
pub(super) fn document(number: String, state: Option<String>, document_type: Option<&str>) -> ReadScan {
    let reading = Reading {
        is_kind_known: true,
        family: document_type.and_then(DocumentFamily::of_type),
        state: state.clone(),
        ..Reading::new(NumberKind::Document, &number)
    };
    let mut scan = understood("document", "number", number, vec![reading]);
    if let Some(state) = state {
        scan.understood.fields.insert("state".to_owned(), state);
    }
    scan
}

/// A number of national identity of Tanzania. The birth date in it is often the first of January, which says the year alone.
pub(super) fn nida(number: String) -> Result<ReadScan, Unreadable> {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if digits != NIDA_DIGITS || number.len() != NIDA_DIGITS {
        return Err(Unreadable::Nida(digits));
    }
    let birth = number.get(..8).unwrap_or_default().to_owned();
    let mut scan = national(number, "TZA", "nida");
    let (year, day) = birth.split_at(4);
    let known = if day == "0101" { year.to_owned() } else { format!("{year}-{}-{}", &day[..2], &day[2..]) };
    scan.understood.fields.insert("birth".to_owned(), known);
    Ok(scan)
}

/// The number of a card of Mozambique: twelve digits and a letter, or nine digits on old cards. What the letter means is not public,
/// so nothing is checked.
pub(super) fn bi(number: String) -> Result<ReadScan, Unreadable> {
    let digits = number.trim_end_matches(|c: char| c.is_ascii_uppercase());
    let letters = number.len() - digits.len();
    let is_all_digits = digits.bytes().all(|b| b.is_ascii_digit());
    match (digits.len(), letters) {
        (12, 1) if is_all_digits => Ok(national(number, "MOZ", "bi")),
        (9, 0) if is_all_digits => {
            let mut scan = national(number, "MOZ", "bi");
            scan.understood.warnings.push("old_card".to_owned());
            Ok(scan)
        }
        _ => Err(Unreadable::Bi(number)),
    }
}

fn national(number: String, state: &str, kind: &'static str) -> ReadScan {
    let reading = Reading {
        is_kind_known: true,
        state: Some(state.to_owned()),
        family: Some(DocumentFamily::Card),
        ..Reading::new(NumberKind::Document, &number)
    };
    understood(kind, "number", number, vec![reading])
}

/// The serial number of a telephone (3GPP TS 23.003 section 6.2): fourteen digits, then a check digit or the version of its software.
pub(super) fn imei(number: String) -> Result<ReadScan, Unreadable> {
    let is_all_digits = number.bytes().all(|b| b.is_ascii_digit());
    if !is_all_digits || !(IMEI_COMPARED..=IMEI_COMPARED + 2).contains(&number.len()) {
        return Err(Unreadable::Imei(number.bytes().filter(u8::is_ascii_digit).count()));
    }
    let digit = match number.len() {
        15 if is_luhn(&number) => NumberDigit::Right,
        15 => NumberDigit::Wrong,
        _ => NumberDigit::None,
    };
    let reading = Reading { is_kind_known: true, digit, ..Reading::new(NumberKind::Imei, &number) };
    let mut scan = understood("imei", "number", number, vec![reading]);
    if digit == NumberDigit::Wrong {
        scan.understood.warnings.push("check_digit_wrong:imei".to_owned());
    }
    Ok(scan)
}

/// A VIN or a frame number: many write one where a form asks for the other.
pub(super) fn frame(number: String) -> ReadScan {
    let is_whole = is_vin(&number);
    let kind = if is_whole { NumberKind::Vin } else { NumberKind::ChassisNumber };
    if is_placeholder(kind, &number) {
        let mut scan = understood(kind.as_str(), "number", number, Vec::new());
        scan.understood.warnings.push("placeholder".to_owned());
        return scan;
    }
    let mut reading = Reading { is_kind_known: true, ..Reading::new(kind, &number) };
    let mut warnings = Vec::new();
    if is_whole && let Some(is_right) = rovuma_schemas::subjects::vin_check(&number) {
        reading.digit = if is_right { NumberDigit::Right } else { NumberDigit::Wrong };
        if !is_right {
            warnings.push("check_digit_wrong:vin".to_owned());
        }
    }
    let mut readings = vec![reading];
    // I, O and Q are in no VIN: only a proposal, which a person must confirm.
    if number.len() == 17 && !is_whole {
        let proposed: String = number
            .chars()
            .map(|c| match c {
                'I' => '1',
                'O' | 'Q' => '0',
                other => other,
            })
            .collect();
        if is_vin(&proposed) {
            warnings.push("vin_letters".to_owned());
            let proposal = Reading {
                is_kind_known: true,
                is_proposed: true,
                ..Reading::new(NumberKind::Vin, &proposed)
            };
            readings.push(proposal);
        }
    }
    let mut scan = understood(kind.as_str(), "number", number, readings);
    scan.understood.warnings = warnings;
    scan
}

pub(super) fn is_vin(number: &str) -> bool {
    number.parse::<Vin>().is_ok()
}

/// The digit of Luhn's formula (ISO/IEC 7812-1 annex B).
fn is_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, b)| {
            let digit = u32::from(b - b'0');
            match place % 2 {
                0 => digit,
                _ if digit > 4 => 2 * digit - 9,
                _ => 2 * digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn understood(kind: &str, field: &str, number: String, readings: Vec<Reading>) -> ReadScan {
    let fields = BTreeMap::from([(field.to_owned(), number)]);
    ReadScan { understood: Understood { kind: kind.to_owned(), fields, warnings: Vec::new() }, readings }
}
