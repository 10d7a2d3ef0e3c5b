//! Drafts as clients post them, and their checks.
//!
//! [`CheckedDraft`] is a draft as its author typed it, perhaps incomplete, with its faults. [`ValidDraft`] is a draft
//! without faults: only such a draft can be released.

mod address;
mod advice;
mod checker;
mod codes;
mod context;
mod faults;
mod header;
mod terms;
mod valid;

use serde_json::Value;

pub use advice::Advice;
pub(crate) use advice::Remark;
pub(crate) use checker::Checker;
pub use context::ValidationContext;
use faults::Faults;
pub use header::DraftHeader;
pub use valid::{EMERGENCY_CONFIRMED_WITHIN, SecondPersonReason, ValidDraft};

use crate::{
    CaseId, Fault, FaultCode, Identifier, Line, Locale, MessageType, Reserved, Status,
    fault::{Detail, Finding},
    json,
    pointer::Pointer,
    schema,
    view::View,
};

/// A draft as a client posted it, checked. Its type is known; everything else may be missing or wrong.
#[derive(Clone, Debug)]
pub struct CheckedDraft {
    message_type: MessageType,
    /// The JSON, with what is certain put right.
    value: Value,
    /// What was put right.
    put_right: Vec<Remark>,
    outcome: Result<ValidDraft, Faults>,
}

/// The faults of bytes that cannot be stored even as an incomplete draft: they are no JSON object of a known type, or too
/// large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoDraft(Faults);

impl NoDraft {
    /// The first [`FAULTS_SHOWN_MAX`](crate::limits::FAULTS_SHOWN_MAX) faults, with sentences in `locale`.
    pub fn faults(&self, locale: Locale) -> Vec<Fault> {
        self.0.in_words(locale)
    }

    /// The number of all faults.
    pub fn fault_count(&self) -> u64 {
        self.0.total()
    }
}

impl CheckedDraft {
    /// Reads a draft and makes every check.
    ///
    /// # Errors
    /// [`NoDraft`] when the bytes cannot be stored even as an incomplete draft.
    pub fn read(unverified_draft: &[u8], context: &ValidationContext<'_>) -> Result<Self, NoDraft> {
        let mut value = json::read(unverified_draft).map_err(|found| NoDraft(Faults::new(found)))?;
        let message_type = type_of(&value).map_err(|finding| NoDraft(finding.into()))?;
        let mut put_right = Vec::new();
        if let Some(body) = value.get_mut("body") {
            message_type.put_right(body, &Pointer::default().field("body"), &mut put_right);
        }
        let outcome = check(message_type, &value, context);
        Ok(Self { message_type, value, put_right, outcome })
    }

    /// The draft as it should be kept, where something in it was put right: a plate in lower case, for instance. `None` where the
    /// posted bytes can be kept. [`advice`](Self::advice) says what was put right.
    pub fn put_right(&self) -> Option<Vec<u8>> {
        // A JSON value always serialises.
        (!self.put_right.is_empty()).then(|| serde_json::to_vec(&self.value).unwrap_or_default())
    }

    /// The type of the message that the draft will become.
    pub fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// Actual, exercise or test; absent when the draft does not say.
    pub fn status(&self) -> Option<Status> {
        self.view().field("status").parsed()
    }

    /// The code by which lists tell drafts of the type apart, as far as it can be read.
    pub fn facet(&self) -> Option<String> {
        self.message_type.facet_of(&self.view().field("body"))
    }

    /// The sender's own file number, as far as it can be read.
    pub fn reference(&self) -> Option<Line> {
        self.view().field("reference").parsed()
    }

    /// By what it is seen to be about the same persons and things as another, as far as it can be read.
    pub fn identifiers(&self) -> Vec<Identifier> {
        let body = self.view().field("body");
        let mut identifiers =
            body.value().map(|body| self.message_type.identifiers(body)).unwrap_or_default();
        for identifier in &mut identifiers {
            identifier.pointer.insert_str(0, "/body");
        }
        identifiers
    }

