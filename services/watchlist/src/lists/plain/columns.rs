//! The columns of the CSV.

use crate::lists::{
    fields,
    text::{collapsed, shown},
};

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Surname,
    Given,
    Full,
    AliasOf,
    Quality,
    Birth,
    Sex,
    Nationality,
    DocType,
    DocIssuer,
    DocNumber,
    DocNumberTo,
    Plate,
    PlateCountry,
    Vin,
}

impl Column {
    /// All columns, in the order in which they are declared and written.
    pub(super) const ALL: [Self; 16] = [
        Self::Id,
        Self::Surname,
        Self::Given,
        Self::Full,
        Self::AliasOf,
        Self::Quality,
        Self::Birth,
        Self::Sex,
        Self::Nationality,
        Self::DocType,
        Self::DocIssuer,
        Self::DocNumber,
        Self::DocNumberTo,
        Self::Plate,
        Self::PlateCountry,
        Self::Vin,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Surname => "surname",
            Self::Given => "given",
            Self::Full => "full",
            Self::AliasOf => "alias_of",
            Self::Quality => "quality",
            Self::Birth => "birth",
            Self::Sex => "sex",
            Self::Nationality => "nationality",
            Self::DocType => "doc_type",
            Self::DocIssuer => "doc_issuer",
            Self::DocNumber => "doc_number",
            Self::DocNumberTo => "doc_number_to",
            Self::Plate => "plate",
            Self::PlateCountry => "plate_country",
            Self::Vin => "vin",
        }
    }
}

/// The values of a row, by column. A column that the file does not have is empty.
pub(super) type Values = [String; Column::ALL.len()];

/// The header of a file: its separator, and which column stands where.
pub(super) struct Header {
    separator: char,
    columns: Vec<Column>,
}

impl Header {
    /// Reads the first line.
    ///
    /// # Errors
    /// The reason, when a column is not known or stands there twice, or `id` is missing.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        // No column's name has either, so the one that is there is the separator.
        let separator = if line.contains(';') { ';' } else { ',' };
        let mut columns = Vec::new();
        for name in fields::split(line, separator)? {
            let known =
                Column::ALL.into_iter().find(|column| column.as_str().eq_ignore_ascii_case(name.trim()));
            let column = known.ok_or_else(|| format!("has a column that is not known: {}", shown(&name)))?;
            if columns.contains(&column) {
                return Err(format!("has the column {} twice", column.as_str()));
            }
            columns.push(column);
        }
        if columns.contains(&Column::Id) {
            Ok(Self { separator, columns })
        } else {
            Err("has no column id".to_owned())
        }
    }

    /// The values of a row.
    ///
    /// # Errors
    /// The reason, when the row has more or fewer fields than the header, or a quote that is open.
    pub(super) fn values(&self, line: &str) -> Result<Values, String> {
        let fields = fields::split(line, self.separator)?;
        if fields.len() != self.columns.len() {
            return Err(fields::wrong_number(fields.len(), self.columns.len()));
        }
        let mut values = Values::default();
        for (column, field) in self.columns.iter().zip(fields) {
            if let Some(value) = values.get_mut(*column as usize) {
                *value = without_guard(&collapsed(&field)).to_owned();
            }
        }
        Ok(values)
    }
}

/// Whether a spreadsheet would take the value for a formula, were it not for apostrophes before it.
fn is_formula(value: &str) -> bool {
    value.trim_start_matches('\'').starts_with(['=', '+', '-', '@'])
}

/// The value with an apostrophe before what a spreadsheet would take for a formula: a name in a foreign list must
/// not run on the machine of whoever opens an export.
pub(super) fn with_guard(value: &str) -> String {
    if is_formula(value) { format!("'{value}") } else { value.to_owned() }
}

/// The value without the apostrophe of [`with_guard`].
fn without_guard(value: &str) -> &str {
    if is_formula(value) { value.strip_prefix('\'').unwrap_or(value) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_declared_in_the_order_of_all() {
        for (place, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, place);
        }
    }

    #[test]
    fn formulas_are_guarded_and_come_back() {
        for value in ["=1+1", "-X", "'=x", "''@", "'ABD", "A-B", ""] {
            assert_eq!(without_guard(&with_guard(value)), value);
            assert!(!with_guard(value).starts_with(['=', '+', '-', '@']));
        }
    }
}
