//! What a client posts, and what of it can be sent.

mod advice;
mod context;
mod rules;
mod valid;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use advice::Advice;
pub use context::ValidationContext;
pub use valid::{SecondPersonReason, Summary, ValidDraft};

use crate::{
    AgencyCode, Alert, Fault, FaultCode, Line, Locale, MessageId, MessageType, Status, Terms, Timestamp,
    fault, json, limits, pointer::Pointer, schema, view::View,
};

/// The draft of an `alert.issue`, as a client posts it. Sender, id, numbers and times are the
/// gateway's to give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertDraft {
    /// `alert.issue`.
    #[serde(rename = "type")]
    pub message_type: MessageType,
    /// In earnest, exercise or test.
    pub status: Status,
    /// The agencies to send it to.
    #[schemars(length(min = 1, max = 32))]
    pub recipients: Vec<AgencyCode>,
    /// The unit or post that sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Line>,
    /// The sender's own case reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_reference: Option<Line>,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<MessageId>,
    /// When it stops being worth transporting; the gateway's default where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Why, on what basis, how to handle it.
    pub terms: Terms,
    /// What it says.
    pub body: Alert,
}

impl AlertDraft {
    /// Reads a draft and checks all that can be checked before it is sent.
    ///
    /// # Errors
    /// *All* the faults, in the order of their pointers, with sentences in `locale`.
    pub fn parse(
        unverified_draft: &[u8],
        context: &ValidationContext<'_>,
        locale: Locale,
    ) -> Result<ValidDraft, Vec<Fault>> {
        Self::read(unverified_draft, context).map_err(|found| fault::in_words(found, locale))
    }

    fn read(
        unverified_draft: &[u8],
        context: &ValidationContext<'_>,
    ) -> Result<ValidDraft, Vec<fault::Finding>> {
        let value = json::read(unverified_draft)?;
        let mut found = schema::draft_faults(&value);
        rules::check(View::root(&value), context, &mut found);
        if !found.is_empty() {
            return Err(found);
        }
        let draft = schema::typed(&value, &Pointer::default()).map_err(|finding| vec![finding])?;
        let draft = ValidDraft::new(draft);
        if draft.content_bytes() > limits::MESSAGE_MAX_BYTES - limits::HEADER_MAX_BYTES {
            let limit = limits::MESSAGE_MAX_BYTES.to_string();
            return Err(vec![fault::Finding::with(&Pointer::default(), FaultCode::TooLarge, limit)]);
        }
        Ok(draft)
    }
}
