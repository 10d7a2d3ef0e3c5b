//! Writes machine readable zones (ICAO Doc 9303 parts 4 to 7) with right check digits, and finds the number in one. The product's own reader
//! is not used: a fault of it must not hide itself.

use rovuma_schemas::mrz::check_digit;

/// Characters of a document's number before it is continued in the optional field.
const NUMBER_FIELD: usize = 9;

/// The form of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZoneForm {
    Td1,
    Td2,
    Td3,
    MrvA,
    MrvB,
}

/// What the check digit of a long number is counted over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// The joined number.
    Joined,
    /// The number with the filler of position 15 in its place.
    WithFiller,
}

/// The fields of a zone.
#[derive(Clone, Debug)]
pub(super) struct Zone<'a> {
    pub(super) form: ZoneForm,
    pub(super) counting: Counting,
    pub(super) code: &'a str,
    pub(super) issuer: &'a str,
    pub(super) number: &'a str,
    /// The number over which the check digit is counted, where it is another: then a character was misread.
    pub(super) printed: Option<&'a str>,
    pub(super) surname: &'a str,
    pub(super) given: &'a str,
    pub(super) nationality: &'a str,
    /// The holder's birth date, `YYMMDD`.
    pub(super) birth: &'a str,
    pub(super) sex: char,
    /// The last day on which the document holds, `YYMMDD`.
    pub(super) expiry: &'a str,
}

impl ZoneForm {
    /// The most characters of a number in a zone of this form.
    pub(super) const fn number_max(self) -> usize {
        match self {
            Self::Td1 => NUMBER_FIELD + 14,
            Self::Td2 => NUMBER_FIELD + 6,
            Self::Td3 | Self::MrvA | Self::MrvB => NUMBER_FIELD,
        }
    }
}

impl Zone<'_> {
    /// The lines.
    pub(super) fn lines(&self) -> Vec<String> {
        let (number, digit, continued) = self.number();
        let name = format!("{}<<{}", self.surname.replace(' ', "<"), self.given.replace(' ', "<"));
        let head = format!("{:<<2}{:<<3}", self.code, self.issuer);
        let dated = |date: &str| format!("{date}{}", digit_of(date));
        let (birth, expiry) = (dated(self.birth), dated(self.expiry));
        let middle = |optional: String| {
            format!("{number}{digit}{:<<3}{birth}{}{expiry}{optional}", self.nationality, self.sex)
        };
        match self.form {
            ZoneForm::Td3 => {
                let second = middle(format!("{:<<15}", ""));
                vec![cut(&head, &name, 44), composed(second, &[(0, 10), (13, 20), (21, 43)])]
            }
            ZoneForm::Td2 => {
                let second = middle(format!("{continued:<<7}"));
                vec![cut(&head, &name, 36), composed(second, &[(0, 10), (13, 20), (21, 35)])]
            }
            ZoneForm::MrvA => vec![cut(&head, &name, 44), middle(format!("{:<<16}", ""))],
            ZoneForm::MrvB => vec![cut(&head, &name, 36), middle(format!("{:<<8}", ""))],
            ZoneForm::Td1 => {
                let first = format!("{head}{number}{digit}{continued:<<15}");
                let second = format!("{birth}{}{expiry}{:<<3}{:<<11}", self.sex, self.nationality, "");
                let covered = [&first[5..30], &second[0..7], &second[8..15], &second[18..29]].concat();
                vec![first, format!("{second}{}", digit_of(&covered)), cut("", &name, 30)]
            }
        }
    }

    /// The number field, what stands in the place of its check digit, and what the optional field has of the number.
    fn number(&self) -> (String, char, String) {
        let printed = self.printed.unwrap_or(self.number);
        if self.number.len() <= NUMBER_FIELD {
            let digit = digit_of(&format!("{printed:<<NUMBER_FIELD$}"));
            return (format!("{:<<NUMBER_FIELD$}", self.number), digit, String::new());
        }
        let (start, rest) = self.number.split_at(NUMBER_FIELD);
        let counted = match self.counting {
            Counting::Joined => printed.to_owned(),
            Counting::WithFiller => format!("{}<{}", &printed[..NUMBER_FIELD], &printed[NUMBER_FIELD..]),
        };
        (start.to_owned(), '<', format!("{rest}{}", digit_of(&counted)))
    }
}

fn cut(head: &str, name: &str, length: usize) -> String {
    let mut line = format!("{head}{name:<<length$}");
    line.truncate(length);
    line
}

fn composed(line: String, covered: &[(usize, usize)]) -> String {
    let covered: String = covered.iter().map(|(from, to)| &line[*from..*to]).collect();
    format!("{line}{}", digit_of(&covered))
}

