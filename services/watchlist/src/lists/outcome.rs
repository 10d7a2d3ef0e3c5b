//! What the import of a list tells the person who imports it.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a list had, when it was read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// How many there are of what.
    pub counts: Counts,
    /// The first [`SKIPPED_SHOWN_MAX`](super::SKIPPED_SHOWN_MAX) of what was not understood.
    pub skipped: Vec<Skipped>,
    /// How the file's bytes are written: `UTF-8` or `Windows-1252`.
    pub encoding: &'static str,
    /// How many records each section of the list has, also those with none: `individuals`, `entities` …
    pub sections: BTreeMap<String, u64>,
    /// What the person should know about the file as a whole.
    pub warnings: Vec<String>,
}

/// How many there are of what in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Persons that the list names.
    pub persons: u64,
    /// Organisations, ships and aircraft.
    pub organisations: u64,
    /// Aliases that identify.
    pub aliases_good: u64,
    /// Aliases that never hit alone.
    pub aliases_weak: u64,
    /// Dates of birth by their precision.
    pub births: BTreeMap<&'static str, u64>,
    /// Documents and numbers of identity; a range counts as one.
    pub documents: u64,
    /// Ranges among the documents.
    pub ranges: u64,
    /// Vehicles that the list names.
    pub vehicles: u64,
    /// Records, and parts of records, that were left out.
    pub skipped: u64,
}

/// A record, or a part of one, that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The line where it stands, from 1.
    pub line: u64,
    /// The record's id, if it has one. When only a part was left out, the record itself was kept.
    pub record: Option<String>,
    /// What was left out and why, with its text as the list has it.
    pub reason: String,
}
