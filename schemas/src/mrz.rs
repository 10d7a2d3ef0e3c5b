//! Machine readable zones (ICAO Doc 9303 parts 3 to 7): the one reader of the product, for what officers type and scanners read.
//!
//! A zone that has the shape of one is always read, and what is wrong with it is said beside: a digit that is wrong, or a date that does
//! not exist, never throws the rest away. A zone of another shape is not guessed at.

mod check;
mod shape;

pub use shape::{MrzShapeFault, zone_lines};

pub use check::check_digit;
use check::is_checked;

/// The format of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MrzFormat {
    /// Cards, three lines of 30 (part 5).
    Td1,
    /// Cards and certificates, two lines of 36 (part 6).
    Td2,
    /// Passports, two lines of 44 (part 4).
    Td3,
    /// Visas, two lines of 44 (part 7).
    MrvA,
    /// Visas, two lines of 36 (part 7).
    MrvB,
}

/// A field with a check digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckedField {
    /// The document's number.
    DocumentNumber,
    /// The birth date.
    BirthDate,
    /// The expiry date.
    ExpiryDate,
    /// The optional data of a passport: in many states the personal number.
    OptionalData,
    /// All of these together.
    Composite,
}

/// How the check digit of a document's number fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberCheck {
    /// It does.
    Right,
    /// It does for a long number of a card, counted with the filler of position 15 in its place: some states count so, against the
    /// joined number of part 5 section 4.2.2.
    RightWithFiller,
    /// It does not.
    Wrong,
}

/// The sex that a zone gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZoneSex {
    /// Female.
    F,
    /// Male.
    M,
    /// Unspecified: a filler, or the letter X that some states print.
    Unspecified,
}

/// A date of a zone: `YYMMDD`, in which fillers stand for what is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneDate {
    /// The six characters.
    pub text: String,
    /// The year of the century, the month and the day, each where it is known and possible.
    pub parts: (Option<u8>, Option<u8>, Option<u8>),
}

/// A zone that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MrzZone {
    /// The format.
    pub format: MrzFormat,
    /// The document code without fillers: `P`, `PD`, `ID`.
    pub document_code: String,
    /// The issuing state or organisation without fillers.
    pub issuer: String,
    /// The document's number without fillers; of a long number of a card, all of it.
    pub number: String,
    /// How its check digit fits.
    pub number_check: NumberCheck,
    /// The primary identifier, its words separated by single spaces; empty where the holder has one name.
    pub surname: String,
    /// The secondary identifier.
    pub given: String,
    /// Whether the name fills its field to the last letter: then components may be cut, or left out (part 4 section 4.2.3).
    pub is_name_full: bool,
    /// The nationality without fillers.
    pub nationality: String,
    /// The birth date.
    pub birth: ZoneDate,
    /// The sex.
    pub sex: ZoneSex,
    /// The expiry date.
    pub expiry: ZoneDate,
    /// The fields whose check digits are wrong, in the order of [`CheckedField`].
    pub wrong: Vec<CheckedField>,
}

type Field = (usize, usize, usize);

