//! Documents as lists print them: a number among words, the country that issued it, and notes.

use super::{
    countries,
    limits::{NUMBER_MAX_CHARS, NUMBER_MIN_CHARS},
    text::{collapsed, fold, letters_and_digits},
};

/// How many digits a word needs to look like a whole number of its own.
const WHOLE_NUMBER_DIGITS: usize = 5;

/// How many letters may stand alone before a number as a part of it: "RL 1794375".
const SERIES_LETTERS_MAX: usize = 3;

/// How many words a country's name may have: "Democratic People's Republic of Korea".
const COUNTRY_WORDS_MAX: usize = 8;

/// What a text about a document says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Capital letters and digits alone. Nothing when no machine can tell the number from the words.
    pub(crate) number: Option<String>,
    /// ISO 3166-1 alpha-3.
    pub(crate) issuer: Option<&'static str>,
    /// The words about the document, in order.
    pub(crate) notes: Vec<String>,
}

impl Reading {
    /// The words about the document as one text.
    pub(crate) fn note(&self) -> Option<String> {
        (!self.notes.is_empty()).then(|| self.notes.join("; "))
    }
}

/// Tells number, issuer and notes apart: "Libya B/002210", "No34409/129", "381110042 (Expired 25 Jan. 2016)".
///
/// What is neither a country, a word that introduces numbers, nor a number makes the whole text one that a person
/// must read: then there is no number.
pub(crate) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let outside = reading.take_brackets(text);
    let words: Vec<&str> = outside.split_whitespace().collect();
    let end = words.iter().position(|word| begins_note(word)).unwrap_or(words.len());
    let (words, trailing) = words.split_at_checked(end).unwrap_or((&words, &[]));
    let words = reading.take_leading_words(words);
    let words = reading.take_trailing_words(words);
    if !trailing.is_empty() {
        reading.notes.push(trailing.join(" ").trim_matches([',', '.', ' ']).to_owned());
    }
    reading.number = number_of(words);
    reading
}

/// The number, if the text is a number and nothing else: letters and digits, with blanks, dashes, slashes and dots
/// between them.
pub(crate) fn whole_number(text: &str) -> Option<String> {
    let is_number = text.split_whitespace().all(|word| {
        // "Libya B/002210" would otherwise become a key that no document has.
        word.chars().all(is_number_part) && (has_digit(word) || word.len() <= SERIES_LETTERS_MAX)
    });
    letters_and_digits(text).filter(|number| {
        is_number && has_digit(number) && (NUMBER_MIN_CHARS..=NUMBER_MAX_CHARS).contains(&number.len())
    })
}

/// The type of a document by the words for it, in English, French, Spanish or Portuguese, or by its own code.
pub(crate) fn document_type(words: &str) -> &'static str {
    let words: String = collapsed(words).chars().flat_map(fold).collect();
    if let Some(code) = CODES.iter().find(|code| **code == words) {
        return code;
    }
    TYPES.iter().find(|(part, _)| words.contains(*part)).map_or(OTHER, |(_, code)| code)
}

/// The type of a document that has none of the known ones.
pub(crate) const OTHER: &str = "other";

/// The types, which a CSV may name by code.
const CODES: &[&str] = &[
    "passport",
    "diplomatic_passport",
    "service_passport",
    "emergency_certificate",
    "national_id",
    "bi_mz",
    "nida_tz",
    "travel_document",
    "border_pass",
    "visa",
    "residence_permit",
    "driving_licence",
    "vehicle_registration",
    "birth_certificate",
    "seaman_book",
    "tax_number",
    "social_security_number",
    OTHER,
];

/// Parts of words for a type, the particular before the general: "Tax ID No." is no identity card.
const TYPES: &[(&str, &str)] = &[
    ("passport", "passport"),
    ("passeport", "passport"),
    ("pasaporte", "passport"),
    ("passaporte", "passport"),
    ("travel document", "travel_document"),
    ("titre de voyage", "travel_document"),
    ("documento de viaje", "travel_document"),
    ("documento de viagem", "travel_document"),
    ("visa", "visa"),
    ("driv", "driving_licence"),
    ("birth certificate", "birth_certificate"),
    ("seaman", "seaman_book"),
    ("tax id", "tax_number"),
    ("fiscal", "tax_number"),
    ("r.f.c", "tax_number"),
    ("rfc", "tax_number"),
    ("c.u.i.t", "tax_number"),
    ("ssn", "social_security_number"),
    ("social security", "social_security_number"),
    ("residen", "residence_permit"),
    ("n.i.e", "residence_permit"),
    ("national id", "national_id"),
    ("national foreign id", "national_id"),
    ("identidad", "national_id"),
    ("identidade", "national_id"),
    ("identifica", "national_id"),
    ("identification", "national_id"),
    ("identite", "national_id"),
    ("identity", "national_id"),
    ("personal id", "national_id"),
    ("id card", "national_id"),
    ("id no", "national_id"),
    ("citizen's card", "national_id"),
    ("cedula", "national_id"),
    ("d.n.i", "national_id"),
    ("c.u.r.p", "national_id"),
    ("c.u.i.", "national_id"),
];

/// Words that may stand before a number and are no part of it.
const LABELS: &[&str] = &[
    "passport",
    "passeport",
    "pasaporte",
    "passaporte",
    "booklet",
    "diplomatic",
    "service",
    "official",
    "ordinary",
    "travel",
    "document",
    "national",
    "nationale",
    "nacional",
    "identity",
    "identite",
    "identidad",
    "identidade",
    "identification",
    "identificacion",
    "id",
    "card",
    "carte",
    "cedula",
    "certificate",
    "number",
    "numero",
    "no",
    "nr",
    "nº",
    "n°",
    "№",
    "#",
    "de",
    "d'identite",
];

