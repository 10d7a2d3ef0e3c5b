//! Imported lists: the UN Security Council's consolidated XML, OFAC's SDN files, and a plain CSV.
//!
//! [`read`] reads a list from first to last byte and hands each [`Record`] to a [`RecordSink`] as soon as it is
//! complete; at no moment is a list in memory. What is wrong with a list has one of two consequences:
//!
//! | fault | consequence |
//! |---|---|
//! | the file is cut, is not what its kind should be, or is hostile | [`ListError`]: nothing of it may be used, the old list stays |
//! | one date, number, name or record is not understood | [`Skipped`] says line and reason; everything else is read |
//!
//! The sink gets records before the end of the file has been seen. It must therefore be able to drop them all when
//! [`read`] fails. It also finds two records with one id, because only it has all ids.

mod countries;
mod dates;
mod documents;
mod error;
mod fields;
mod limits;
mod lines;
mod ofac;
mod outcome;
mod plain;
mod record;
mod tally;
mod text;
mod un;

#[cfg(test)]
mod tests;

use std::{fmt, io::BufRead, str::FromStr};

pub(crate) use dates::to_iso as birth_text;
pub use error::{ListError, SinkError, UnknownSource};
pub use limits::{ALIASES_MAX_BYTES, RECORD_MAX_BYTES, SKIPPED_SHOWN_MAX};
pub use outcome::{Counts, Outcome, Skipped};
pub use plain::write_csv;
pub use record::{
    BirthPrecision, ListedBirth, ListedDocument, ListedName, ListedVehicle, NameQuality, Record,
};

/// The form in which a list is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListSource {
    /// The consolidated list of the United Nations Security Council, in XML.
    Un,
    /// The list of Specially Designated Nationals of the US Treasury's OFAC: `sdn.csv`, beside it `alt.csv`.
    Ofac,
    /// A CSV with this service's own columns, see [`write_csv`].
    Csv,
}

impl ListSource {
    /// The word for it on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Un => "un",
            Self::Ofac => "ofac",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for ListSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ListSource {
    type Err = UnknownSource;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "un" => Ok(Self::Un),
            "ofac" => Ok(Self::Ofac),
            "csv" => Ok(Self::Csv),
            _ => Err(UnknownSource(text::shown(word))),
        }
    }
}

/// Takes the records of a list one by one.
pub trait RecordSink {
    /// Takes one record.
    ///
    /// # Errors
    /// When the record cannot be stored. Reading then stops with [`ListError::Sink`].
    fn record(&mut self, record: Record) -> Result<(), SinkError>;
}

/// Reads a list and hands its records to `sink` in the order of the file.
///
/// `more` is OFAC's `alt.csv` (the aliases of good quality); the other kinds have no second file. It is read first,
/// and up to [`ALIASES_MAX_BYTES`] of it are kept in memory.
///
/// # Errors
/// When the list is refused whole. The records that `sink` has got by then must not be used.
pub fn read(
    source: ListSource,
    input: &mut dyn BufRead,
    more: Option<&mut dyn BufRead>,
    sink: &mut dyn RecordSink,
) -> Result<Outcome, ListError> {
    let mut tally = tally::Tally::new(sink);
    match (source, more) {
        (ListSource::Un, None) => un::read(input, &mut tally)?,
        (ListSource::Csv, None) => plain::read(input, &mut tally)?,
        (ListSource::Ofac, more) => ofac::read(input, more, &mut tally)?,
        (ListSource::Un | ListSource::Csv, Some(_)) => return Err(ListError::SecondFile { form: source }),
    }
    tally.finish()
}
