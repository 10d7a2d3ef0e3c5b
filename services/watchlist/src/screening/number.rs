//! Numbers in the form that is compared, and the forms in which characters that look alike are one.

use serde::{Deserialize, Serialize};

/// A kind of number by which something is found. The words are those of the code list `matched_kinds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    /// The number of a document, national identity numbers among them.
    Document,
    /// A registration plate.
    Plate,
    /// A vehicle identification number (ISO 3779).
    Vin,
    /// A frame number that is no VIN.
    ChassisNumber,
    /// The number of an engine.
    EngineNumber,
    /// The serial number of a firearm.
    FirearmSerial,
    /// The serial number of another object.
    ObjectSerial,
    /// The serial number of a telephone (3GPP TS 23.003 section 6.2): its first fourteen digits.
    Imei,
}

impl NumberKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Document,
        Self::Plate,
        Self::Vin,
        Self::ChassisNumber,
        Self::EngineNumber,
        Self::FirearmSerial,
        Self::ObjectSerial,
        Self::Imei,
    ];

    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Plate => "plate",
            Self::Vin => "vin",
            Self::ChassisNumber => "chassis_number",
            Self::EngineNumber => "engine_number",
            Self::FirearmSerial => "firearm_serial",
            Self::ObjectSerial => "object_serial",
            Self::Imei => "imei",
        }
    }

    /// The kind with this code.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind under which the index keeps it. Frame numbers and VINs share one place, because many write a VIN where a form asks for
    /// a frame number; so do the serial numbers of telephones and of other objects.
    pub const fn place(self) -> Self {
        match self {
            Self::Vin => Self::ChassisNumber,
            Self::Imei => Self::ObjectSerial,
            other => other,
        }
    }

    /// The part of a number by which it is compared. The last digits of a telephone's number are a check digit, or the version of its
    /// software, which changes.
    pub(crate) fn compared(self, normal: &str) -> &str {
        const IMEI: usize = 14;
        let is_telephones = self.place() == Self::ObjectSerial
            && (IMEI..=IMEI + 2).contains(&normal.len())
            && normal.bytes().all(|b| b.is_ascii_digit());
        if is_telephones { normal.get(..IMEI).unwrap_or(normal) } else { normal }
    }
}

/// Maximum characters of a number. The longest that exists, of a national identity in Tanzania, has 20; what is longer is no number.
pub(crate) const NUMBER_MAX: usize = 40;

/// Pairs of characters that people and cameras take for each other. Check digits do not tell G from 6 nor L from 1, and two wrong
/// characters may cancel each other out.
const CONFUSABLE: [(char, char); 9] = [
    ('O', '0'),
    ('I', '1'),
    ('B', '8'),
    ('S', '5'),
    ('Z', '2'),
    ('D', '0'),
    ('G', '6'),
    ('L', '1'),
    ('Q', 'O'),
];

/// Maximum characters of a number that may be taken for others: with more it is another number.
const CONFUSED_MAX: usize = 4;

/// What people, cameras and zones write within a number.
const SEPARATORS: [char; 8] = [' ', '\u{a0}', '-', '\u{2010}', '\u{2013}', '.', '/', '<'];

/// A number as it is compared: capitals and digits alone. Spaces, hyphens, dots, slashes, fillers and case are not part of a number.
/// None of a text with anything else, which cannot be compared or is several numbers, of one without any, and of one that is too long.
pub(crate) fn normal(text: &str) -> Option<String> {
    let mut normal = String::with_capacity(text.len().min(NUMBER_MAX));
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            normal.push(c.to_ascii_uppercase());
        } else if !SEPARATORS.contains(&c) {
            // Another script's letter cannot be compared, and what stands behind a comma or a line end is another number.
            return None;
        }
        if normal.len() > NUMBER_MAX {
            return None;
        }
    }
    (!normal.is_empty()).then_some(normal)
}

/// The number with one character for all that look alike. Numbers that are equal in this form may be one number misread.
pub(crate) fn folded(normal: &str) -> String {
    normal
        .chars()
        .map(|c| match c {
            'O' | 'Q' | 'D' => '0',
            'I' | 'L' => '1',
            'B' => '8',
            'S' => '5',
            'Z' => '2',
            'G' => '6',
            other => other,
        })
        .collect()
}

/// The characters that this one is taken for.
pub(crate) fn look_alikes(c: char) -> impl Iterator<Item = char> {
    CONFUSABLE.into_iter().filter_map(move |(one, other)| match c {
        c if c == one => Some(other),
        c if c == other => Some(one),
        _ => None,
    })
}

/// Whether the two numbers differ, and only in characters that are taken for each other.
pub(crate) fn are_confusable(one: &str, other: &str) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut differing = 0;
    for (a, b) in one.chars().zip(other.chars()) {
        if a == b {
            continue;
        }
        differing += 1;
        if !look_alikes(a).any(|other| other == b) {
            return false;
        }
    }
    (1..=CONFUSED_MAX).contains(&differing)
}

/// Whether every character is the same: the number stands for "unknown", and would tie all that is unknown together.
pub(crate) fn is_placeholder(kind: NumberKind, normal: &str) -> bool {
    /// Shorter numbers may be real.
    const AT_LEAST: usize = 8;
    let is_vehicles = matches!(kind, NumberKind::Vin | NumberKind::ChassisNumber | NumberKind::EngineNumber);
    let first = normal.chars().next();
    is_vehicles && normal.len() >= AT_LEAST && normal.chars().all(|c| Some(c) == first)
}

