//! One row of the CSV as a record.

use rovuma_schemas::subjects::NumberSeries;

use super::columns::{Column, Values};
use crate::lists::{
    ListedBirth, ListedDocument, ListedName, ListedVehicle, NameQuality, Record, countries, dates,
    documents::{self, OTHER},
    limits::{PLATE_MAX_CHARS, VIN_CHARS},
    text::{collapsed, letters_and_digits, shown, some},
};

/// A row whose values are being read.
pub(super) struct Row {
    values: Values,
    faults: Vec<String>,
}

impl Row {
    pub(super) fn new(values: Values) -> Self {
        Self { values, faults: Vec::new() }
    }

    /// The record, and what of it was left out because it is not understood.
    pub(super) fn record(mut self, line: u64) -> (Record, Vec<String>) {
        let mut record = Record {
            id: self.value(Column::Id).to_owned(),
            alias_of: some(self.value(Column::AliasOf)),
            names: self.name().into_iter().collect(),
            births: self.birth().into_iter().collect(),
            sex: self.sex(),
            nationalities: self.nationalities(),
            documents: self.document().into_iter().collect(),
            vehicles: self.vehicle().into_iter().collect(),
            line,
            ..Record::default()
        };
        record.remarks.clone_from(&self.faults);
        (record, self.faults)
    }

    fn value(&self, column: Column) -> &str {
        self.values.get(column as usize).map(String::as_str).unwrap_or_default()
    }

    fn fault(&mut self, column: Column, reason: &str) {
        self.faults.push(format!("{} {} {reason}", column.as_str(), shown(self.value(column))));
    }

    fn name(&mut self) -> Option<ListedName> {
        let (surname, given) = (self.value(Column::Surname), self.value(Column::Given));
        let full = match self.value(Column::Full) {
            "" => collapsed(&format!("{given} {surname}")),
            full => full.to_owned(),
        };
        let (surname, given) = (some(surname), some(given));
        if full.is_empty() {
            return None;
        }
        let quality = self.quality();
        Some(ListedName { full, surname, given, suffix: None, quality })
    }

    fn quality(&mut self) -> NameQuality {
        let is_alias = !self.value(Column::AliasOf).is_empty();
        let usual = if is_alias { NameQuality::Good } else { NameQuality::Primary };
        match self.value(Column::Quality).to_ascii_lowercase().as_str() {
            "" => usual,
            "primary" if !is_alias => NameQuality::Primary,
            "good" => NameQuality::Good,
            "weak" => NameQuality::Weak,
            "primary" => {
                self.fault(Column::Quality, "is not what an alias is: write good or weak");
                usual
            }
            _ => {
                self.fault(Column::Quality, "is not understood: write primary, good or weak");
                usual
            }
        }
    }

    fn birth(&mut self) -> Option<ListedBirth> {
        let value = self.value(Column::Birth);
        if value.is_empty() {
            return None;
        }
        let birth = dates::from_iso(value);
        if birth.is_none() {
            // 07/03/1985 is the third of July or the seventh of March. Nobody but the author knows.
            self.fault(Column::Birth, "is no ISO date: write 1985-07-03, 1985-07 or 1985");
        }
        birth
    }

    fn sex(&mut self) -> Option<char> {
        match self.value(Column::Sex).to_ascii_uppercase().as_str() {
            "" => None,
            "F" => Some('F'),
            "M" => Some('M'),
            "X" => Some('X'),
            _ => {
                self.fault(Column::Sex, "is not understood: write F, M or X");
                None
            }
        }
    }

    fn nationalities(&mut self) -> Vec<String> {
        let mut codes: Vec<String> = Vec::new();
        let values = self.value(Column::Nationality).to_owned();
        for value in values.split('|').map(str::trim).filter(|value| !value.is_empty()) {
            match countries::code(value) {
                Some(code) if codes.iter().any(|known| known == code) => {}
                Some(code) => codes.push(code.to_owned()),
                None => self.fault(
                    Column::Nationality,
                    "is not understood: write codes such as MOZ, with | between them",
                ),
            }
        }
        codes
    }

    fn country(&mut self, column: Column) -> Option<String> {
        let value = self.value(column);
        let code = countries::code(value).map(str::to_owned);
        if code.is_none() && !value.is_empty() {
            self.fault(column, "is not understood: write a code such as MOZ");
        }
        code
    }

    fn document(&mut self) -> Option<ListedDocument> {
        let kind = self.value(Column::DocType).to_owned();
        let document_type = documents::document_type(&kind);
        if document_type == OTHER && !kind.is_empty() && !kind.eq_ignore_ascii_case(OTHER) {
            self.fault(Column::DocType, "is not a known type: the document is taken as other");
        }
        let issuer = self.country(Column::DocIssuer);
        let text = self.value(Column::DocNumber).to_owned();
        if text.is_empty() {
            if !kind.is_empty() || issuer.is_some() || !self.value(Column::DocNumberTo).is_empty() {
                self.fault(Column::DocNumber, "is missing: the document is left out");
            }
            return None;
        }
        let number = documents::whole_number(&text);
        if number.is_none() {
            self.fault(Column::DocNumber, "is no number alone: a person must read it");
        }
        let number_to = number.as_deref().and_then(|number| self.number_to(number));
        let text = match (&number, &number_to) {
            (Some(number), Some(number_to)) => format!("{number} to {number_to}"),
            (Some(number), None) => number.clone(),
            (None, _) => text,
        };
        let document_type = document_type.to_owned();
        Some(ListedDocument { document_type, number, number_to, issuer, note: None, is_misused: false, text })
    }

    /// The last number of a range. It has the form of the first, else nobody knows which numbers are between them.
    fn number_to(&mut self, from: &str) -> Option<String> {
        let value = self.value(Column::DocNumberTo);
        if value.is_empty() {
            return None;
        }
        let to = documents::whole_number(value)
            .filter(|to| NumberSeries::new(from, to).is_some_and(|_| to.as_str() >= from));
        if to.is_none() {
            self.fault(
                Column::DocNumberTo,
                "is not the end of a range: it has the length of doc_number and what stands before its digits, and is not before it",
            );
        }
        to
    }

    fn vehicle(&mut self) -> Option<ListedVehicle> {
        let plate =
            self.key(Column::Plate, "is no plate", |plate| (1..=PLATE_MAX_CHARS).contains(&plate.len()));
        let plate_country = self.country(Column::PlateCountry);
        let vin = self.key(Column::Vin, "is no VIN or frame number of 8 to 17 characters", |vin| {
            let is_one_letter = vin.bytes().all(|byte| vin.as_bytes().first() == Some(&byte));
            VIN_CHARS.contains(&vin.len()) && !is_one_letter
        });
        if plate.is_none() && vin.is_none() {
            return None;
        }
        Some(ListedVehicle { plate, plate_country, vin })
    }

    fn key(&mut self, column: Column, reason: &str, is_valid: impl Fn(&str) -> bool) -> Option<String> {
        let value = self.value(column);
        if value.is_empty() {
            return None;
        }
        let key = letters_and_digits(value).filter(|key| is_valid(key));
        if key.is_none() {
            self.fault(column, reason);
        }
        key
    }
}
