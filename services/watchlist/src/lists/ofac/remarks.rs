//! The remarks of a record: statements with `;` between them.
//!
//! `DOB 14 Mar 1974; alt. DOB 1973; nationality Syria; Gender Male; Passport B12345 (Iran) expires 03 May 2020;
//! a.k.a. 'PACHO'.` Statements that begin with none of the known words are about life and offices; they are left out.

use super::name_of;
use crate::lists::{
    ListedDocument, NameQuality, Record, countries, dates,
    documents::{self, document_type},
    limits::OFAC_REMARKS_CUT_CHARS,
    tally::Tally,
    text::{collapsed, shown},
};

/// The record that the remarks are about, and whom to tell what is not understood.
pub(super) struct Remarks<'a, 't> {
    pub(super) record: &'a mut Record,
    pub(super) tally: &'a mut Tally<'t>,
}

/// With what the statement about a document begins, in lower case.
const DOCUMENTS: &[&str] = &[
    "passport",
    "diplomatic passport",
    "stateless person passport",
    "travel document number",
    "cedula no.",
    "cedula de ciudadania",
    "cedula de residencia",
    "national id no.",
    "national id",
    "national foreign id number",
    "identification number",
    "personal id card",
    "kenyan id no.",
    "bosnian personal id no.",
    "moroccan personal id no.",
    "turkish identification number",
    "citizen's card number",
    "identity card",
    "numero de identidad",
    "d.n.i.",
    "c.u.r.p.",
    "c.u.i.",
    "c.u.i.p.",
    "cnp (personal numerical code)",
    "le number",
    "i.f.e.",
    "r.f.c.",
    "rfc",
    "c.u.i.t.",
    "nit #",
    "rtn",
    "tax id no.",
    "italian fiscal code",
    "ssn",
    "residency number",
    "romanian permanent resident can",
    "n.i.e.",
    "driver's license no.",
    "birth certificate number",
    "visanumberid",
    "immigration no.",
    "electoral registry no.",
    "credencial electoral",
    "cartilla de servicio militar nacional",
    "matricula mercantil no",
    "registration id",
    "pilot license number",
    "tarjeta profesional",
    "temporary suspension of deportation no.",
    "serial no.",
];

/// The countries that issue what has no country in brackets behind it.
const ISSUERS: [(&str, &str); 6] = [
    ("kenyan", "KEN"),
    ("bosnian", "BIH"),
    ("moroccan", "MAR"),
    ("turkish", "TUR"),
    ("italian", "ITA"),
    ("romanian", "ROU"),
];

impl Remarks<'_, '_> {
    /// Adds what the remarks say to the record.
    pub(super) fn read(&mut self, remarks: &str) {
        let mut statements: Vec<&str> = remarks.split(';').map(str::trim).collect();
        if remarks.chars().count() >= OFAC_REMARKS_CUT_CHARS {
            // A part of a number would be another number.
            statements.pop();
            self.record.remarks.push(format!("remarks are cut at {OFAC_REMARKS_CUT_CHARS} characters"));
        } else if let Some(last) = statements.last_mut() {
            *last = last.strip_suffix('.').unwrap_or(last);
        }
        for statement in statements {
            self.read_statement(statement.strip_prefix("alt. ").unwrap_or(statement));
        }
    }

    fn read_statement(&mut self, statement: &str) {
        if let Some(date) = statement.strip_prefix("DOB ") {
            self.read_birth(date);
        } else if let Some(word) = statement.strip_prefix("Gender ") {
            self.record.sex = match word.trim_end_matches('.') {
                "Male" => Some('M'),
                "Female" => Some('F'),
                _ => self.record.sex,
            };
        } else if let Some(words) = strip_any(statement, &["nationality ", "citizen "]) {
            self.read_nationality(words);
        } else if let Some(name) = strip_any(statement, &["a.k.a. ", "f.k.a. ", "n.k.a. "]) {
            let name = name_of(unquoted(name), NameQuality::Weak, self.record.is_organisation);
            self.record.names.extend(name);
        } else {
            self.read_document(statement);
        }
    }

    fn read_birth(&mut self, date: &str) {
        match dates::from_english(date.trim_end_matches('.')) {
            Some(birth) => self.record.births.push(birth),
            None => {
                let reason = format!("the birth date is not understood: {}", shown(date));
                self.record.remarks.push(format!("a birth date is not understood: {}", shown(date)));
                self.tally.skip(self.record.line, Some(&self.record.id), reason);
            }
        }
    }

    fn read_nationality(&mut self, words: &str) {
        match countries::code(words) {
            Some(code) if self.record.nationalities.iter().any(|known| known == code) => {}
            Some(code) => self.record.nationalities.push(code.to_owned()),
            None => self.record.remarks.push(format!("a nationality is not understood: {}", shown(words))),
        }
    }

    fn read_document(&mut self, statement: &str) {
        let lower = statement.to_ascii_lowercase();
        let is_label = |label: &&&str| {
            lower.strip_prefix(**label).is_some_and(|rest| rest.starts_with([' ', ':']) || rest.is_empty())
        };
        // The longest of the labels, so that "National ID No." is not "National ID" with a number "No. …".
        let Some(label) = DOCUMENTS.iter().filter(is_label).max_by_key(|label| label.len()) else { return };
        // Lower case in ASCII keeps every byte in its place.
        let (words, rest) = statement.split_at_checked(label.len()).unwrap_or((statement, ""));
        let reading = documents::read(rest.trim_start_matches([':', ' ']));
        let of_label = || ISSUERS.iter().find(|(word, _)| label.starts_with(word)).map(|(_, code)| *code);
        match &reading.number {
            None => self
                .record
                .remarks
                .push(format!("no machine can read the number of a document: {}", shown(statement))),
            Some(number)
                if number
                    .strip_prefix("NO")
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) =>
            {
                self.record
                    .remarks
                    .push(format!("the document number {number} may begin with the abbreviation of number"));
            }
            Some(_) => {}
        }
        self.record.documents.push(ListedDocument {
            document_type: document_type(words).to_owned(),
            issuer: reading.issuer.or_else(of_label).map(str::to_owned),
            note: reading.note(),
            number: reading.number,
            number_to: None,
            is_misused: lower.contains("misuse"),
            text: collapsed(statement),
        });
    }
}

fn strip_any<'s>(statement: &'s str, prefixes: &[&str]) -> Option<&'s str> {
    prefixes.iter().find_map(|prefix| statement.strip_prefix(prefix))
}

/// The name in single quotes, doubled ones, or the typographic ones. Names themselves begin and end with an
/// apostrophe, so only as many are taken as stand on both sides.
fn unquoted(name: &str) -> &str {
    const QUOTES: [(&str, &str); 5] = [("''", "''"), ("'", "'"), ("\"", "\""), ("‘", "’"), ("“", "”")];
    let name = name.trim();
    let inside = |(open, close): &(&str, &str)| name.strip_prefix(open)?.strip_suffix(close);
    QUOTES.iter().find_map(inside).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("'PACHO'", "PACHO")]
    #[case("''FOOPIE''", "FOOPIE")]
    #[case("''ABD-AL-'IZ'", "'ABD-AL-'IZ")]
    #[case("'ABU 'ABDALLAH'", "ABU 'ABDALLAH")]
    #[case("PACHO", "PACHO")]
    #[case("'", "'")]
    fn quotes_are_taken_in_pairs(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(unquoted(name), expected);
    }
}
