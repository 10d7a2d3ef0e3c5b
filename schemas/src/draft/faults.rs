//! The faults of a draft, as many as an answer shows.

use crate::{
    Fault, FaultCode, Locale,
    fault::{self, Finding, Findings},
};

/// The first faults of a draft, and the number of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Faults {
    /// At most [`FAULTS_SHOWN_MAX`](crate::limits::FAULTS_SHOWN_MAX), in the order of their pointers, each once.
    shown: Vec<Finding>,
    total: u64,
}

impl Faults {
    /// Sorts the findings of a check.
    pub(super) fn new(findings: Findings) -> Self {
        let not_kept = findings.not_kept();
        let mut shown: Vec<Finding> = findings.into();
        shown.sort();
        shown.dedup();
        without_consequences(&mut shown);
        Self { total: shown.len() as u64 + not_kept, shown }
    }

    /// The faults, with sentences in `locale`.
    pub(super) fn in_words(&self, locale: Locale) -> Vec<Fault> {
        fault::in_words(self.shown.clone(), locale)
    }

    /// The number of all faults, also of those that are not shown.
    pub(super) fn total(&self) -> u64 {
        self.total
    }
}

/// Removes what rules found in and below a value of another type: they looked for its fields in vain, and one mistake is one fault.
fn without_consequences(findings: &mut Vec<Finding>) {
    let misshapen: Vec<_> = findings
        .iter()
        .filter(|finding| finding.code == FaultCode::WrongType)
        .map(|finding| finding.at.clone())
        .collect();
    findings.retain(|finding| {
        finding.code == FaultCode::WrongType || !misshapen.iter().any(|place| finding.at.is_within(place))
    });
}

impl From<Finding> for Faults {
    fn from(finding: Finding) -> Self {
        Self::new(finding.into())
    }
}
