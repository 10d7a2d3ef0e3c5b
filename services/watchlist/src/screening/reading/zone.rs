//! Machine readable zones.

use rovuma_schemas::mrz::{CheckedField, MrzZone, NumberCheck, ZoneSex, check_digit, zone_lines};

use super::{
    DocumentFamily, Holder, NumberDigit, ReadScan, Reading, Understood, Unreadable, normal, state_code,
};
use crate::screening::number::{NumberKind, look_alikes};

/// Characters of a document's number in a zone, before it is continued elsewhere.
const NUMBER_FIELD: usize = 9;

/// Maximum proposals for a misread number: one character is another in each.
const PROPOSALS_MAX: usize = 8;

/// Whether a text whose kind nobody said is a zone.
pub(super) fn looks_like_one(text: &str) -> bool {
    let (lines, _) = zone_lines(text);
    lines.len() > 1 || lines.iter().any(|line| line.contains("<<"))
}

pub(super) fn read(text: &str) -> Result<ReadScan, Unreadable> {
    let (lines, has_spaces) = zone_lines(text);
    let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    let zone = MrzZone::read(&lines)?;
    let mut understood = understood(&zone);
    if has_spaces {
        understood.warnings.push("space_read_as_filler".to_owned());
    }
    let number = normal(&zone.number).unwrap_or_default();
    let is_misread = zone
        .wrong
        .iter()
        .any(|field| matches!(field, CheckedField::DocumentNumber | CheckedField::Composite));
    let base = Reading {
        is_kind_known: true,
        state: Some(state_code(&zone.issuer)),
        family: DocumentFamily::of_zone(&zone.document_code),
        digit: if is_misread { NumberDigit::Wrong } else { NumberDigit::Right },
        holder: Some(holder(&zone)),
        ..Reading::new(NumberKind::Document, &number)
    };
    let mut readings = Vec::new();
    if !number.is_empty() {
        // A filler is misread as K, and a K as a filler.
        let without = number.trim_end_matches('K');
        let with = format!("{number}K");
        let changed = [
            (without.len() < number.len() && !without.is_empty()).then(|| without.to_owned()),
            (number.len() < NUMBER_FIELD).then_some(with),
        ];
        let proposals =
            changed.into_iter().flatten().map(|number| Reading { number, is_proposed: true, ..base.clone() });
        let proposals: Vec<_> = proposals.collect();
        readings.push(base);
        readings.extend(proposals);
    }
    if zone.number_check == NumberCheck::Wrong {
        let proposed = proposals(&number, number_digit(&lines, &zone));
        if !proposed.is_empty() {
            understood.fields.insert("proposed".to_owned(), proposed.join(", "));
        }
    }
    Ok(ReadScan { understood, readings })
}

/// The check digit that the zone prints for a number of at most nine characters.
fn number_digit(lines: &[&str], zone: &MrzZone) -> Option<char> {
    let (line, at) = if lines.len() == 3 { (0, 14) } else { (1, 9) };
    let digit = lines.get(line)?.chars().nth(at)?;
    (zone.number.len() <= NUMBER_FIELD).then_some(digit)
}

/// The numbers that differ from this one in a character that is taken for another, and that the digit fits.
fn proposals(number: &str, digit: Option<char>) -> Vec<String> {
    let Some(digit) = digit else { return Vec::new() };
    let mut proposed = Vec::new();
    for (at, c) in number.char_indices() {
        for other in look_alikes(c) {
            let mut changed = number.to_owned();
            changed.replace_range(at..=at, other.encode_utf8(&mut [0; 4]));
            let field = format!("{changed:<<NUMBER_FIELD$}");
            if check_digit(&field) == Some(digit) && proposed.len() < PROPOSALS_MAX {
                proposed.push(changed);
            }
        }
    }
    proposed
}

fn understood(zone: &MrzZone) -> Understood {
    let mut understood = Understood { kind: zone.format.as_str().to_owned(), ..Understood::default() };
    let sex = match zone.sex {
        ZoneSex::F => "F",
        ZoneSex::M => "M",
        ZoneSex::Unspecified => "X",
    };
    for (field, value) in [
        ("document_code", zone.document_code.as_str()),
        ("issuer", &zone.issuer),
        ("number", &zone.number),
        ("surname", &zone.surname),
        ("given", &zone.given),
        ("nationality", &zone.nationality),
        ("birth", &zone.birth.text),
        ("sex", sex),
        ("expiry", &zone.expiry.text),
    ] {
        understood.fields.insert(field.to_owned(), value.to_owned());
    }
    understood
        .warnings
        .extend(zone.wrong.iter().map(|field| format!("check_digit_wrong:{}", field.as_str())));
    if zone.number_check == NumberCheck::RightWithFiller {
        understood.warnings.push("number_counted_with_filler".to_owned());
    }
    understood
}

fn holder(zone: &MrzZone) -> Holder {
    Holder {
        surname: zone.surname.clone(),
        given: zone.given.clone(),
        is_name_full: zone.is_name_full,
        birth: zone.birth.parts,
        nationality: zone.nationality.clone(),
    }
}