/// The places of the fields of a format: line, from, to.
struct Layout {
    number: Field,
    nationality: Field,
    birth: Field,
    sex: (usize, usize),
    expiry: Field,
    name: Field,
    /// Where a long number goes on.
    continued: Option<Field>,
    /// The optional field that has a check digit of its own, and may be empty.
    optional: Option<Field>,
    /// The parts that the composite check digit covers, and where that digit stands.
    composite: Option<(&'static [Field], (usize, usize))>,
}

const TD3: Layout = Layout {
    number: (1, 0, 9),
    nationality: (1, 10, 13),
    birth: (1, 13, 19),
    sex: (1, 20),
    expiry: (1, 21, 27),
    name: (0, 5, 44),
    continued: None,
    optional: Some((1, 28, 42)),
    composite: Some((&[(1, 0, 10), (1, 13, 20), (1, 21, 43)], (1, 43))),
};

const TD2: Layout = Layout {
    name: (0, 5, 36),
    continued: Some((1, 28, 35)),
    optional: None,
    composite: Some((&[(1, 0, 10), (1, 13, 20), (1, 21, 35)], (1, 35))),
    ..TD3
};

const TD1: Layout = Layout {
    number: (0, 5, 14),
    nationality: (1, 15, 18),
    birth: (1, 0, 6),
    sex: (1, 7),
    expiry: (1, 8, 14),
    name: (2, 0, 30),
    continued: Some((0, 15, 30)),
    optional: None,
    composite: Some((&[(0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)], (1, 29))),
};

const MRV_A: Layout = Layout { optional: None, composite: None, ..TD3 };

const MRV_B: Layout = Layout { name: (0, 5, 36), ..MRV_A };

impl MrzFormat {
    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Td1 => "td1",
            Self::Td2 => "td2",
            Self::Td3 => "td3",
            Self::MrvA => "mrva",
            Self::MrvB => "mrvb",
        }
    }

    const fn layout(self) -> &'static Layout {
        match self {
            Self::Td1 => &TD1,
            Self::Td2 => &TD2,
            Self::Td3 => &TD3,
            Self::MrvA => &MRV_A,
            Self::MrvB => &MRV_B,
        }
    }
}

impl CheckedField {
    /// Its name in sentences about faults.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DocumentNumber => "document number",
            Self::BirthDate => "birth date",
            Self::ExpiryDate => "expiry date",
            Self::OptionalData => "optional data",
            Self::Composite => "composite",
        }
    }
}

impl MrzZone {
    /// Reads the lines of a zone.
    ///
    /// # Errors
    /// [`MrzShapeFault`] when they do not have the shape of one.
    pub fn read(lines: &[&str]) -> Result<Self, MrzShapeFault> {
        let format = shape::format(lines)?;
        let layout = format.layout();
        // The shape is checked: every field is there.
        let part =
            |(line, from, to): Field| lines.get(line).and_then(|line| line.get(from..to)).unwrap_or_default();
        let digit = |(line, _, to): Field| part((line, to, to + 1));
        let (number, number_check) =
            number(part(layout.number), digit(layout.number), layout.continued.map(part));
        let mut wrong = Vec::new();
        if number_check == NumberCheck::Wrong {
            wrong.push(CheckedField::DocumentNumber);
        }
        for (field, name) in
            [(layout.birth, CheckedField::BirthDate), (layout.expiry, CheckedField::ExpiryDate)]
        {
            if !is_checked(part(field), digit(field)) {
                wrong.push(name);
            }
        }
        if let Some(field) = layout.optional {
            // An empty optional field may have a filler instead of its check digit.
            let is_empty = part(field).bytes().all(|b| b == b'<') && digit(field) == "<";
            if !is_empty && !is_checked(part(field), digit(field)) {
                wrong.push(CheckedField::OptionalData);
            }
        }
        if let Some((fields, (line, at))) = layout.composite {
            let covered: String = fields.iter().map(|field| part(*field)).collect();
            if !is_checked(&covered, part((line, at, at + 1))) {
                wrong.push(CheckedField::Composite);
            }
        }
        let name = part(layout.name);
        let (surname, given) = name.split_once("<<").unwrap_or((name, ""));
        let (line, at) = layout.sex;
        Ok(Self {
            format,
            document_code: without_fillers(part((0, 0, 2))),
            issuer: without_fillers(part((0, 2, 5))),
            number,
            number_check,
            surname: words(surname),
            given: words(given),
            is_name_full: name.bytes().last().is_some_and(|last| last.is_ascii_uppercase()),
            nationality: without_fillers(part(layout.nationality)),
            birth: ZoneDate::read(part(layout.birth)),
            sex: match part((line, at, at + 1)) {
                "F" => ZoneSex::F,
                "M" => ZoneSex::M,
                _ => ZoneSex::Unspecified,
            },
            expiry: ZoneDate::read(part(layout.expiry)),
            wrong,
        })
    }
}

