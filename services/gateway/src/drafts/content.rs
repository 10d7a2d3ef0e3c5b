//! The content of a draft: its bytes, and the result of checking them.

use rovuma_policy::Context;
use rovuma_schemas::{AgencyCode, CheckedDraft, Reserved, Timestamp, ValidDraft, ValidationContext};

use super::{Drafts, Refusal};
use crate::cases::identifiers::StoredIdentifier;

/// Checked content, with or without faults.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    bytes: Vec<u8>,
    checked: CheckedDraft,
    identifiers: Vec<StoredIdentifier>,
}

impl Drafts {
    /// Checks a draft of `sender` as it was posted. Content with faults can be kept, but not sent.
    pub(crate) fn check(
        &self,
        sender: &AgencyCode,
        unverified_bytes: &[u8],
        now: Timestamp,
    ) -> Result<Content, Refusal> {
        let agencies = self.directory.current(&self.exchange.trust);
        let context = ValidationContext { now, sender, agencies: &agencies, lists: &self.codes };
        let checked = CheckedDraft::read(unverified_bytes, &context).map_err(Refusal::NoDraft)?;
        let bytes = checked.put_right().unwrap_or_else(|| unverified_bytes.to_vec());
        let identifiers = checked.identifiers().into_iter().map(StoredIdentifier::from).collect();
        Ok(Content { bytes, checked, identifiers })
    }
}

impl Content {
    /// The result of the check.
    pub(crate) fn checked(&self) -> &CheckedDraft {
        &self.checked
    }

    /// What it is about.
    pub(super) fn identifiers(&self) -> &[StoredIdentifier] {
        &self.identifiers
    }

    /// By what its duplicates are found; nothing of a type that has none.
    pub(super) fn compared(&self) -> &[StoredIdentifier] {
        if self.checked.message_type().has_duplicates() { &self.identifiers } else { &[] }
    }

    /// The draft, when it has no fault.
    pub(crate) fn valid(&self) -> Result<&ValidDraft, Refusal> {
        self.checked.valid().ok_or_else(|| Refusal::Faulty(Box::new(self.clone())))
    }

    /// The weightiest reason why a second person must release it.
    pub(crate) fn second_person(&self) -> Option<&'static str> {
        self.checked.second_person_reasons().first().map(|reason| reason.as_str())
    }

    /// The circumstances of its release: whether a second person is required, and whether a database answers the request that it
    /// follows in.
    pub(crate) fn release_context(&self, second_person: bool, is_case_direct: bool) -> Context {
        Context::release(second_person)
            .that_a_database_answers(is_case_direct || self.checked.is_direct())
            .in_emergency(self.checked.is_emergency())
            .that_cannot_wait(self.checked.reserved() == Reserved::CannotWait)
    }

    /// The bytes as posted, or with what is certain put right.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as posted, or with what is certain put right.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