    /// Every reason why a second person must release it, the weightiest first.
    pub fn second_person_reasons(&self) -> Vec<SecondPersonReason> {
        valid::second_person_reasons(self.message_type, &self.view())
    }

    /// Whom it is reserved for.
    pub fn reserved(&self) -> Reserved {
        self.message_type.reserved(&self.view().field("body"))
    }

    /// Whether it asks nothing but what a database of its recipient answers: then an agency's own system may send it.
    pub fn is_direct(&self) -> bool {
        self.message_type.is_direct(&self.view().field("body"))
    }

    /// Whether its author wants to release it alone although a second person is required.
    pub fn is_emergency(&self) -> bool {
        self.view().field("terms").field("emergency").is_there()
    }

    /// The case that it follows in, as far as it can be read.
    pub fn case(&self) -> Option<CaseId> {
        self.view().field("case").value().and_then(|case| serde_json::from_value(case.clone()).ok())
    }

    /// Its first [`FAULTS_SHOWN_MAX`](crate::limits::FAULTS_SHOWN_MAX) faults in the order of their pointers, with sentences in
    /// `locale`; none when it is valid.
    pub fn faults(&self, locale: Locale) -> Vec<Fault> {
        self.outcome.as_ref().map_or_else(|faults| faults.in_words(locale), |_| Vec::new())
    }

    /// The number of all its faults.
    pub fn fault_count(&self) -> u64 {
        self.outcome.as_ref().map_or_else(Faults::total, |_| 0)
    }

    /// Passages that the author should read again before release: what was put right, names and plates that nobody will find, and
    /// free text that seems to contain data which this exchange does not carry (domain 4). It is advice and no fault, because
    /// it may be right as it is.
    pub fn advice(&self, locale: Locale) -> Vec<Advice> {
        let mut remarks = self.put_right.clone();
        self.message_type.remark(&self.view().field("body"), &mut remarks);
        advice::of(&self.value, remarks, locale)
    }

    /// The draft, when it has no fault.
    pub fn valid(&self) -> Option<&ValidDraft> {
        self.outcome.as_ref().ok()
    }

    /// The draft, when it has no fault.
    ///
    /// # Errors
    /// Its [`faults`](Self::faults), with sentences in `locale`.
    pub fn into_valid(self, locale: Locale) -> Result<ValidDraft, Vec<Fault>> {
        self.outcome.map_err(|faults| faults.in_words(locale))
    }

    fn view(&self) -> View<'_> {
        View::root(&self.value)
    }
}

/// The type of a draft, which decides which schema and rules apply. Only operational messages are drafted.
fn type_of(draft: &Value) -> Result<MessageType, Finding> {
    let known = || MessageType::operational().map(MessageType::as_str).collect::<Vec<_>>().join(", ");
    let view = View::root(draft).field("type");
    if !draft.is_object() {
        let object = Detail::each(|hints, _| hints.type_object().to_owned());
        return Err(Finding::with(&Pointer::default(), FaultCode::WrongType, object));
    }
    if !view.is_there() {
        return Err(Finding::with(&view.at, FaultCode::MissingField, "type"));
    }
    let parsed = view.parsed::<MessageType>().filter(|kind| kind.class().is_operational());
    parsed.ok_or_else(|| Finding::with(&view.at, FaultCode::UnknownValue, known()))
}

fn check(
    message_type: MessageType,
    value: &Value,
    context: &ValidationContext<'_>,
) -> Result<ValidDraft, Faults> {
    let mut found = schema::draft_faults(message_type, value);
    let mut checker =
        Checker { draft: View::root(value), message_type, context, found: &mut found, within: None };
    address::check(&mut checker);
    codes::check(&mut checker);
    terms::check(&mut checker);
    message_type.check_draft(&mut checker);
    if !found.is_empty() {
        return Err(Faults::new(found));
    }
    ValidDraft::read(message_type, value).map_err(Faults::from)
}
