//! OFAC's list of Specially Designated Nationals: `sdn.csv` with twelve fields a line and no header, beside it
//! `alt.csv` with the aliases of good quality. Weak aliases, dates of birth and documents are in the remarks.

mod aliases;
mod remarks;

use std::io::BufRead;

use self::{aliases::Aliases, remarks::Remarks};
use super::{
    ListError, ListedName, NameQuality, Record, fields,
    lines::Lines,
    tally::Tally,
    text::{collapsed, shown, some},
};

const FIELDS: usize = 12;
const ENT_NUM: usize = 0;
const NAME: usize = 1;
const TYPE: usize = 2;
const PROGRAM: usize = 3;
const REMARKS: usize = 11;

/// What stands for nothing, in the files with a blank behind it.
const NULL: &str = "-0-";

/// Reads the list, and before it the file of aliases.
///
/// The aliases are kept in memory, by `ent_num`, rather than merged with the list line by line: both files are sorted
/// today, but OFAC does not promise it, and a merge of files that are not would lose aliases.
pub(super) fn read(
    input: &mut dyn BufRead,
    aliases: Option<&mut dyn BufRead>,
    tally: &mut Tally<'_>,
) -> Result<(), ListError> {
    let mut aliases = match aliases {
        Some(file) => Aliases::read(file, tally).map_err(|error| ListError::Aliases(Box::new(error)))?,
        None => {
            tally.warn("without the file of aliases, alt.csv, most names of the list are missing");
            Aliases::default()
        }
    };
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next()? {
        let fields = fields_of(&line.text, FIELDS).map_err(|reason| ListError::line(line.number, reason))?;
        read_record(&fields, line.number, &mut aliases, tally)?;
    }
    refuse_open(&lines)?;
    if !lines.has_end_mark() {
        tally.warn("the list does not end with the byte 0x1A, as OFAC's files do: its end may be missing");
    }
    tally.encoding(lines.encoding());
    aliases.tell_left(tally);
    Ok(())
}

/// Refuses a file whose last line has no end. OFAC ends each line; a line that is cut behind its last comma, or in a
/// null, still has all its fields.
fn refuse_open(lines: &Lines<'_>) -> Result<(), ListError> {
    if lines.is_open() { Err(ListError::Truncated { line: lines.number() }) } else { Ok(()) }
}

fn read_record(
    fields: &[String],
    line: u64,
    aliases: &mut Aliases,
    tally: &mut Tally<'_>,
) -> Result<(), ListError> {
    let field = |at: usize| fields.get(at).map(String::as_str).unwrap_or_default();
    let Ok(number) = field(ENT_NUM).parse::<u64>() else {
        tally.skip(line, None, format!("the record's number is none: {}", shown(field(ENT_NUM))));
        return Ok(());
    };
    let section = match field(TYPE) {
        "" => "entity".to_owned(),
        kind => collapsed(kind).to_lowercase(),
    };
    if !SECTIONS.contains(&section.as_str()) {
        tally.skip(line, Some(field(ENT_NUM)), format!("the type {} is not known", shown(field(TYPE))));
        return Ok(());
    }
    let mut record = Record {
        id: number.to_string(),
        is_organisation: section != "individual",
        programs: programs_of(field(PROGRAM)),
        line,
        ..Record::default()
    };
    record.names.extend(name_of(field(NAME), NameQuality::Primary, record.is_organisation));
    for alias in aliases.take(number) {
        record.names.extend(name_of(&alias, NameQuality::Good, record.is_organisation));
    }
    Remarks { record: &mut record, tally }.read(field(REMARKS));
    tally.record(&section, record)
}

/// The types of records. An organisation's is null.
const SECTIONS: [&str; 4] = ["individual", "entity", "vessel", "aircraft"];

/// The fields of a line, null ones empty.
fn fields_of(line: &str, expected: usize) -> Result<Vec<String>, String> {
    let mut fields = fields::split(line, ',')?;
    if fields.len() != expected {
        return Err(fields::wrong_number(fields.len(), expected));
    }
    for field in &mut fields {
        let value = field.trim();
        *field = if value == NULL { String::new() } else { value.to_owned() };
    }
    Ok(fields)
}

/// `SDNTK] [FTO] [SDGT`: the file leaves the outer brackets away.
fn programs_of(field: &str) -> Vec<String> {
    field.split(['[', ']']).filter_map(|program| some(&collapsed(program))).collect()
}

/// `SURNAME, Given, Jr.` of a person; the name of anything else has commas of its own ("CECOEX, S.A.").
fn name_of(field: &str, quality: NameQuality, is_organisation: bool) -> Option<ListedName> {
    let text = collapsed(field);
    if text.is_empty() {
        return None;
    }
    let mut parts = text.splitn(3, ',').map(str::trim);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(surname), Some(given), suffix)
            if !is_organisation && !surname.is_empty() && !given.is_empty() =>
        {
            Some(ListedName {
                full: collapsed(&format!("{given} {surname} {}", suffix.unwrap_or_default())),
                surname: some(surname),
                given: some(given),
                suffix: suffix.and_then(some),
                quality,
            })
        }
        _ => Some(ListedName::whole(text, quality)),
    }
}

#[cfg(test)]
mod tests;
