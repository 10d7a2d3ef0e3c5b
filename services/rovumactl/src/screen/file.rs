//! The texts of a file: one a line, and zones of two or three lines between empty lines.

use std::path::Path;

use crate::{
    exit::{Failure, Outcome},
    files,
};

/// How long the lines of machine readable zones are (ICAO Doc 9303): TD1, TD2 and MRV-B, TD3 and MRV-A.
const ZONE_LINES: [usize; 3] = [30, 36, 44];

/// A text, and the line of the file where it begins, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) line: usize,
    pub(super) text: String,
}

/// Reads the texts of a file.
pub(super) fn read(path: &Path) -> Outcome<Vec<Text>> {
    let texts = texts(&files::read_text(path)?);
    if texts.is_empty() {
        return Err(Failure::usage(format!("{} has no text", path.display())));
    }
    Ok(texts)
}

fn texts(content: &str) -> Vec<Text> {
    // Blanks at the end may stand for fillers.
    let lines: Vec<&str> = content.trim_start_matches('\u{feff}').lines().collect();
    let mut texts = Vec::new();
    let mut at = 0;
    for block in lines.split(|line| line.trim().is_empty()) {
        if is_zone(block) {
            texts.push(Text { line: at + 1, text: block.join("\n") });
        } else {
            let each = block.iter().enumerate();
            texts.extend(
                each.map(|(offset, line)| Text { line: at + offset + 1, text: line.trim().to_owned() }),
            );
        }
        at += block.len() + 1;
    }
    texts
}

/// Whether these lines are one zone. A reader may have put blanks for fillers, or between them.
fn is_zone(block: &[&str]) -> bool {
    let has_length = |line: &&str| {
        ZONE_LINES.contains(&line.len()) || ZONE_LINES.contains(&line.bytes().filter(|b| *b != b' ').count())
    };
    (2..=3).contains(&block.len())
        && block.iter().all(has_length)
        && block.iter().any(|line| line.contains('<'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_zones_are_told_apart() {
        let zone =
            "P<MOZMUCA<<JOAO<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\nAB1230015MOZ8507031M3001012<<<<<<<<<<<<<<<04";
        let content = format!("AB123001\nABC 123 MC\n\n{zone}\n\n\nT 123 ABC\n");
        let found: Vec<_> = texts(&content).into_iter().map(|text| (text.line, text.text)).collect();
        let expected = [(1, "AB123001"), (2, "ABC 123 MC"), (4, zone), (8, "T 123 ABC")];
        assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
        assert_eq!(texts("\n \n"), []);
        // A reader that writes blanks for fillers; the first line ends in blanks.
        let blanks = zone.replace('<', " ").replacen(' ', "<", 1);
        let found = texts(&format!("{blanks}\n"));
        assert_eq!(found, [Text { line: 1, text: blanks }]);
    }
}
