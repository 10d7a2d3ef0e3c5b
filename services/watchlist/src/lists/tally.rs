//! Hands records to the sink, and counts them.

use super::{
    ListError, NameQuality, Outcome, Record, RecordSink, SKIPPED_SHOWN_MAX, Skipped,
    limits::{ID_MAX_CHARS, NAME_MAX_CHARS, NAMES_MAX, REMARKS_MAX, TEXT_MAX_CHARS},
    text::{cut, shown},
};

/// The only way of a record to the sink: it bounds the record's lengths and counts what it has.
pub(crate) struct Tally<'a> {
    sink: &'a mut dyn RecordSink,
    outcome: Outcome,
    records: u64,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(sink: &'a mut dyn RecordSink) -> Self {
        Self { sink, outcome: Outcome { encoding: "UTF-8", ..Outcome::default() }, records: 0 }
    }

    /// Notes that the list has this section, even if no record follows.
    pub(crate) fn section(&mut self, name: &str) {
        self.outcome.sections.entry(name.to_owned()).or_default();
    }

    /// Hands a record of a section to the sink.
    ///
    /// # Errors
    /// When the sink does not take it.
    pub(crate) fn record(&mut self, section: &str, mut record: Record) -> Result<(), ListError> {
        if record.id.is_empty() || record.id.chars().count() > ID_MAX_CHARS {
            self.skip(
                record.line,
                None,
                format!("the record's id is empty or too long: {}", shown(&record.id)),
            );
            return Ok(());
        }
        if record.alias_of.as_ref().is_some_and(|id| id.chars().count() > ID_MAX_CHARS) {
            self.skip(record.line, Some(&record.id), "the id of the record that it adds to is too long");
            return Ok(());
        }
        self.bound(&mut record);
        // A row that only adds a birth date to another record is of use; a person without a name is not.
        let adds_birth = record.alias_of.is_some() && !record.births.is_empty();
        if record.names.is_empty() && record.documents.is_empty() && record.vehicles.is_empty() && !adds_birth
        {
            self.skip(record.line, Some(&record.id), "the record has no name, document or vehicle");
            return Ok(());
        }
        self.count(&record);
        self.records += 1;
        *self.outcome.sections.entry(section.to_owned()).or_default() += 1;
        self.sink.record(record)?;
        Ok(())
    }

    /// Tells the importing person that a record, or a part of one, is left out.
    pub(crate) fn skip(&mut self, line: u64, record: Option<&str>, reason: impl Into<String>) {
        self.outcome.counts.skipped += 1;
        if self.outcome.skipped.len() < SKIPPED_SHOWN_MAX {
            let record = record.map(|id| cut(id, ID_MAX_CHARS));
            self.outcome.skipped.push(Skipped { line, record, reason: reason.into() });
        }
    }

    /// Tells the importing person about the file as a whole.
    pub(crate) fn warn(&mut self, warning: impl Into<String>) {
        self.outcome.warnings.push(warning.into());
    }

    /// Notes how the list's bytes are written, and tells the importing person of what had to be guessed.
    pub(crate) fn encoding(&mut self, encoding: &'static str) {
        if encoding != "UTF-8" {
            self.warn(format!("the list is not UTF-8 and was read as {encoding}"));
        }
        self.outcome.encoding = encoding;
    }

    /// What to tell when the list has been read to its end.
    ///
    /// # Errors
    /// When no record was read: an empty file would take every alert out of force.
    pub(crate) fn finish(self) -> Result<Outcome, ListError> {
        if self.records == 0 { Err(ListError::Empty) } else { Ok(self.outcome) }
    }

    fn bound(&mut self, record: &mut Record) {
        let Record { names, births, documents, remarks, programs, reference, line, id, .. } = record;
        names.retain(|name| {
            let fits = name.full.chars().count() <= NAME_MAX_CHARS;
            if !fits {
                self.skip(
                    *line,
                    Some(id),
                    format!("a name is longer than {NAME_MAX_CHARS} letters: {}", shown(&name.full)),
                );
            }
            fits
        });
        if names.len() > NAMES_MAX {
            names.truncate(NAMES_MAX);
            self.skip(*line, Some(id), format!("the record has more than {NAMES_MAX} names"));
        }
        if names.iter().any(|name| name.full.contains(char::REPLACEMENT_CHARACTER)) {
            remarks.push("a name has lost letters before the list came here".to_owned());
        }
        for text in births.iter_mut().map(|birth| &mut birth.text).chain(programs).chain(reference) {
            *text = cut(text, TEXT_MAX_CHARS);
        }
        for document in documents {
            document.text = cut(&document.text, TEXT_MAX_CHARS);
            document.note = document.note.as_deref().map(|note| cut(note, TEXT_MAX_CHARS));
        }
        remarks.truncate(REMARKS_MAX);
    }

    fn count(&mut self, record: &Record) {
        let counts = &mut self.outcome.counts;
        match (&record.alias_of, record.is_organisation) {
            (Some(_), _) => {}
            (None, true) => counts.organisations += 1,
            (None, false) => counts.persons += 1,
        }
        for name in &record.names {
            match name.quality {
                NameQuality::Primary => {}
                NameQuality::Good => counts.aliases_good += 1,
                NameQuality::Weak => counts.aliases_weak += 1,
            }
        }
        for birth in &record.births {
            *counts.births.entry(birth.precision.as_str()).or_default() += 1;
        }
        counts.documents += record.documents.len() as u64;
        counts.ranges +=
            record.documents.iter().filter(|document| document.number_to.is_some()).count() as u64;
        counts.vehicles += record.vehicles.len() as u64;
    }
}