impl ZoneDate {
    fn read(text: &str) -> Self {
        let number = |from: usize, most: u8| {
            let number = text.get(from..from + 2)?.parse::<u8>().ok()?;
            (number <= most && (most == 99 || number > 0)).then_some(number)
        };
        Self { text: text.to_owned(), parts: (number(0, 99), number(2, 12), number(4, 31)) }
    }
}

/// The document's number. On cards a number of more than nine characters has a filler instead of its check digit, and continues in the
/// optional field, check digit last (part 5 section 4.2.2, part 6 section 4.2.2). The digit is counted over the joined number; some
/// states leave the filler of position 15 in its place and count with it.
fn number(start: &str, digit: &str, continued: Option<&str>) -> (String, NumberCheck) {
    let rest = continued.unwrap_or_default();
    let rest = rest.split_once('<').map_or(rest, |(rest, _)| rest);
    if digit == "<" && !rest.is_empty() && !start.contains('<') {
        let (more, last) = rest.split_at(rest.len() - 1);
        let whole = format!("{start}{more}");
        let check = if is_checked(&whole, last) {
            NumberCheck::Right
        } else if is_checked(&format!("{start}<{more}"), last) {
            NumberCheck::RightWithFiller
        } else {
            NumberCheck::Wrong
        };
        return (whole, check);
    }
    let is_right = check_digit(start).is_some() && is_checked(start, digit);
    let check = if is_right { NumberCheck::Right } else { NumberCheck::Wrong };
    (start.trim_end_matches('<').to_owned(), check)
}

fn without_fillers(text: &str) -> String {
    text.trim_end_matches('<').to_owned()
}

