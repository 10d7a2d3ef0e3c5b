//! The consolidated list of the United Nations Security Council.
//!
//! `CONSOLIDATED_LIST` has sections (`INDIVIDUALS`, `ENTITIES`), and these have records. A record is read as a whole
//! [`Element`], whose size is bounded; then its parts are told apart. Names in the original script are not read.

mod documents;
mod element;
mod meter;
mod xml;

use std::io::BufRead;

use self::{
    element::Element,
    xml::{Token, Xml},
};
use super::{
    BirthPrecision, ListError, ListedBirth, ListedName, NameQuality, Record, countries, dates,
    tally::Tally,
    text::{collapsed, fold, shown, some},
};

const ROOT: &str = "CONSOLIDATED_LIST";

/// The sections, their records, and whether these are organisations.
const SECTIONS: [(&str, &str, bool); 2] =
    [("INDIVIDUALS", "INDIVIDUAL", false), ("ENTITIES", "ENTITY", true)];

/// Reads the list.
pub(super) fn read(input: &mut dyn BufRead, tally: &mut Tally<'_>) -> Result<(), ListError> {
    let mut xml = Xml::new(input);
    match xml.next_tag()? {
        Some(Token::Open { name, .. }) if name == ROOT => {}
        Some(Token::Open { name, line }) => {
            return Err(ListError::line(line, format!("has {} instead of {ROOT}", shown(&name))));
        }
        Some(_) | None => return Err(ListError::Empty),
    }
    while let Some(Token::Open { name, line }) = xml.next_tag()? {
        match SECTIONS.iter().find(|(section, ..)| *section == name) {
            Some((section, record, is_organisation)) => {
                read_section(&mut xml, tally, section, record, *is_organisation)?;
            }
            None => {
                tally.skip(line, None, format!("the section {} is not known", shown(&name)));
                xml.skip_to_end()?;
            }
        }
    }
    // The end tag of the root has been read, else the file is cut and reading failed.
    match xml.next_tag()? {
        None => Ok(()),
        Some(_) => Err(ListError::line(xml.line(), "has more behind the end of the list")),
    }
}

fn read_section(
    xml: &mut Xml<'_>,
    tally: &mut Tally<'_>,
    section: &str,
    record: &str,
    is_organisation: bool,
) -> Result<(), ListError> {
    let section = section.to_ascii_lowercase();
    tally.section(&section);
    while let Some(Token::Open { name, line }) = xml.next_tag()? {
        let element = xml.element(name, line)?;
        if element.name == record {
            read_record(&element, tally, &section, is_organisation)?;
        } else {
            tally.skip(line, None, format!("{} is no record of {section}", shown(&element.name)));
        }
    }
    Ok(())
}

fn read_record(
    element: &Element,
    tally: &mut Tally<'_>,
    section: &str,
    is_organisation: bool,
) -> Result<(), ListError> {
    let kind = if is_organisation { "ENTITY" } else { "INDIVIDUAL" };
    let mut record = Record {
        id: element.text("DATAID"),
        reference: some(&element.text("REFERENCE_NUMBER")),
        is_organisation,
        line: element.line,
        sex: sex_of(&element.text("GENDER")),
        programs: some(&element.text("UN_LIST_TYPE")).into_iter().collect(),
        ..Record::default()
    };
    read_names(element, kind, &mut record);
    read_nationalities(element, &mut record);
    for birth in element.children("INDIVIDUAL_DATE_OF_BIRTH") {
        match birth_of(birth) {
            Ok(birth) => record.births.extend(birth),
            Err(text) => {
                record.remarks.push(format!("a birth date is not understood: {}", shown(&text)));
                tally.skip(
                    birth.line,
                    Some(&record.id),
                    format!("the birth date is not understood: {}", shown(&text)),
                );
            }
        }
    }
    for document in element.children("INDIVIDUAL_DOCUMENT") {
        documents::read(document, &mut record);
    }
    tally.record(section, record)
}

fn read_names(element: &Element, kind: &str, record: &mut Record) {
    let parts = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"].map(|part| element.text(part));
    let full = collapsed(&parts.join(" "));
    record.names.extend(some(&full).map(|full| ListedName::whole(full, NameQuality::Primary)));
    for alias in element.children(&format!("{kind}_ALIAS")) {
        // An alias is good unless the list says that it is not: entities have "a.k.a." here.
        let is_weak = alias.text("QUALITY").eq_ignore_ascii_case("low");
        let quality = if is_weak { NameQuality::Weak } else { NameQuality::Good };
        let names = alias.text("ALIAS_NAME");
        record.names.extend(
            names
                .split(';')
                .filter_map(|name| some(name.trim()))
                .map(|name| ListedName::whole(name, quality)),
        );
        let note = alias.text("NOTE");
        if note.contains(';') {
            record.remarks.push(format!("the note of an alias may have further names: {}", shown(&note)));
        }
    }
}

fn read_nationalities(element: &Element, record: &mut Record) {
    let values = element.children("NATIONALITY").flat_map(|nationality| nationality.children("VALUE"));
    for words in values.map(Element::own_text).filter(|words| !words.is_empty()) {
        match countries::code(&words) {
            Some(code) if record.nationalities.iter().any(|known| known == code) => {}
            Some(code) => record.nationalities.push(code.to_owned()),
            None => record.remarks.push(format!("a nationality is not understood: {}", shown(&words))),
        }
    }
}

/// The date, nothing if the element is empty, or the text that is not understood.
fn birth_of(element: &Element) -> Result<Option<ListedBirth>, String> {
    let [kind, date, year, from, to, note] =
        ["TYPE_OF_DATE", "DATE", "YEAR", "FROM_YEAR", "TO_YEAR", "NOTE"].map(|part| element.text(part));
    // `EXACT` is about the statement, not its precision: most exact dates are years.
    let is_about = kind.to_ascii_uppercase().starts_with("APPROX");
    let text = collapsed(&[&kind, &date, &year, &from, &to, &note].map(String::as_str).join(" "));
    if !from.is_empty() || !to.is_empty() {
        let years = dates::year_of(&from).zip(dates::year_of(&to));
        return years.and_then(|(from, to)| dates::between(from, to, &text)).map(Some).ok_or(text);
    }
    let birth = match (date.as_str(), year.as_str(), note.as_str()) {
        ("", "", "") => return Ok(None),
        ("", "", note) => Some(dates::from_english(note).unwrap_or_else(|| in_words(&text))),
        ("", year, _) => dates::year_of(year).and_then(|_| dates::from_iso(year)),
        (date, ..) => dates::from_iso(without_zone(date)),
    };
    match birth {
        Some(ListedBirth { year: Some(year), to_year: None, .. }) if is_about => {
            Ok(Some(dates::about(year, &text)))
        }
        Some(birth) => Ok(Some(ListedBirth { text, ..birth })),
        None => Err(text),
    }
}

fn in_words(text: &str) -> ListedBirth {
    let precision = BirthPrecision::Unknown;
    ListedBirth { precision, year: None, month: None, day: None, to_year: None, text: text.to_owned() }
}

/// The date without the time zone that XML Schema allows behind it: `2015-03-27-04:00`.
fn without_zone(date: &str) -> &str {
    match date.split_at_checked("2015-03-27".len()) {
        Some((day, zone)) if zone.starts_with(['-', '+', 'Z', 'T']) => day,
        _ => date,
    }
}

fn sex_of(word: &str) -> Option<char> {
    let word: String = word.chars().flat_map(fold).collect();
    match word.as_str() {
        "male" => Some('M'),
        "female" => Some('F'),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
