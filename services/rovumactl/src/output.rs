//! Standard output is the answer, for people or as JSON; standard error is everything else.

use std::{
    fmt,
    io::{self, Write as _},
};

use serde::Serialize;

use crate::exit::{Failure, Outcome};

/// Where answers go and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Shows an answer: `Display` for people, one line of JSON with `--json`.
    ///
    /// # Errors
    /// A failure of standard output; a reader that went away (`| head`) is none.
    pub(crate) fn show<T: Serialize + fmt::Display>(self, answer: &T) -> Outcome<()> {
        let text = if self.json { json_line(answer)? } else { answer.to_string() };
        self.write(format!("{}\n", text.trim_end()).as_bytes())
    }

    /// Writes bytes to standard output as they are.
    ///
    /// # Errors
    /// A failure of standard output; a reader that went away (`| head`) is none.
    pub(crate) fn write(self, bytes: &[u8]) -> Outcome<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::local(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Tells a person something beside the answer.
    pub(crate) fn note(self, text: impl fmt::Display) {
        eprintln!("{text}");
    }

    /// Tells why a command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        match serde_json::to_string(&ErrorLine { error: failure }) {
            Ok(line) if self.json => eprintln!("{line}"),
            _ => eprintln!("{failure}"),
        }
    }
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    error: &'a Failure,
}

fn json_line<T: Serialize>(answer: &T) -> Outcome<String> {
    serde_json::to_string(answer).map_err(|error| Failure::local(format!("cannot write JSON: {error}")))
}

/// Text from outside, for a terminal: control characters could redraw it, so they are made visible.
pub(crate) fn safe(text: &str) -> String {
    let redraws = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if redraws(c) { '\u{fffd}' } else { c }).collect()
}

/// Rows under a heading, each column as wide as its widest cell.
pub(crate) fn table(f: &mut fmt::Formatter<'_>, heading: &[&str], rows: &[Vec<String>]) -> fmt::Result {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heading[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| format!("{:<width$}", safe(cell), width = *width))
            .collect();
        writeln!(f, "{}", padded.join("  ").trim_end())
    };
    line(&mut heading.iter().copied())?;
    rows.iter().try_for_each(|row| line(&mut row.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_redraw_a_terminal_is_made_visible() {
        assert_eq!(safe("a\u{1b}[2Jb\rc\u{202e}d\ne"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\ne");
    }
}
