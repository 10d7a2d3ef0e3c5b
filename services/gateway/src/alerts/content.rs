//! The content of a draft: bytes that were found valid, and what the rules say of them.

use rovuma_runtime::{Problem, ProblemFault};
use rovuma_schemas::{AgencyCode, AlertDraft, Fault, Locale, Timestamp, ValidDraft, ValidationContext};

use crate::{gateway::Gateway, http::error::ApiError};

/// Content that was valid when it was checked.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    bytes: Vec<u8>,
    valid: ValidDraft,
}

impl Content {
    /// Checks a draft of `sender` as it was posted.
    ///
    /// # Errors
    /// 422 `draft_faulty` with every fault at its JSON pointer, in the caller's language.
    pub(crate) fn check(
        gateway: &Gateway,
        sender: &AgencyCode,
        unverified_bytes: &[u8],
        locale: Locale,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let agencies = gateway.directory.of(&gateway.trust);
        let context = ValidationContext { now, sender, agencies: &agencies, lists: &gateway.lists };
        match AlertDraft::parse(unverified_bytes, &context, locale) {
            Ok(valid) => Ok(Self { bytes: unverified_bytes.to_vec(), valid }),
            Err(faults) => Err(faulty(faults).into()),
        }
    }

    /// The draft, every rule met.
    pub(crate) fn valid(&self) -> &ValidDraft {
        &self.valid
    }

    /// The alert's category.
    pub(crate) fn category(&self) -> &'static str {
        self.valid.category().as_str()
    }

    /// In earnest, exercise or test.
    pub(crate) fn status(&self) -> &'static str {
        self.valid.status().as_str()
    }

    /// Why a second person must release it.
    pub(crate) fn second_person(&self) -> Option<&'static str> {
        self.valid.needs_second_person().map(|reason| reason.as_str())
    }

    /// The bytes as posted.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

fn faulty(faults: Vec<Fault>) -> Problem {
    let count = faults.len();
    let items = faults.into_iter().map(|fault| ProblemFault {
        pointer: fault.pointer,
        code: fault.code.as_str().to_owned(),
        message: fault.message,
    });
    Problem::unprocessable("draft_faulty", items).detail(format!("faults: {count}"))
}
