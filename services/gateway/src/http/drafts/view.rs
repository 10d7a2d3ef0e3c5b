//! A draft as the API shows it.

use rovuma_api::answers::gateway::{AdviceView, DraftView};
use rovuma_runtime::{ProblemDuplicates, ProblemFault};
use rovuma_schemas::{Advice, CheckedDraft, Fault, Locale, SecondPersonReason};
use serde_json::value::RawValue;

use crate::{
    drafts::{content::Content, draft::Draft},
    error::DbError,
};

/// The parts of a draft's view that its content determines. Making them takes time, so a route makes them outside the store's
/// transaction.
pub(crate) struct ContentView {
    content: Box<RawValue>,
    second_person_reasons: Vec<String>,
    faults: Vec<ProblemFault>,
    faults_total: u64,
    advice: Vec<AdviceView>,
    duplicates: Option<ProblemDuplicates>,
}

impl ContentView {
    /// Views checked content and its duplicates, with sentences in `locale`.
    pub(crate) fn new(
        content: &Content,
        duplicates: Option<ProblemDuplicates>,
        locale: Locale,
    ) -> Result<Self, DbError> {
        let text = std::str::from_utf8(content.bytes()).map_err(|fault| DbError::damaged("draft", fault))?;
        let checked = content.checked();
        Ok(Self {
            content: RawValue::from_string(text.to_owned())
                .map_err(|fault| DbError::damaged("draft", fault))?,
            second_person_reasons: second_person_reasons(checked.second_person_reasons().iter()),
            faults: faults(checked.faults(locale)),
            faults_total: checked.fault_count(),
            advice: advice(checked, locale),
            duplicates,
        })
    }
}

/// The reasons for which a second person must release a draft, as codes.
pub(super) fn second_person_reasons<'r>(
    reasons: impl Iterator<Item = &'r SecondPersonReason>,
) -> Vec<String> {
    reasons.map(|reason| reason.as_str().to_owned()).collect()
}

/// The passages of a checked draft that its author should read again.
pub(in crate::http) fn advice(checked: &CheckedDraft, locale: Locale) -> Vec<AdviceView> {
    let view = |Advice { pointer, topic, message }| AdviceView { pointer, topic, message };
    checked.advice(locale).into_iter().map(view).collect()
}

/// Faults as a problem or a draft shows them.
pub(crate) fn faults(faults: Vec<Fault>) -> Vec<ProblemFault> {
    let shown = |fault: Fault| ProblemFault {
        pointer: fault.pointer,
        code: fault.code.as_str().to_owned(),
        message: fault.message,
    };
    faults.into_iter().map(shown).collect()
}

/// The draft without its content, for lists.
pub(crate) fn row<C>(draft: Draft<C>) -> DraftView {
    DraftView {
        id: draft.id,
        message_type: draft.message_type.to_string(),
        state: draft.state.to_string(),
        version: draft.version,
        author: draft.author,
        facet: draft.facet,
        status: draft.status.map(|status| status.as_str().to_owned()),
        reference: draft.reference,
        second_person: draft.second_person,
        second_person_reasons: None,
        fault_count: draft.faults,
        created_at: draft.created_at,
        changed_at: draft.changed_at,
        submitted_at: draft.submitted_at,
        decided_by: draft.decided_by,
        decided_at: draft.decided_at,
        return_reason: draft.return_reason,
        content: None,
        faults: None,
        faults_total: None,
        advice: None,
        duplicates: None,
    }
}

/// The draft with its content and the faults of the content.
pub(crate) fn whole(draft: Draft, content: ContentView) -> DraftView {
    DraftView {
        content: Some(content.content),
        second_person_reasons: Some(content.second_person_reasons),
        faults: Some(content.faults),
        faults_total: Some(content.faults_total),
        advice: Some(content.advice),
        duplicates: content.duplicates,
        ..row(draft)
    }
}