fn digit_of(field: &str) -> char {
    check_digit(field).unwrap_or('<')
}

/// The lines of a zone as people store them: separated by line ends, by `\n` as two characters or by `|`, or all in one.
pub(super) fn lines_of(text: &str) -> Vec<String> {
    let text = text.replace("\\r", "").replace("\\n", "\n").replace('|', "\n");
    let lines: Vec<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    let [one] = lines.as_slice() else { return lines };
    let each = match one.chars().count() {
        88 => 44,
        90 => 30,
        72 => 36,
        _ => return lines,
    };
    let characters: Vec<char> = one.chars().collect();
    characters.chunks(each).map(|line| line.iter().collect()).collect()
}

/// The number of a zone, joined and without fillers, and whether its check digit is right in either way of counting.
pub(super) fn number_in(lines: &[String]) -> Option<(String, bool)> {
    let upper: Vec<String> = lines.iter().map(|line| line.to_ascii_uppercase().replace(' ', "<")).collect();
    let (line, at, optional) = match (upper.len(), upper.first()?.len()) {
        (3, 30) => (upper.first()?, 5, Some((15, 30))),
        (2, 36) if !upper.first()?.starts_with('V') => (upper.get(1)?, 0, Some((28, 35))),
        (2, 36 | 44) => (upper.get(1)?, 0, None),
        _ => return None,
    };
    let field = line.get(at..at + NUMBER_FIELD)?;
    let digit = line.get(at + NUMBER_FIELD..=at + NUMBER_FIELD)?;
    let rest = optional.and_then(|(from, to)| line.get(from..to)).unwrap_or_default();
    let rest = rest.split('<').next().unwrap_or_default();
    if digit == "<" && !field.contains('<') && !rest.is_empty() {
        let (more, last) = rest.split_at(rest.len() - 1);
        let is_right = [format!("{field}{more}"), format!("{field}<{more}")]
            .iter()
            .any(|counted| digit_of(counted).to_string() == last);
        return Some((format!("{field}{more}"), is_right));
    }
    Some((field.trim_end_matches('<').to_owned(), digit_of(field).to_string() == digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(form: ZoneForm, number: &'static str) -> Zone<'static> {
        Zone {
            form,
            counting: Counting::Joined,
            code: "P",
            issuer: "UTO",
            number,
            printed: None,
            surname: "ERIKSSON",
            given: "ANNA MARIA",
            nationality: "UTO",
            birth: "740812",
            sex: 'F',
            expiry: "120415",
        }
    }

    /// The specimens of Doc 9303; the passport's has a personal number, which is left out here.
    #[test]
    fn specimens_come_out_as_printed() {
        let card = Zone { code: "I", ..zone(ZoneForm::Td1, "D23145890") };
        assert_eq!(
            card.lines(),
            [
                "I<UTOD231458907<<<<<<<<<<<<<<<",
                "7408122F1204159UTO<<<<<<<<<<<6",
                "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
            ]
        );
        let card = Zone { code: "I", ..zone(ZoneForm::Td2, "D23145890") };
        assert_eq!(card.lines()[1], "D231458907UTO7408122F1204159<<<<<<<6");
        let long = Zone { code: "I", ..zone(ZoneForm::Td1, "D23145890734") };
        assert_eq!(long.lines()[0], "I<UTOD23145890<7349<<<<<<<<<<<");
        let belgian = Zone {
            counting: Counting::WithFiller,
            code: "ID",
            issuer: "BEL",
            ..zone(ZoneForm::Td1, "000590240601")
        };
        assert_eq!(belgian.lines()[0], "IDBEL000590240<6013<<<<<<<<<<<");
        assert!(zone(ZoneForm::Td3, "L898902C3").lines()[1].starts_with("L898902C36UTO7408122F1204159"));
    }

    #[test]
    fn numbers_are_found_again() {
        use ZoneForm as F;
        for (form, number) in [
            (F::Td1, "110100123456A"),
            (F::Td1, "19880214111010000123"),
            (F::Td2, "110100123456A"),
            (F::Td3, "AB12"),
            (F::MrvA, "L8988901C"),
            (F::MrvB, "L8988901C"),
        ] {
            let code = if matches!(form, F::MrvA | F::MrvB) { "V" } else { "I" };
            let lines = Zone { code, ..zone(form, number) }.lines();
            for text in [lines.join("\\n"), lines.join("|"), lines.concat(), lines.join("\r\n")] {
                assert_eq!(number_in(&lines_of(&text)), Some((number.to_owned(), true)), "{text}");
            }
        }
        let bent = Zone { printed: Some("L898902C4"), ..zone(F::Td3, "L898902C3") }.lines();
        assert_eq!(number_in(&bent), Some(("L898902C3".to_owned(), false)));
    }
}
