//! A draft as the API shows it.

use rovuma_api::answers::gateway::{AdviceView, DraftView};
use rovuma_runtime::ProblemFault;
use rovuma_schemas::{Advice, CheckedDraft, Fault, Locale};
use serde_json::value::RawValue;

use crate::{
    drafts::{content::Content, draft::Draft},
    error::DbError,
};

/// What the author of a checked draft should look at again.
pub(super) fn advice(checked: &CheckedDraft, locale: Locale) -> Vec<AdviceView> {
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
pub(crate) fn row(draft: Draft) -> DraftView {
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
        fault_count: draft.faults,
        created_at: draft.created_at,
        changed_at: draft.changed_at,
        submitted_at: draft.submitted_at,
        decided_by: draft.decided_by,
        decided_at: draft.decided_at,
        return_reason: draft.return_reason,
        content: None,
        faults: None,
        advice: None,
    }
}

/// The draft with its content, and what a check of the content found.
pub(crate) fn whole(draft: Draft, checked: &Content, locale: Locale) -> Result<DraftView, DbError> {
    let text = std::str::from_utf8(&draft.content).map_err(|fault| DbError::damaged("draft", fault))?;
    let content = RawValue::from_string(text.to_owned()).map_err(|fault| DbError::damaged("draft", fault))?;
    let checked = checked.checked();
    Ok(DraftView {
        content: Some(content),
        faults: Some(faults(checked.faults(locale))),
        advice: Some(advice(checked, locale)),
        ..row(draft)
    })
}
