//! Why a list is refused whole.

use std::io;

use thiserror::Error;

use super::{
    ListSource,
    limits::{ALIASES_MAX_BYTES, RECORD_MAX_BYTES},
};

/// Why a list is refused whole. The list that was imported before stays in force.
#[derive(Debug, Error)]
pub enum ListError {
    /// A line is not what the list's form asks for.
    #[error("line {line} {reason}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong, as the predicate of a sentence about the line: "has 1 field of 12".
        reason: String,
    },
    /// The file ends before the list does: a download broke off.
    #[error("line {line}: the file ends before the list does")]
    Truncated {
        /// The last line that is there.
        line: u64,
    },
    /// The XML has a document type declaration. It can define entities, which grow without bound; no list needs one.
    #[error("line {line} has a DOCTYPE, which is refused")]
    Doctype {
        /// The line, from 1.
        line: u64,
    },
    /// A record, or what stands outside of records, is longer than any honest list needs.
    #[error("the record at line {line} is longer than {limit} bytes")]
    TooLong {
        /// The line where the record begins, or where the limit was reached.
        line: u64,
        /// The limit, [`RECORD_MAX_BYTES`].
        limit: usize,
    },
    /// The second file, which is kept in memory, is too long.
    #[error("line {line} makes it longer than {limit} bytes")]
    TooManyAliases {
        /// The line of the second file, from 1.
        line: u64,
        /// The limit, [`ALIASES_MAX_BYTES`].
        limit: usize,
    },
    /// The second file is refused.
    #[error("the file of aliases: {0}")]
    Aliases(#[source] Box<ListError>),
    /// The form of this source has no second file.
    #[error("a list of the form {form} has no second file")]
    SecondFile {
        /// The form of the list.
        form: ListSource,
    },
    /// The file has no records.
    #[error("the list has no records")]
    Empty,
    /// The file could not be read.
    #[error("the list could not be read")]
    Io(#[from] io::Error),
    /// The sink did not take a record.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

impl ListError {
    pub(super) fn line(line: u64, reason: impl Into<String>) -> Self {
        Self::Line { line, reason: reason.into() }
    }

    pub(super) fn too_long(line: u64) -> Self {
        Self::TooLong { line, limit: RECORD_MAX_BYTES }
    }

    pub(super) fn too_many_aliases(line: u64) -> Self {
        Self::TooManyAliases { line, limit: ALIASES_MAX_BYTES }
    }
}

/// Why a sink did not take a record.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the record could not be stored: {0}")]
pub struct SinkError(pub String);

/// A word that names no [`ListSource`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the source of a list is un, ofac or csv, not {0}")]
pub struct UnknownSource(pub(super) String);