/// The digits at the end of a number and what stands before them: how numbers of a series are counted.
pub(crate) fn series_place(normal: &str) -> Option<(&str, u128)> {
    let prefix = normal.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = normal.get(prefix.len()..)?;
    digits.parse().ok().map(|number| (prefix, number))
}

/// Numbers of a series that is certain. Blank passports are packed in boxes of hundreds; a series of a hundred thousand would report
/// everybody who crosses with a passport of that kind to whoever issued the alert.
const SERIES_MAX: u128 = 10_000;

/// The series from one number to another, in the form that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    prefix: String,
    length: usize,
    from: u128,
    to: u128,
}

impl Series {
    /// The series; none where the two ends are not counted in the same way, or in the wrong order.
    pub(crate) fn new(from: &str, to: &str) -> Option<Self> {
        let ((prefix, first), (other, last)) = (series_place(from)?, series_place(to)?);
        let is_one = prefix == other && from.len() == to.len() && first <= last;
        is_one.then(|| Self { prefix: prefix.to_owned(), length: from.len(), from: first, to: last })
    }

    /// Whether the number belongs to the series.
    pub(crate) fn has(&self, normal: &str) -> bool {
        normal.len() == self.length
            && series_place(normal).is_some_and(|(prefix, number)| {
                prefix == self.prefix && (self.from..=self.to).contains(&number)
            })
    }

    /// Whether it has more numbers than are ever stolen together.
    pub(crate) const fn is_too_wide(&self) -> bool {
        self.to - self.from >= SERIES_MAX
    }

    /// Its first and last number, counted by their digits.
    pub(crate) const fn ends(&self) -> (u128, u128) {
        (self.from, self.to)
    }

    /// What all its numbers have in common: what stands before the digits, and the length.
    pub(crate) fn common(&self) -> (&str, usize) {
        (&self.prefix, self.length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("K-348486", Some("K348486"))]
    #[case("K 348486", Some("K348486"))]
    #[case("k348486<<", Some("K348486"))]
    #[case("- T 123 ABC", Some("T123ABC"))]
    #[case("MC .441 CQE", Some("MC441CQE"))]
    #[case("19880214-11101-00001-23", Some("19880214111010000123"))]
    #[case("--", None)]
    #[case("А123", None)] // a Cyrillic А
    #[case("A01023456, A01023457", None)]
    #[case("A01023456\nA01023457", None)]
    fn a_number_is_capitals_and_digits(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(normal(text).as_deref(), expected);
    }

    #[rstest]
    #[case("A01O23456", "A01023456", true)]
    #[case("AG1", "A61", true)]
    #[case("QO1", "OQ1", true)]
    #[case("A01023456", "A01023456", false)]
    #[case("A01023457", "A01023456", false)]
    #[case("AB1", "AB11", false)]
    #[case("OOOOO", "00000", false)]
    fn what_looks_alike(#[case] one: &str, #[case] other: &str, #[case] expected: bool) {
        assert_eq!(are_confusable(one, other), expected);
        assert_eq!(are_confusable(other, one), expected);
    }

    #[rstest]
    #[case("AB1200000", true)]
    #[case("AB1209999", true)]
    #[case("AB1204711", true)]
    #[case("AB1199999", false)]
    #[case("AB1210000", false)]
    #[case("AC1204711", false)]
    #[case("AB01204711", false)]
    fn a_series_has_its_ends_and_what_is_between(#[case] number: &str, #[case] expected: bool) {
        let series = Series::new("AB1200000", "AB1209999").expect("a series");
        assert_eq!(series.has(number), expected);
    }

    #[rstest]
    #[case("AB120", "AC129")]
    #[case("AB120", "AB1290")]
    #[case("AB129", "AB120")]
    #[case("AB", "AC")]
    fn two_numbers_that_are_not_counted_alike_are_no_series(#[case] from: &str, #[case] to: &str) {
        assert_eq!(Series::new(from, to), None);
    }

    #[test]
    fn seventeen_ones_are_no_vehicle() {
        assert!(is_placeholder(NumberKind::Vin, "11111111111111111"));
        assert!(!is_placeholder(NumberKind::Vin, "11111111111111112"));
        assert!(!is_placeholder(NumberKind::Document, "111111111"));
    }

    proptest! {
        /// The index finds what is confusable by the folded form: it must never differ where the numbers are confusable.
        #[test]
        fn confusable_numbers_have_one_folded_form(one in "[A-Z0-9]{1,12}", other in "[A-Z0-9]{1,12}") {
            if are_confusable(&one, &other) {
                prop_assert_eq!(folded(&one), folded(&other));
            }
        }

        #[test]
        fn a_number_of_a_series_stays_in_it_when_it_is_folded(from in 0_u32..900_000, width in 0_u32..99_999, at in 0_u32..99_999) {
            let number = |n: u32| format!("DB{n:06}");
            let end = (from + width).min(999_999);
            let inside = from + at % (end - from + 1);
            let folded_series = Series::new(&folded(&number(from)), &folded(&number(end))).expect("a series");
            prop_assert!(folded_series.has(&folded(&number(inside))));
        }

        #[test]
        fn any_text_is_a_number_or_none(text in "\\PC{0,60}") {
            if let Some(number) = normal(&text) {
                prop_assert!(!number.is_empty() && number.len() <= NUMBER_MAX);
                prop_assert_eq!(normal(&number), Some(number.clone()));
                let _ = (folded(&number), series_place(&number));
            }
        }
    }
}
