//! The lines of a CSV, each decoded and of bounded length.
//!
//! A record of these lists is one line. The `csv` crate is not used for reading: it takes an open quote, and text
//! behind a closing quote, without a word, and exactly these are the signs of a file that was cut or mixed up.

use std::io::{BufRead, ErrorKind};

use encoding_rs::{UTF_8, WINDOWS_1252};

use super::{ListError, RECORD_MAX_BYTES};

/// What some systems of the last century write behind the last byte of a file, and OFAC still does.
const END_OF_FILE: u8 = 0x1A;

/// Reads a file line by line.
pub(crate) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    number: u64,
    bytes: Vec<u8>,
    letters: Letters,
    has_end_mark: bool,
    is_open: bool,
}

/// How the letters outside of ASCII have been written in the lines so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    /// There were none.
    None,
    Utf8,
    Windows1252,
}

/// One line without its end.
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: u64,
    pub(crate) text: String,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: &'a mut dyn BufRead) -> Self {
        Self {
            input,
            number: 0,
            bytes: Vec::new(),
            letters: Letters::None,
            has_end_mark: false,
            is_open: false,
        }
    }

    /// The next line that is not blank.
    ///
    /// # Errors
    /// When it is too long, or its encoding is not that of the lines before.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, ListError> {
        loop {
            if !self.fill()? {
                return Ok(None);
            }
            self.number += 1;
            if self.has_end_mark {
                return Err(ListError::line(self.number, "stands behind the byte 0x1A that ends a file"));
            }
            if self.number == 1 && self.bytes.starts_with(b"\xEF\xBB\xBF") {
                self.bytes.drain(..3);
                self.letters = Letters::Utf8;
            }
            self.is_open = self.bytes.last() != Some(&b'\n');
            while let Some(b'\n' | b'\r' | &END_OF_FILE) = self.bytes.last() {
                self.has_end_mark |= self.bytes.pop() == Some(END_OF_FILE);
            }
            let text = self.decode()?;
            if !text.trim().is_empty() {
                return Ok(Some(Line { number: self.number, text }));
            }
        }
    }

    /// How the lines so far are written.
    pub(crate) fn encoding(&self) -> &'static str {
        match self.letters {
            Letters::None | Letters::Utf8 => "UTF-8",
            Letters::Windows1252 => "Windows-1252",
        }
    }

    /// Whether the byte 0x1A ended the file.
    pub(crate) fn has_end_mark(&self) -> bool {
        self.has_end_mark
    }

    /// Whether the last line has neither a line feed nor that byte behind it: its end may be missing.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open && !self.has_end_mark
    }

    /// The number of the last line.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Reads bytes up to and including the next line feed. Returns whether there are any.
    fn fill(&mut self) -> Result<bool, ListError> {
        self.bytes.clear();
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let end = available.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
            let taken = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            if self.bytes.len() + taken.len() > RECORD_MAX_BYTES {
                return Err(ListError::too_long(self.number + 1));
            }
            let length = taken.len();
            self.bytes.extend_from_slice(taken);
            self.input.consume(length);
            if end.is_some() || length == 0 {
                return Ok(!self.bytes.is_empty());
            }
        }
    }

    /// The line's text. A file is in UTF-8 until a line is not; from then on it is in Windows-1252, as long as no
    /// line before had letters in UTF-8: a file of both would be misread in either.
    fn decode(&mut self) -> Result<String, ListError> {
        let line = |reason: &str| ListError::line(self.number, reason);
        if self.bytes.contains(&0) {
            return Err(line("has a NUL byte: save the file as UTF-8"));
        }
        if self.bytes.is_ascii() {
            return Ok(UTF_8.decode_without_bom_handling(&self.bytes).0.into_owned());
        }
        let utf8 = UTF_8.decode_without_bom_handling_and_without_replacement(&self.bytes);
        match (utf8, self.letters) {
            (Some(text), Letters::None | Letters::Utf8) => {
                self.letters = Letters::Utf8;
                Ok(text.into_owned())
            }
            (None, Letters::None | Letters::Windows1252) => {
                let text = WINDOWS_1252.decode_without_bom_handling(&self.bytes).0.into_owned();
                // Windows-1252 has no letters for five bytes, which become control characters.
                if text.chars().any(|c| matches!(c, '\u{80}'..='\u{9F}')) {
                    return Err(line("is neither UTF-8 nor Windows-1252"));
                }
                self.letters = Letters::Windows1252;
                Ok(text)
            }
            (None, Letters::Utf8) => Err(line("is not UTF-8, though the lines before are")),
            (Some(_), Letters::Windows1252) => {
                Err(line("is UTF-8, though the lines before are Windows-1252"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    type Numbered = Vec<(u64, String)>;

    fn all(mut bytes: &[u8]) -> Result<(Numbered, &'static str), ListError> {
        let mut lines = Lines::new(&mut bytes);
        let mut all = Vec::new();
        while let Some(line) = lines.next()? {
            all.push((line.number, line.text));
        }
        Ok((all, lines.encoding()))
    }

    fn reason_of(bytes: &[u8]) -> String {
        all(bytes).expect_err("refused").to_string()
    }

    #[test]
    fn blank_lines_count_and_are_left_out() {
        let (lines, encoding) = all(b"a\r\n\r\n  \nb").expect("lines");
        assert_eq!(lines, [(1, "a".to_owned()), (4, "b".to_owned())]);
        assert_eq!(encoding, "UTF-8");
    }

    #[rstest]
    #[case::utf8("Muçá".as_bytes(), "UTF-8")]
    #[case::byte_order_mark("\u{feff}Muçá".as_bytes(), "UTF-8")]
    #[case::windows(b"Mu\xE7\xE1", "Windows-1252")]
    fn letters_are_decoded_by_what_they_are(#[case] bytes: &[u8], #[case] expected: &str) {
        let (lines, encoding) = all(bytes).expect("lines");
        assert_eq!(lines, [(1, "Muçá".to_owned())]);
        assert_eq!(encoding, expected);
    }

    #[rstest]
    #[case::windows_after_utf8(b"Mu\xC3\xA7\nMu\xE7", "line 2 is not UTF-8, though the lines before are")]
    #[case::utf8_after_windows(
        b"Mu\xE7\nMu\xC3\xA7",
        "line 2 is UTF-8, though the lines before are Windows-1252"
    )]
    #[case::windows_after_a_mark(
        b"\xEF\xBB\xBFa\nMu\xE7",
        "line 2 is not UTF-8, though the lines before are"
    )]
    #[case::no_letter(b"a\n\x81", "line 2 is neither UTF-8 nor Windows-1252")]
    #[case::utf16(b"\xFF\xFEa\0", "line 1 has a NUL byte: save the file as UTF-8")]
    #[case::behind_the_end(b"a\n\x1A\nb", "line 3 stands behind the byte 0x1A that ends a file")]
    fn what_cannot_be_decoded_is_refused(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(reason_of(bytes), expected);
    }

    #[test]
    fn the_longest_line_is_read_and_one_byte_more_is_refused() {
        assert!(all(&vec![b'x'; RECORD_MAX_BYTES]).is_ok());
        assert_eq!(
            reason_of(&vec![b'x'; RECORD_MAX_BYTES + 1]),
            "the record at line 1 is longer than 262144 bytes"
        );
    }

    #[rstest]
    #[case(b"a\n", false)]
    #[case(b"a", true)]
    #[case(b"a\nb", true)]
    #[case(b"a\x1A", false)]
    #[case(b"", false)]
    fn a_last_line_without_an_end_is_open(#[case] mut bytes: &[u8], #[case] expected: bool) {
        let mut lines = Lines::new(&mut bytes);
        while lines.next().expect("a line").is_some() {}
        assert_eq!(lines.is_open(), expected);
    }

    #[test]
    fn the_end_mark_is_no_line() {
        assert_eq!(all(b"a\n\x1A").expect("lines").0.len(), 1);
        assert_eq!(all(b"a\x1A\r\n").expect("lines").0, [(1, "a".to_owned())]);
    }
}
