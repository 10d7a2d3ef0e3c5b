//! Standard output carries the result, for people or as JSON; standard error carries everything else.

use std::{
    fmt,
    io::{self, Write as _},
};

use serde::Serialize;

use crate::{
    client::ServerAnswer,
    exit::{Failure, Outcome},
};

/// Where results go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CommandOutput {
    json: bool,
}

impl CommandOutput {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Shows a result: `Display` for people, one line of JSON with `--json`.
    ///
    /// # Errors
    /// Standard output failed. A reader that went away (`| head`) is no error.
    pub(crate) fn show<T: Serialize + fmt::Display>(self, answer: &T) -> Outcome<()> {
        let text = if self.json { json_line(answer)? } else { answer.to_string() };
        self.write(format!("{}\n", text.trim_end()).as_bytes())
    }

    /// Shows a server's answer: as `text` writes it for people, unchanged with `--json`.
    ///
    /// # Errors
    /// Standard output failed. A reader that went away (`| head`) is no error.
    pub(crate) fn answer<T>(
        self,
        answer: &ServerAnswer<T>,
        text: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
    ) -> Outcome<()> {
        let text = match self.json {
            true => json_line(&answer.raw)?,
            false => fmt::from_fn(|f| text(f, &answer.value)).to_string(),
        };
        self.write(format!("{}\n", text.trim_end()).as_bytes())
    }

    /// Whether results are JSON.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Shows a part of a result for people at once. What comes later follows it.
    ///
    /// # Errors
    /// Standard output failed. A reader that went away (`| head`) is no error.
    pub(crate) fn print(self, text: impl fmt::Display) -> Outcome<()> {
        self.write(text.to_string().as_bytes())
    }

    /// Writes bytes unchanged to standard output.
    ///
    /// # Errors
    /// Standard output failed. A reader that went away (`| head`) is no error.
    pub(crate) fn write(self, bytes: &[u8]) -> Outcome<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::local(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Shows a note to the user, beside the result.
    pub(crate) fn note(self, text: impl fmt::Display) {
        eprintln!("{text}");
    }

    /// Shows why a command failed.
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

/// Makes control characters in text from outside visible: they could redraw a terminal.
pub(crate) fn safe(text: &str) -> String {
    let redraws = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if redraws(c) { '\u{fffd}' } else { c }).collect()
}

/// Writes rows under a heading, each column as wide as its widest cell.
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
