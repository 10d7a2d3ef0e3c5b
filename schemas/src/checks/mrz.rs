//! Machine readable zones (ICAO Doc 9303 parts 3 to 7): their fields and check digits.

/// Why a zone is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MrzFault {
    /// The lines do not have the size of TD1, TD2, TD3 or a visa.
    Shape,
    /// This field's check digit is wrong.
    CheckDigit(&'static str),
}

/// The content of a zone, as far as it is compared with the fields beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mrz {
    /// The document number without fillers.
    pub(crate) number: String,
    /// The issuing state or organisation.
    pub(crate) issuer: String,
    /// The expiry, `YYMMDD`.
    pub(crate) expiry: String,
}

/// The positions of the fields of a format: (line, from, to).
struct Format {
    number: Field,
    birth: Field,
    expiry: Field,
    /// The optional field that has a check digit of its own, and may be empty.
    optional: Option<Field>,
    /// The parts that the composite check digit covers, and where that digit stands.
    composite: Option<(&'static [Field], (usize, usize))>,
}

type Field = (usize, usize, usize);

/// Passports, 2 lines of 44 (part 4).
const TD3: Format = Format {
    number: (1, 0, 9),
    birth: (1, 13, 19),
    expiry: (1, 21, 27),
    optional: Some((1, 28, 42)),
    composite: Some((&[(1, 0, 10), (1, 13, 20), (1, 21, 43)], (1, 43))),
};

/// Cards and certificates, 2 lines of 36 (part 6).
const TD2: Format = Format {
    number: (1, 0, 9),
    birth: (1, 13, 19),
    expiry: (1, 21, 27),
    optional: None,
    composite: Some((&[(1, 0, 10), (1, 13, 20), (1, 21, 35)], (1, 35))),
};

/// Cards, 3 lines of 30 (part 5).
const TD1: Format = Format {
    number: (0, 5, 14),
    birth: (1, 0, 6),
    expiry: (1, 8, 14),
    optional: None,
    composite: Some((&[(0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)], (1, 29))),
};

/// Visas, 2 lines of 44 or 36, without a composite digit (part 7).
const VISA: Format =
    Format { number: (1, 0, 9), birth: (1, 13, 19), expiry: (1, 21, 27), optional: None, composite: None };

/// Reads a zone and checks its check digits.
///
/// # Errors
/// The first fault: the shape, or else the first field whose digit is wrong.
pub(crate) fn read(lines: &[&str]) -> Result<Mrz, MrzFault> {
    if !lines.iter().all(|line| line.is_ascii()) {
        return Err(MrzFault::Shape);
    }
    let format = format(lines).ok_or(MrzFault::Shape)?;
    let number = number(lines, &format)?;
    checked(lines, format.birth, "birth date")?;
    let expiry = checked(lines, format.expiry, "expiry date")?;
    if let Some(field @ (line, _, to)) = format.optional {
        // An empty optional field may have a filler instead of its check digit.
        let empty = part(lines, field)?.bytes().all(|b| b == b'<') && part(lines, (line, to, to + 1))? == "<";
        if !empty {
            checked(lines, field, "optional data")?;
        }
    }
    if let Some((fields, (line, at))) = format.composite {
        let parts: Result<Vec<&str>, MrzFault> = fields.iter().map(|field| part(lines, *field)).collect();
        if check_digit(&parts?.concat()) != part(lines, (line, at, at + 1))?.chars().next() {
            return Err(MrzFault::CheckDigit("composite"));
        }
    }
    let issuer = part(lines, (0, 2, 5))?.trim_end_matches('<').to_owned();
    Ok(Mrz { number, issuer, expiry: expiry.to_owned() })
}

fn format(lines: &[&str]) -> Option<Format> {
    let sizes: Vec<usize> = lines.iter().map(|line| line.len()).collect();
    let visa = lines.first()?.starts_with('V');
    match sizes.as_slice() {
        [44, 44] | [36, 36] if visa => Some(VISA),
        [44, 44] => Some(TD3),
        [36, 36] => Some(TD2),
        [30, 30, 30] => Some(TD1),
        _ => None,
    }
}

/// The document number. On cards a number of more than nine characters has a filler instead of its check digit, and continues in
/// the optional field, check digit last (part 5 section 4.2.2, part 6 section 4.2.2).
fn number(lines: &[&str], format: &Format) -> Result<String, MrzFault> {
    let (line, from, to) = format.number;
    let digit = part(lines, (line, to, to + 1))?;
    let start = part(lines, (line, from, to))?;
    let rest = match lines.len() {
        3 => part(lines, (0, 15, 30))?,
        _ if lines[1].len() == 36 && format.composite.is_some() => part(lines, (1, 28, 35))?,
        _ => "",
    };
    let (rest, _) = rest.split_once('<').unwrap_or((rest, ""));
    let wrong = MrzFault::CheckDigit("document number");
    if digit == "<" && !rest.is_empty() && !start.contains('<') {
        let (more, last) = rest.split_at(rest.len() - 1);
        let whole = format!("{start}{more}");
        return if check_digit(&whole) == last.chars().next() { Ok(whole) } else { Err(wrong) };
    }
    if check_digit(start) == digit.chars().next() {
        Ok(start.trim_end_matches('<').to_owned())
    } else {
        Err(wrong)
    }
}

/// The field, when the digit behind it is right.
fn checked<'a>(
    lines: &[&'a str],
    field @ (line, _, to): Field,
    name: &'static str,
) -> Result<&'a str, MrzFault> {
    let text = part(lines, field)?;
    if check_digit(text) == part(lines, (line, to, to + 1))?.chars().next() {
        Ok(text)
    } else {
        Err(MrzFault::CheckDigit(name))
    }
}

