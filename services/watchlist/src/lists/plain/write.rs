//! Writes records as the CSV.

use super::columns::{Column, Values, with_guard};
use crate::lists::{Record, dates, text::collapsed};

/// Writes records in the form that [`ListSource::Csv`](crate::lists::ListSource::Csv) reads.
///
/// Records that were read from such a CSV come back unchanged. Of other lists' records, what a row has no place for
/// goes into further rows with `alias_of`; what the CSV has no columns for is lost: suffixes, programmes, references,
/// notes, remarks, dates in words, marks of misuse, and that a record is an organisation. Text that a spreadsheet
/// would take for a formula gets an apostrophe, which reading takes away. The byte order mark makes spreadsheets read
/// and save UTF-8.
pub fn write_csv<'r>(records: impl IntoIterator<Item = &'r Record>) -> String {
    let mut csv = String::from("\u{feff}");
    write_line(&mut csv, Column::ALL.iter().map(|column| (*column).as_str()));
    for record in records {
        for row in rows_of(record) {
            write_line(&mut csv, row.iter().map(String::as_str));
        }
    }
    csv
}

/// The record's rows: a row has one name, birth date, document and vehicle.
fn rows_of(record: &Record) -> impl Iterator<Item = Values> {
    let births: Vec<String> = record.births.iter().filter_map(dates::to_iso).collect();
    let lengths = [record.names.len(), births.len(), record.documents.len(), record.vehicles.len()];
    (0..lengths.into_iter().max().unwrap_or_default().max(1)).map(move |at| {
        let mut row = Values::default();
        let mut set = |column: Column, value: Option<&str>| {
            if let Some(field) = row.get_mut(column as usize) {
                *field = with_guard(&collapsed(value.unwrap_or_default()));
            }
        };
        if at == 0 {
            set(Column::Id, Some(&record.id));
            set(Column::AliasOf, record.alias_of.as_deref());
            set(Column::Sex, record.sex.map(String::from).as_deref());
            set(Column::Nationality, Some(&record.nationalities.join("|")));
        } else {
            set(Column::Id, Some(&format!("{}#{at}", record.id)));
            set(Column::AliasOf, Some(record.alias_of.as_ref().unwrap_or(&record.id)));
        }
        if let Some(name) = record.names.get(at) {
            set(Column::Surname, name.surname.as_deref());
            set(Column::Given, name.given.as_deref());
            set(Column::Full, Some(&name.full));
            set(Column::Quality, Some(name.quality.as_str()));
        }
        set(Column::Birth, births.get(at).map(String::as_str));
        if let Some(document) = record.documents.get(at) {
            set(Column::DocType, Some(&document.document_type));
            set(Column::DocIssuer, document.issuer.as_deref());
            set(Column::DocNumber, Some(document.number.as_ref().unwrap_or(&document.text)));
            set(Column::DocNumberTo, document.number_to.as_deref());
        }
        if let Some(vehicle) = record.vehicles.get(at) {
            set(Column::Plate, vehicle.plate.as_deref());
            set(Column::PlateCountry, vehicle.plate_country.as_deref());
            set(Column::Vin, vehicle.vin.as_deref());
        }
        row
    })
}

fn write_line<'v>(csv: &mut String, values: impl Iterator<Item = &'v str>) {
    for (at, value) in values.enumerate() {
        if at > 0 {
            csv.push(',');
        }
        if value.contains([',', '"']) {
            csv.push('"');
            csv.push_str(&value.replace('"', "\"\""));
            csv.push('"');
        } else {
            csv.push_str(value);
        }
    }
    csv.push_str("\r\n");
}
