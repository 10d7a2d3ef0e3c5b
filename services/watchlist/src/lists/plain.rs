//! A plain CSV with this service's own columns, as an agency fills it in, or as [`write_csv`] writes it.
//!
//! | column | content |
//! |---|---|
//! | `id` | the list's own id of the row; no row may lack it |
//! | `surname`, `given`, `full` | the name; without `full` it is the given names and the surname |
//! | `alias_of` | the `id` of another row: this row adds a name or other particulars to that record |
//! | `quality` | of the name: `primary`, `good`, `weak`; `primary` if empty, in a row with `alias_of` `good` |
//! | `birth` | `1985-07-03`, `1985-07`, `1985`, `1951~` (about) or `1953/1958` (between): ISO 8601 alone |
//! | `sex` | `F`, `M`, `X` |
//! | `nationality` | codes or names of countries, with `\|` between them |
//! | `doc_type`, `doc_issuer`, `doc_number`, `doc_number_to` | a document, or a range of them |
//! | `plate`, `plate_country`, `vin` | a vehicle |
//!
//! The columns stand in any order and all but `id` may be missing. The separator is `,` or `;`. A record is one line;
//! the rows of one person need not be together, so each gives a [`Record`](super::Record) of its own.

mod columns;
mod row;
mod write;

use std::io::BufRead;

pub use self::write::write_csv;
use self::{columns::Header, row::Row};
use super::{ListError, lines::Lines, tally::Tally};

/// The rows that are records of their own.
const RECORDS: &str = "records";

/// The rows that add to another record.
const ALIASES: &str = "aliases";

/// Reads the list.
pub(super) fn read(input: &mut dyn BufRead, tally: &mut Tally<'_>) -> Result<(), ListError> {
    let mut lines = Lines::new(input);
    let Some(first) = lines.next()? else { return Err(ListError::Empty) };
    let header = Header::read(&first.text).map_err(|reason| ListError::line(first.number, reason))?;
    tally.section(RECORDS);
    tally.section(ALIASES);
    while let Some(line) = lines.next()? {
        let values = header.values(&line.text).map_err(|reason| ListError::line(line.number, reason))?;
        // A spreadsheet writes a row that was emptied as separators alone.
        if values.iter().all(String::is_empty) {
            continue;
        }
        let (record, faults) = Row::new(values).record(line.number);
        for fault in faults {
            tally.skip(line.number, Some(&record.id), fault);
        }
        let section = if record.alias_of.is_some() { ALIASES } else { RECORDS };
        tally.record(section, record)?;
    }
    if lines.is_open() {
        tally.warn(format!("line {}, the last one, has no end: the file may be cut", lines.number()));
    }
    tally.encoding(lines.encoding());
    Ok(())
}

#[cfg(test)]
mod tests;
