//! The file of aliases, `alt.csv`: number of the record, number of the alias, its type, the name, remarks.

use std::{collections::BTreeMap, io::BufRead};

use super::{fields_of, refuse_open};
use crate::lists::{
    ALIASES_MAX_BYTES, ListError,
    limits::{ALIAS_OVERHEAD_BYTES, NAMES_MAX},
    lines::Lines,
    tally::Tally,
    text::shown,
};

const FIELDS: usize = 5;
const ENT_NUM: usize = 0;
const NAME: usize = 3;

/// The aliases that no record has taken yet.
#[derive(Default)]
pub(super) struct Aliases {
    by_number: BTreeMap<u64, Vec<Alias>>,
}

struct Alias {
    line: u64,
    name: Box<str>,
}

impl Aliases {
    /// Reads the file.
    ///
    /// # Errors
    /// When the file is refused, or larger than is kept in memory.
    pub(super) fn read(file: &mut dyn BufRead, tally: &mut Tally<'_>) -> Result<Self, ListError> {
        let mut aliases = Self::default();
        let mut lines = Lines::new(file);
        let mut kept_bytes = 0;
        while let Some(line) = lines.next()? {
            let fields =
                fields_of(&line.text, FIELDS).map_err(|reason| ListError::line(line.number, reason))?;
            let (Some(number), Some(name)) = (fields.get(ENT_NUM), fields.get(NAME)) else { continue };
            kept_bytes += name.len() + ALIAS_OVERHEAD_BYTES;
            if kept_bytes > ALIASES_MAX_BYTES {
                return Err(ListError::too_many_aliases(line.number));
            }
            match number.parse::<u64>() {
                Ok(number) => {
                    let alias = Alias { line: line.number, name: name.as_str().into() };
                    let names = aliases.by_number.entry(number).or_default();
                    // Less than the names of a record, which has one of its own.
                    if names.len() + 1 < NAMES_MAX {
                        names.push(alias);
                    } else {
                        tell(tally, line.number, &format!("record {number} has more than {NAMES_MAX} names"));
                    }
                }
                Err(_) => {
                    tell(tally, line.number, &format!("the record's number is none: {}", shown(number)))
                }
            }
        }
        refuse_open(&lines)?;
        if lines.encoding() != "UTF-8" {
            tally.warn(format!("the file of aliases is not UTF-8 and was read as {}", lines.encoding()));
        }
        Ok(aliases)
    }

    /// The aliases of a record, in the order of the file.
    pub(super) fn take(&mut self, number: u64) -> impl Iterator<Item = Box<str>> {
        self.by_number.remove(&number).unwrap_or_default().into_iter().map(|alias| alias.name)
    }

    /// Tells the importing person of aliases whose record is not in the list.
    pub(super) fn tell_left(self, tally: &mut Tally<'_>) {
        for (number, aliases) in self.by_number {
            for alias in aliases {
                tell(
                    tally,
                    alias.line,
                    &format!("the list has no record {number} for the name {}", shown(&alias.name)),
                );
            }
        }
    }
}

fn tell(tally: &mut Tally<'_>, line: u64, reason: &str) {
    tally.skip(line, None, format!("file of aliases: {reason}"));
}
