//! The findings of one check, as many as an answer shows.

use super::Finding;
use crate::limits::{FAULTS_SHOWN_MAX, FAULTS_SHOWN_MAX_BYTES};

/// The first findings of a check, and the number of the others. A finding can be far larger than the bytes that it is about, so
/// a check does not keep all of them.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Finding>,
    /// The bytes of the kept findings' pointers and details.
    size_bytes: usize,
    not_kept: u64,
}

impl Findings {
    /// Adds the finding that `make` makes: keeps it while there is room, else counts it without making it.
    pub(crate) fn push_with(&mut self, make: impl FnOnce() -> Finding) {
        if self.is_full() {
            self.count(1);
        } else {
            self.keep(make());
        }
    }

    /// Whether findings are counted only from now on.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= FAULTS_SHOWN_MAX || self.size_bytes >= FAULTS_SHOWN_MAX_BYTES
    }

    /// Counts findings that are not kept.
    pub(crate) fn count(&mut self, number: u64) {
        self.not_kept += number;
    }

    /// Adds a finding: keeps it while there is room, else counts it.
    pub(crate) fn push(&mut self, finding: Finding) {
        self.push_with(|| finding);
    }

    /// Keeps a finding even when there is no room: the one that ends a check.
    pub(crate) fn keep(&mut self, finding: Finding) {
        self.size_bytes += finding.size_bytes();
        self.kept.push(finding);
    }

    /// Adds a finding, if there is one.
    pub(crate) fn extend(&mut self, finding: Option<Finding>) {
        finding.into_iter().for_each(|finding| self.push(finding));
    }

    /// Puts a finding in the place of the one with the same pointer and code, if that was kept.
    pub(crate) fn replace(&mut self, finding: Finding) {
        let same = |kept: &&mut Finding| kept.at == finding.at && kept.code == finding.code;
        if let Some(kept) = self.kept.iter_mut().find(same) {
            self.size_bytes = self.size_bytes + finding.size_bytes() - kept.size_bytes();
            *kept = finding;
        }
    }

    /// Whether the check found nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The findings that were kept.
    pub(crate) fn kept(&self) -> &[Finding] {
        &self.kept
    }

    /// The number of the findings that were not kept.
    pub(crate) fn not_kept(&self) -> u64 {
        self.not_kept
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        let mut findings = Self::default();
        findings.push(finding);
        findings
    }
}

impl From<Findings> for Vec<Finding> {
    fn from(findings: Findings) -> Self {
        findings.kept
    }
}
