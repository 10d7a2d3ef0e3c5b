//! Configuration files that a lab makes once, and that belong to whoever changes them since.
//!
//! Beside each file, `.<name>.made` has the text as the lab made it last. So a second run tells its own changes, such
//! as another port or a setting of a later version, from those that somebody else made.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The most changed lines that a note quotes. A note is for reading on a terminal.
const LINES_QUOTED: usize = 6;

/// Writes a file that is missing or that nobody has changed since it was made. A file that somebody changed stays,
/// except for the lines that they left alone and that are made differently now. Returns a note for the person at the
/// terminal when there is something to say.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(file: &Path, text: &str) -> Result<Option<String>> {
    let copy = made_copy(file);
    let (present, made) = (read(file)?, read(&copy)?);
    let (kept, note) = match (present, made) {
        (None, _) => (text.to_owned(), None),
        (Some(present), _) if present == text => (present, None),
        (Some(present), Some(made)) if present == made => {
            let note = format!("{} is written anew: {}", file.display(), Difference::between(&made, text));
            (text.to_owned(), Some(note))
        }
        (Some(present), None) => {
            let note = format!("{} is kept as it is: it was there before", file.display());
            (present, Some(note))
        }
        (Some(present), Some(made)) if made == text => {
            (present, Some(format!("{} is kept with the changes made since", file.display())))
        }
        (Some(present), Some(made)) => {
            let difference = Difference::between(&made, text);
            let note = format!(
                "{} is kept with the changes made since, and now differs from what this version makes: {difference}",
                file.display()
            );
            (difference.apply(&present), Some(note))
        }
    };
    for (path, text) in [(file, kept.as_str()), (&copy, text)] {
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(note)
}

fn made_copy(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.made"))
}

fn read(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", file.display())),
    }
}

/// How a text that the lab makes differs from the one that it made before.
struct Difference<'a> {
    /// Lines that took another's place. Only when both texts have as many lines.
    replaced: Vec<(&'a str, &'a str)>,
    added: Vec<&'a str>,
    removed: Vec<&'a str>,
}

impl<'a> Difference<'a> {
    fn between(before: &'a str, after: &'a str) -> Self {
        if before.lines().count() == after.lines().count() {
            let pairs = before.lines().zip(after.lines()).filter(|(old, new)| old != new);
            return Self { replaced: pairs.collect(), added: Vec::new(), removed: Vec::new() };
        }
        let missing_in = |text: &'a str, other: &'a str| {
            text.lines()
                .filter(|line| !line.is_empty() && !other.lines().any(|known| known == *line))
                .collect()
        };
        Self { replaced: Vec::new(), added: missing_in(after, before), removed: missing_in(before, after) }
    }

    /// The text with the replaced lines, where they still are as they were.
    fn apply(&self, text: &str) -> String {
        let line = |line: &str| {
            let found = self.replaced.iter().find(|(old, _)| *old == line);
            found.map_or(line, |(_, new)| *new).to_owned() + "\n"
        };
        text.lines().map(line).collect()
    }
}

impl std::fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let replaced =
            self.replaced.iter().map(|(old, new)| format!("`{}` instead of `{}`", new.trim(), old.trim()));
        let added = self.added.iter().map(|line| format!("`{}` is new", line.trim()));
        let removed = self.removed.iter().map(|line| format!("`{}` is no longer there", line.trim()));
        let all: Vec<String> = replaced.chain(added).chain(removed).collect();
        write!(f, "{}", all[..all.len().min(LINES_QUOTED)].join("; "))?;
        match all.len().saturating_sub(LINES_QUOTED) {
            0 => Ok(()),
            more => write!(f, "; and {more} lines more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: &str = "listen = 1\nlevel = \"info\"\n";

    fn after(changes: &[&str]) -> (String, Option<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.toml");
        write(&file, MADE).expect("written");
        let mut note = None;
        for change in changes {
            match change.strip_prefix("by hand: ") {
                Some(text) => fs::write(&file, text).expect("written"),
                None => note = write(&file, change).expect("written"),
            }
        }
        (fs::read_to_string(&file).expect("there"), note)
    }

    #[test]
    fn a_file_that_nobody_changed_follows_the_programme_and_says_which_line() {
        assert_eq!(after(&[MADE]), (MADE.to_owned(), None));
        let later = "listen = 2\nlevel = \"info\"\n";
        let (text, note) = after(&[later]);
        assert_eq!(text, later);
        assert!(note.expect("a note").contains("`listen = 2` instead of `listen = 1`"));
    }

    #[test]
    fn a_file_that_somebody_changed_stays() {
        let own = "listen = 1\nlevel = \"debug\"\n[[agency]]\n";
        let (text, note) = after(&[&format!("by hand: {own}"), MADE]);
        assert_eq!(text, own);
        assert!(note.expect("a note").contains("kept with the changes"));
        let (text, _) = after(&[&format!("by hand: {own}"), MADE, MADE]);
        assert_eq!(text, own, "a third run keeps it too");
    }

    #[test]
    fn a_line_that_somebody_left_alone_follows_and_theirs_stay() {
        let own = "by hand: listen = 1\nlevel = \"debug\"\n[[agency]]\n";
        let (text, note) = after(&[own, "listen = 2\nlevel = \"warn\"\n"]);
        assert_eq!(text, "listen = 2\nlevel = \"debug\"\n[[agency]]\n");
        assert!(note.expect("a note").contains("`level = \"warn\"` instead of `level = \"info\"`"));
    }

    #[test]
    fn settings_of_a_later_version_are_named_and_not_mixed_in() {
        let own = "listen = 1\nlevel = \"debug\"\n";
        let (text, note) = after(&[&format!("by hand: {own}"), "listen = 1\nlevel = \"info\"\nsize = 3\n"]);
        assert_eq!(text, own);
        assert!(note.expect("a note").contains("`size = 3` is new"));
    }

    #[test]
    fn a_file_that_was_there_before_is_kept_and_one_that_is_gone_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.toml");
        fs::write(&file, "own = 1\n").expect("written");
        assert!(write(&file, MADE).expect("kept").expect("a note").contains("it was there before"));
        assert_eq!(fs::read_to_string(&file).expect("there"), "own = 1\n");
        fs::remove_file(&file).expect("removed");
        assert_eq!(write(&file, MADE).expect("written"), None);
        assert_eq!(fs::read_to_string(&file).expect("there"), MADE);
    }
}
