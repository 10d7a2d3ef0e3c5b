//! The part of a fault's sentence that differs from fault to fault.

use std::fmt::Write as _;

use super::hints::Hints;
use crate::{Labels, Locale};

/// Maximum characters of an officer's text that a sentence repeats: enough to recognise it, and an answer with 200 faults stays
/// small.
const SHOWN_MAX_CHARS: usize = 40;

/// The detail of a fault: the same in every language, such as a limit, or a text in each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// The same in every language; empty where the sentence needs no detail.
    Same(String),
    /// A text in each language.
    Each(Box<Labels>),
}

impl Detail {
    /// The text that `make` gives for each language.
    pub(crate) fn each(make: impl Fn(Hints, Locale) -> String) -> Self {
        let [pt, sw, en] = Locale::ALL.map(|locale| make(Hints::of(locale), locale));
        Self::Each(Box::new(Labels { pt, sw, en }))
    }

    /// The text in `locale`.
    pub(crate) fn get(&self, locale: Locale) -> &str {
        match self {
            Self::Same(text) => text,
            Self::Each(texts) => texts.get(locale),
        }
    }

    /// The bytes of its longest text.
    pub(super) fn size_bytes(&self) -> usize {
        Locale::ALL.into_iter().map(|locale| self.get(locale).len()).max().unwrap_or_default()
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Same(text)
    }
}

impl From<&str> for Detail {
    fn from(text: &str) -> Self {
        Self::Same(text.to_owned())
    }
}

impl From<&String> for Detail {
    fn from(text: &String) -> Self {
        Self::Same(text.clone())
    }
}

impl From<char> for Detail {
    fn from(letter: char) -> Self {
        Self::Same(letter.to_string())
    }
}

/// An officer's text as a sentence repeats it: its beginning, with what nobody sees as a code.
pub(crate) fn shown(unverified_text: &str) -> String {
    let mut shown = String::new();
    for c in unverified_text.chars().take(SHOWN_MAX_CHARS) {
        if crate::words::is_unseen(c) || c.is_control() {
            // Writing to a string never fails.
            let _ = write!(shown, "{}", code_point(c));
        } else {
            shown.push(c);
        }
    }
    if unverified_text.chars().nth(SHOWN_MAX_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// A character by its number: `U+202E`.
pub(crate) fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_unseen_texts_are_shown_short_and_seen() {
        assert_eq!(shown("branco"), "branco");
        assert_eq!(shown("a\u{202e}b\0"), "aU+202EbU+0000");
        assert_eq!(shown(&"x".repeat(10_000)).chars().count(), SHOWN_MAX_CHARS + 1);
    }
}