/// The words of a name, separated by single spaces.
fn words(name: &str) -> String {
    name.split('<').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    // The specimens of Doc 9303, of the invented state Utopia.
    const TD3_LINES: [&str; 2] =
        ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];
    const TD2_LINES: [&str; 2] =
        ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"];
    const TD1_LINES: [&str; 3] = [
        "I<UTOD231458907<<<<<<<<<<<<<<<",
        "7408122F1204159UTO<<<<<<<<<<<6",
        "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    ];
    const MRV_A_LINES: [&str; 2] =
        ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"];
    const MRV_B_LINES: [&str; 2] =
        ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"];

    #[rstest]
    #[case(&TD3_LINES, MrzFormat::Td3, "L898902C3", "UTO", "120415")]
    #[case(&TD2_LINES, MrzFormat::Td2, "D23145890", "UTO", "120415")]
    #[case(&TD1_LINES, MrzFormat::Td1, "D23145890", "UTO", "120415")]
    #[case(&MRV_A_LINES, MrzFormat::MrvA, "L8988901C", "XXX", "961210")]
    #[case(&MRV_B_LINES, MrzFormat::MrvB, "L8988901C", "XXX", "961210")]
    fn the_specimens_of_doc_9303_are_read_whole(
        #[case] lines: &[&str],
        #[case] format: MrzFormat,
        #[case] number: &str,
        #[case] nationality: &str,
        #[case] expiry: &str,
    ) {
        let zone = MrzZone::read(lines).expect("a specimen");
        assert_eq!((zone.format, zone.number.as_str(), zone.issuer.as_str()), (format, number, "UTO"));
        assert_eq!((zone.surname.as_str(), zone.given.as_str()), ("ERIKSSON", "ANNA MARIA"));
        assert_eq!((zone.nationality.as_str(), zone.expiry.text.as_str()), (nationality, expiry));
        assert_eq!((zone.sex, zone.wrong, zone.is_name_full), (ZoneSex::F, vec![], false));
    }

    /// Both conventions, each with its own specimen: a Belgian card counts with the filler, the standard's example fits either way.
    #[rstest]
    #[case(
        "IDBEL000590240<6013<<<<<<<<<<<",
        "8512017F1311048BEL851201002007",
        "000590240601",
        NumberCheck::RightWithFiller
    )]
    #[case(
        "I<UTOD23145890<7349<<<<<<<<<<<",
        "7408122F1204159UTO<<<<<<<<<<<6",
        "D23145890734",
        NumberCheck::Right
    )]
    fn a_long_number_of_a_card_is_joined(
        #[case] first: &str,
        #[case] second: &str,
        #[case] number: &str,
        #[case] check: NumberCheck,
    ) {
        let zone = MrzZone::read(&[first, second, TD1_LINES[2]]).expect("a card");
        assert_eq!((zone.number.as_str(), zone.number_check), (number, check));
        assert_eq!(zone.wrong, [], "{zone:?}");
        let bent = first.replace(&number[9..], &number[9..].replace(|c: char| c.is_ascii_digit(), "8"));
        let bent = MrzZone::read(&[&bent, second, TD1_LINES[2]]).expect("a card");
        assert_eq!(bent.number_check, NumberCheck::Wrong);
    }

    #[test]
    fn what_is_unknown_or_impossible_throws_nothing_away() {
        let unknown = [TD3_LINES[0], "L898902C36UTO<<<<<<0F3204153<<<<<<<<<<<<<<04"];
        let zone = MrzZone::read(&unknown).expect("a passport");
        assert_eq!((zone.birth.parts, zone.number.as_str()), ((None, None, None), "L898902C3"));
        assert_eq!(zone.wrong, []);
        let impossible = [TD3_LINES[0], "L898902C36UTO7413329F3204153<<<<<<<<<<<<<<00"];
        let zone = MrzZone::read(&impossible).expect("a passport");
        assert_eq!(zone.birth.parts, (Some(74), None, None));
        assert_eq!(zone.number, "L898902C3");
        let unspecified = [TD3_LINES[0], "L898902C36UTO7408122<3204153<<<<<<<<<<<<<<04"];
        assert_eq!(MrzZone::read(&unspecified).expect("a passport").sex, ZoneSex::Unspecified);
    }

    #[test]
    fn a_holder_with_one_name_has_no_surname_or_no_given_name() {
        let lines =
            ["P<UTO<<AHMADI<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", "K1234567<6UTO6001054F3202285<<<<<<<<<<<<<<<8"];
        let zone = MrzZone::read(&lines).expect("a passport");
        assert_eq!((zone.surname.as_str(), zone.given.as_str()), ("", "AHMADI"));
        let full = ["P<UTOABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM", TD3_LINES[1]];
        let zone = MrzZone::read(&full).expect("a passport");
        assert!(zone.is_name_full && zone.given.is_empty());
    }

    #[test]
    fn every_wrong_digit_is_named() {
        let wrong = |at: usize| {
            let mut line: Vec<char> = TD3_LINES[1].chars().collect();
            line[at] = if line[at] == '9' { '8' } else { '9' };
            let line: String = line.into_iter().collect();
            MrzZone::read(&[TD3_LINES[0], &line]).expect("a passport").wrong
        };
        use CheckedField as F;
        assert_eq!(wrong(9), [F::DocumentNumber, F::Composite]);
        assert_eq!(wrong(19), [F::BirthDate, F::Composite]);
        assert_eq!(wrong(27), [F::ExpiryDate, F::Composite]);
        assert_eq!(wrong(42), [F::OptionalData, F::Composite]);
        assert_eq!(wrong(43), [F::Composite]);
    }

    proptest! {
        #[test]
        fn a_changed_digit_is_seen(at in 0_usize..43, change in 1_u8..10) {
            let mut line: Vec<u8> = TD3_LINES[1].into();
            prop_assume!(line[at].is_ascii_digit());
            line[at] = b'0' + (line[at] - b'0' + change) % 10;
            let line = String::from_utf8(line).expect("ASCII");
            prop_assert!(!MrzZone::read(&[TD3_LINES[0], &line]).expect("a passport").wrong.is_empty());
        }

        #[test]
        fn no_lines_make_it_panic(lines in proptest::collection::vec("[A-Z0-9<é]{28,46}", 0..4)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let _ = MrzZone::read(&lines);
        }
    }
}
