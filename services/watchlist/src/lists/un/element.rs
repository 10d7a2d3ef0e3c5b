//! An XML element with its text and children, of bounded size.

use crate::lists::text::collapsed;

/// An element of a record.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    /// The line of its start tag.
    pub(super) line: u64,
    /// Its own text, with the white space of the file.
    pub(super) content: String,
    pub(super) elements: Vec<Element>,
}

impl Element {
    /// The children of this name.
    pub(super) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + use<'a> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    /// The text of the first child of this name, empty if there is none. Line breaks in it become blanks.
    pub(super) fn text(&self, name: &str) -> String {
        self.elements.iter().find(|element| element.name == name).map(Self::own_text).unwrap_or_default()
    }

    /// The element's own text. Line breaks in it become blanks.
    pub(super) fn own_text(&self) -> String {
        collapsed(&self.content)
    }
}
