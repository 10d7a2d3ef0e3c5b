//! The machine readable zone of a document in a draft: its digits must be right, because whoever reads the draft trusts them.

use crate::mrz::{CheckedField, MrzZone};

/// Why a zone is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MrzFault {
    /// The lines do not have the size of TD1, TD2, TD3 or a visa.
    Shape,
    /// This field's check digit is wrong.
    CheckDigit(CheckedField),
}

/// Reads a zone and checks its check digits.
///
/// # Errors
/// The first fault: the shape, or else the first field whose digit is wrong.
pub(crate) fn read(lines: &[&str]) -> Result<MrzZone, MrzFault> {
    let zone = MrzZone::read(lines).map_err(|_| MrzFault::Shape)?;
    match zone.wrong.first() {
        None => Ok(zone),
        Some(field) => Err(MrzFault::CheckDigit(*field)),
    }
}
