//! A draft as the API shows it.

use rovuma_runtime::ProblemFault;
use rovuma_schemas::{Advice, Fault, Locale, MessageId, MessageType, Status, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    drafts::{content::Content, draft::Draft, state::DraftState},
    error::DbError,
    http::openapi::DraftDocument,
};

/// A draft as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Draft)]
pub(crate) struct DraftView {
    /// The draft's id, which becomes the message's.
    #[schema(value_type = String, format = "uuid")]
    id: MessageId,
    /// The type of the message that it becomes.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    message_type: MessageType,
    /// Where it stands.
    state: DraftState,
    /// Counts changes, from 1; the `ETag`.
    version: i64,
    /// Who wrote it.
    author: String,
    /// The code by which the family's messages are listed, such as the category of an alert. Absent while it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    facet: Option<String>,
    /// `actual`, `exercise` or `test`. Absent while the draft does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    status: Option<Status>,
    /// The agency's own file number.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Why a second person must release it (`person`, `minor`, `handling`); absent when one person may.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_person: Option<String>,
    /// How many faults it had when its content was last changed; with none it could be released.
    fault_count: u64,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// When it was last handed to a supervisor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    submitted_at: Option<Timestamp>,
    /// Who released, returned or discarded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// When it was released, returned or discarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// Why it was returned, in the supervisor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    return_reason: Option<String>,
    /// The draft as posted. Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DraftDocument>)]
    content: Option<Box<RawValue>>,
    /// Everything that keeps it from being released now, in the caller's language. Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<Vec<ProblemFault>>,
    /// Free text that the author should look at again. Absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<Vec<AdviceView>>,
}

/// A free text that seems to speak of what is not carried: asylum, religion, ethnicity, politics.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Advice)]
pub(crate) struct AdviceView {
    /// Where it stands: a JSON pointer (RFC 6901).
    pointer: String,
    /// `asylum`, `religion`, `ethnicity`, `politics`.
    topic: String,
    /// A sentence in the caller's language.
    message: String,
}

impl From<Advice> for AdviceView {
    fn from(advice: Advice) -> Self {
        Self { pointer: advice.pointer, topic: advice.topic, message: advice.message }
    }
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

impl DraftView {
    /// The draft without its content, for lists.
    pub(crate) fn row(draft: Draft) -> Self {
        Self {
            id: draft.id,
            message_type: draft.message_type,
            state: draft.state,
            version: draft.version,
            author: draft.author,
            facet: draft.facet,
            status: draft.status,
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
    pub(crate) fn whole(draft: Draft, checked: &Content, locale: Locale) -> Result<Self, DbError> {
        let text = std::str::from_utf8(&draft.content).map_err(|fault| DbError::damaged("draft", fault))?;
        let content =
            RawValue::from_string(text.to_owned()).map_err(|fault| DbError::damaged("draft", fault))?;
        let checked = checked.checked();
        Ok(Self {
            content: Some(content),
            faults: Some(faults(checked.faults(locale))),
            advice: Some(checked.advice(locale).into_iter().map(AdviceView::from).collect()),
            ..Self::row(draft)
        })
    }
}
