//! Cursors: where a search goes on.
//!
//! A cursor names the last entry given and the end of the log as it was when the search began, so that its
//! pages are those of that moment however the log grows meanwhile (every page that is asked for makes it grow).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::digest;

/// Where a search stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The last entry given.
    pub(super) after: u64,
    /// How long the log was when the search began.
    pub(super) end: u64,
}

/// Enough to notice that a cursor is used with another search; it protects nothing.
const BINDING: usize = 8;

/// A search that cursors belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search([u8; BINDING]);

impl Search {
    /// The search described by `text`: whose log, which filters, which order.
    pub(super) fn described(text: &str) -> Self {
        let whole = digest(text.as_bytes());
        let mut binding = [0; BINDING];
        binding.copy_from_slice(&whole.as_bytes()[..BINDING]);
        Self(binding)
    }

    /// The cursor as callers get it.
    pub(super) fn write(&self, cursor: Cursor) -> String {
        let mut bytes = self.0.to_vec();
        bytes.extend_from_slice(&cursor.after.to_be_bytes());
        bytes.extend_from_slice(&cursor.end.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor; `None` when it is not one of this search.
    pub(super) fn read(&self, text: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (after, end) = bytes.strip_prefix(&self.0)?.split_first_chunk()?;
        let cursor =
            Cursor { after: u64::from_be_bytes(*after), end: u64::from_be_bytes(end.try_into().ok()?) };
        i64::try_from(cursor.after.max(cursor.end)).is_ok().then_some(cursor)
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_cursor_reads_back_for_its_own_search_only() {
        let (search, other) = (Search::described("mz.prm newest"), Search::described("mz.prm oldest"));
        let cursor = Cursor { after: 41, end: 99 };
        let text = search.write(cursor);
        assert_eq!(search.read(&text), Some(cursor));
        assert_eq!(other.read(&text), None);
        for text in ["", "%%%", &format!("{text}AA"), &search.write(Cursor { after: u64::MAX, end: 1 })] {
            assert_eq!(search.read(text), None, "{text:?} was taken");
        }
    }
}