/// Words with which a note behind a number begins.
const NOTE_WORDS: &[&str] = &[
    "issued",
    "expires",
    "expired",
    "expiring",
    "expiry",
    "valid",
    "revoked",
    "renewed",
    "dated",
    "date",
    "cancelled",
    "delivered",
    "until",
    "on",
];

fn folded(word: &str) -> String {
    word.trim_matches([':', ',', '.', ';', '-', '–']).chars().flat_map(fold).collect()
}

fn begins_note(word: &str) -> bool {
    NOTE_WORDS.contains(&folded(word).as_str())
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

impl Reading {
    /// Takes what is in brackets, a country or a note, and returns the rest.
    fn take_brackets(&mut self, text: &str) -> String {
        let mut outside = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('(') {
            let Some((inside, behind)) = behind.split_once(')') else { break };
            outside.push_str(before);
            outside.push(' ');
            self.country_or_note(inside);
            rest = behind;
        }
        outside.push_str(rest);
        outside
    }

    fn country_or_note(&mut self, words: &str) {
        match (self.issuer, countries::code(words)) {
            (None, Some(code)) => self.issuer = Some(code),
            _ if words.trim().is_empty() => {}
            _ => self.notes.push(collapsed(words)),
        }
    }

    /// Takes a country and the words that introduce a number.
    fn take_leading_words<'a, 'w>(&mut self, mut words: &'a [&'w str]) -> &'a [&'w str] {
        let mut introduction: Vec<&str> = Vec::new();
        while let Some((first, rest)) = words.split_first() {
            let country = if self.issuer.is_none() { leading_country(words) } else { None };
            if let Some((code, named, rest)) = country {
                self.issuer = Some(code);
                introduction.extend(named);
                words = rest;
            } else if !has_digit(first) && LABELS.contains(&folded(first).as_str()) {
                introduction.push(first.trim_matches([':', ',', ';']));
                words = rest;
            } else {
                break;
            }
        }
        // "No." alone says nothing about the document; "German travel document" does.
        if introduction.iter().any(|word| folded(word).len() > 2) {
            self.notes.insert(0, introduction.join(" ").trim_matches([' ', '-', ':', ',']).to_owned());
        }
        words
    }

    /// Takes a country or a note that follows a number: "M408665 Tunisia", "D000000483, Diplomatic".
    fn take_trailing_words<'a, 'w>(&mut self, words: &'a [&'w str]) -> &'a [&'w str] {
        let behind_number = words.iter().rposition(|word| has_digit(word)).map_or(words.len(), |at| at + 1);
        let Some((number, trailing)) = words.split_at_checked(behind_number) else { return words };
        let ends_number = number.last().is_some_and(|word| word.ends_with([',', ';']));
        let country = countries::code(trailing.join(" ").trim_matches([',', '.', ' ']));
        if trailing.is_empty() || !(ends_number || country.is_some()) {
            return words;
        }
        self.country_or_note(&trailing.join(" "));
        number
    }
}

/// The country that these words begin with, its words, and the words behind them.
fn leading_country<'a, 'w>(words: &'a [&'w str]) -> Option<(&'static str, &'a [&'w str], &'a [&'w str])> {
    (1..=COUNTRY_WORDS_MAX.min(words.len())).rev().find_map(|count| {
        let (named, rest) = words.split_at_checked(count)?;
        // A number never names a country, so nothing is joined for nothing.
        if named.iter().any(|word| has_digit(word)) {
            return None;
        }
        // Two or three capitals may as well be a number's letters: "NO 123", "GBR 123".
        let letters = named.join(" ");
        let letters = letters.trim_matches([':', ',', '.', ' ']);
        let is_name = letters.chars().count() > 3;
        is_name.then(|| countries::code(letters)).flatten().map(|code| (code, named, rest))
    })
}

/// The number in these words, which are all parts of it.
fn number_of(words: &[&str]) -> Option<String> {
    let mut number = String::new();
    let mut whole_numbers = 0;
    let mut joins = false;
    for (at, word) in words.iter().enumerate() {
        let word = word.trim_matches([',', '.', ':', ';', '#']);
        let word = if at == 0 { without_no(word) } else { word };
        let is_last = at + 1 == words.len();
        // A few letters belong to the number behind them: "RL 1794375". A dash between blanks separates two things.
        let is_letters = !word.is_empty()
            && word.len() <= SERIES_LETTERS_MAX
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'.');
        if !(has_digit(word) || is_letters && !is_last) || !word.chars().all(is_number_part) {
            return None;
        }
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let joined = joins || word.starts_with('-');
        whole_numbers += usize::from(digits >= WHOLE_NUMBER_DIGITS && !(joined && whole_numbers > 0));
        joins = word.ends_with('-');
        number.push_str(&letters_and_digits(word)?);
    }
    let fits = (NUMBER_MIN_CHARS..=NUMBER_MAX_CHARS).contains(&number.len());
    (whole_numbers <= 1 && fits && has_digit(&number)).then_some(number)
}

fn is_number_part(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '–' | '/' | '.')
}

/// The word without an abbreviation of "number" that is written on to it: "No34409/129", "Nº123". In capitals, `NO`
/// may be a part of the number.
fn without_no(word: &str) -> &str {
    let rest = ["No", "no", "Nr", "nº", "Nº", "n°", "N°", "№", "#"]
        .iter()
        .find_map(|prefix| word.strip_prefix(prefix));
    match rest.map(|rest| rest.trim_start_matches(['.', ':'])) {
        Some(rest) if rest.starts_with(|letter: char| letter.is_ascii_digit()) => rest,
        _ => word,
    }
}

#[cfg(test)]
#[path = "documents/tests.rs"]
mod tests;
