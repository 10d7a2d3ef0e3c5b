//! The shape of a zone: how many lines of how many characters.

use std::borrow::Cow;

use thiserror::Error;

use super::MrzFormat;

/// Why lines do not have the shape of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MrzShapeFault {
    /// There are two or three lines of no format.
    #[error("a zone has two lines of 44 or 36 characters, or three of 30, and not {0} lines")]
    Lines(usize),
    /// A line is too short or too long: what is missing cannot be known, so nothing is guessed.
    #[error("line {line} has {has} of {wants} characters")]
    Length {
        /// The line, from 1.
        line: usize,
        /// Its characters.
        has: usize,
        /// The characters of the format that the other lines have.
        wants: usize,
    },
    /// A line has a character that no zone has.
    #[error("line {line} has the character {character:?}, which no zone has")]
    Character {
        /// The line, from 1.
        line: usize,
        /// The first such character.
        character: char,
    },
}

/// The format of these lines.
pub(super) fn format(lines: &[&str]) -> Result<MrzFormat, MrzShapeFault> {
    for (line, text) in (1..).zip(lines) {
        let is_allowed = |c: &char| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '<';
        if let Some(character) = text.chars().find(|c| !is_allowed(c)) {
            return Err(MrzShapeFault::Character { line, character });
        }
    }
    let lengths: Vec<usize> = lines.iter().map(|line| line.len()).collect();
    let is_visa = lines.first().is_some_and(|line| line.starts_with('V'));
    match (lengths.as_slice(), is_visa) {
        ([44, 44], true) => Ok(MrzFormat::MrvA),
        ([36, 36], true) => Ok(MrzFormat::MrvB),
        ([44, 44], false) => Ok(MrzFormat::Td3),
        ([36, 36], false) => Ok(MrzFormat::Td2),
        ([30, 30, 30], _) => Ok(MrzFormat::Td1),
        ([_, _], _) => Err(wrong_length(&lengths, if lengths.contains(&36) { 36 } else { 44 })),
        ([_, _, _], _) => Err(wrong_length(&lengths, 30)),
        _ => Err(MrzShapeFault::Lines(lines.len())),
    }
}

fn wrong_length(lengths: &[usize], wants: usize) -> MrzShapeFault {
    let wrong = (1..).zip(lengths).find(|(_, has)| **has != wants);
    wrong.map_or(MrzShapeFault::Lines(lengths.len()), |(line, has)| MrzShapeFault::Length {
        line,
        has: *has,
        wants,
    })
}

/// The lines of a zone in what a scanner sends or an officer types: line ends of any kind, small letters, and spaces where a filler was not
/// recognised. Returns the lines, and whether a space was read as a filler.
pub fn zone_lines(text: &str) -> (Vec<Cow<'_, str>>, bool) {
    let lines = text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
    let (mut found, mut has_spaces) = (Vec::new(), false);
    for line in lines {
        let is_plain = line.bytes().all(|b| !b.is_ascii_lowercase() && b != b' ');
        has_spaces |= line.contains(' ');
        found.push(if is_plain {
            Cow::Borrowed(line)
        } else {
            Cow::Owned(line.to_ascii_uppercase().replace(' ', "<"))
        });
    }
    (found, has_spaces)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    const SECOND: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

    #[test]
    fn other_shapes_are_told_and_not_guessed_at() {
        assert_eq!(format(&[]), Err(MrzShapeFault::Lines(0)));
        assert_eq!(format(&[FIRST]), Err(MrzShapeFault::Lines(1)));
        let short = MrzShapeFault::Length { line: 2, has: 43, wants: 44 };
        assert_eq!(format(&[FIRST, &SECOND[1..]]), Err(short.clone()));
        assert_eq!(short.to_string(), "line 2 has 43 of 44 characters");
        let card = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<";
        assert_eq!(format(&[FIRST, card]), Err(MrzShapeFault::Length { line: 1, has: 44, wants: 36 }));
        assert_eq!(
            format(&["P<UTO😀ERIKSSON", "ABC"]),
            Err(MrzShapeFault::Character { line: 1, character: '😀' })
        );
        assert_eq!(format(&["p<uto", "ABC"]), Err(MrzShapeFault::Character { line: 1, character: 'p' }));
    }

    #[test]
    fn a_scanner_sends_line_ends_and_spaces() {
        let text = "P<UTOERIKSSON<<ANNA MARIA<<<<<<<<<<<<<<<<<<<\r\nl898902c36uto7408122f1204159ze184226b<<<<<10\r\n";
        let (lines, has_spaces) = zone_lines(text);
        assert_eq!((lines[0].as_ref(), lines[1].as_ref(), has_spaces), (FIRST, SECOND, true));
        assert!(!zone_lines(&format!("{FIRST}\n\n{SECOND}")).1);
    }
}