fn part<'a>(lines: &[&'a str], (line, from, to): Field) -> Result<&'a str, MrzFault> {
    lines.get(line).and_then(|line| line.get(from..to)).ok_or(MrzFault::Shape)
}

/// The check digit of a field: characters weighted 7, 3, 1, summed, modulo 10 (part 3 section 4.9).
fn check_digit(field: &str) -> Option<char> {
    let mut sum = 0;
    for (c, weight) in field.chars().zip([7, 3, 1].into_iter().cycle()) {
        let value = match c {
            '0'..='9' => c as u32 - '0' as u32,
            'A'..='Z' => c as u32 - 'A' as u32 + 10,
            '<' => 0,
            _ => return None,
        };
        sum += value * weight;
    }
    char::from_digit(sum % 10, 10)
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

    #[rstest]
    #[case(&TD3_LINES, "L898902C3", "120415")]
    #[case(&TD2_LINES, "D23145890", "120415")]
    #[case(&TD1_LINES, "D23145890", "120415")]
    #[case(&MRV_A_LINES, "L8988901C", "961210")]
    fn the_specimens_of_doc_9303_check(#[case] lines: &[&str], #[case] number: &str, #[case] expiry: &str) {
        let mrz = read(lines).expect("a specimen");
        assert_eq!((mrz.number.as_str(), mrz.issuer.as_str(), mrz.expiry.as_str()), (number, "UTO", expiry));
    }

    #[test]
    fn a_long_number_of_a_card_goes_on_in_the_optional_field() {
        // The example of part 5 section 4.2.2: D23145890734 with the check digit 9.
        let first = "I<UTOD23145890<7349<<<<<<<<<<<";
        let composite = check_digit(&format!("{}74081221204159<<<<<<<<<<<", &first[5..])).expect("a digit");
        let second = format!("7408122F1204159UTO<<<<<<<<<<<{composite}");
        assert_eq!(read(&[first, &second, TD1_LINES[2]]).expect("a card").number, "D23145890734");
        let wrong = first.replace("7349", "7348");
        assert_eq!(read(&[&wrong, &second, TD1_LINES[2]]), Err(MrzFault::CheckDigit("document number")));
    }

    #[test]
    fn other_shapes_are_told() {
        assert_eq!(read(&[]), Err(MrzFault::Shape));
        assert_eq!(read(&TD3_LINES[..1]), Err(MrzFault::Shape));
        assert_eq!(read(&[TD3_LINES[0], TD2_LINES[1]]), Err(MrzFault::Shape));
    }

    proptest! {
        #[test]
        fn a_changed_digit_is_seen(at in 0_usize..43, change in 1_u8..10) {
            let mut line: Vec<u8> = TD3_LINES[1].into();
            prop_assume!(line[at].is_ascii_digit());
            line[at] = b'0' + (line[at] - b'0' + change) % 10;
            let line = String::from_utf8(line).expect("ASCII");
            prop_assert!(read(&[TD3_LINES[0], &line]).is_err());
        }

        #[test]
        fn no_lines_make_it_panic(lines in proptest::collection::vec("[A-Z0-9<é]{28,46}", 0..4)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let _ = read(&lines);
        }
    }
}
