//! A case, opened by the author of a message that follows in it.

use rovuma_api::answers::gateway::{CaseStep, CaseView, MessageView};
use rovuma_schemas::{AgencyCode, CaseId};
use serde_json::Value;

use crate::{
    cases::{content_in_force, name},
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
};

/// A case, and the message that a new one takes its terms from: the one that brought the content in force.
pub(crate) struct OpenedCase {
    pub(crate) case: CaseView,
    pub(crate) steps: Vec<CaseStep>,
    pub(crate) content: MessageView,
    pub(super) payload: Value,
}

impl OpenedCase {
    /// Opens a case as the author of a message that follows in it. The gateway records that the author has read the content in
    /// force.
    ///
    /// # Errors
    /// Refused, when the message that opened the case is not here.
    pub(crate) async fn open(client: &Client, case: &CaseId) -> Outcome<Self> {
        let view = name::open(client, case, None).await?.value;
        let steps = name::timeline(client, case, None).await?.value.steps;
        let short = name::short_name(&view.case);
        let content = content_in_force(&steps).ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                format!("the {} {short} itself has not arrived: there is nothing to follow", case.kind),
            )
            .next(format!("it comes by itself; rovumactl case show {short} shows what is missing"))
        })?;
        // Of a message that was issued again, the last id is the one that is kept under the key in force.
        let id = content.ids.iter().max().copied().unwrap_or(content.id);
        let (path, sender) = (format!("/v1/messages/{id}"), ("sender", content.sender.to_string()));
        let message: ServerAnswer<MessageView> = match client.get(&path, std::slice::from_ref(&sender)).await
        {
            // The codes of its terms are enough to follow it: they are left of what was erased, which is still certified, and a border
            // officer sees no more.
            Err(failure) if failure.is_refusal("erased") || failure.is_refusal("role") => {
                client.get(&path, &[("view", "metadata".to_owned()), sender]).await?
            }
            outcome => outcome?,
        };
        let payload = message.value.payload.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok());
        Ok(Self { case: view, steps, content: message.value, payload: payload.unwrap_or_default() })
    }

    /// What people call the case.
    pub(crate) fn name(&self) -> String {
        name::short_name(&self.case.case)
    }

    /// The version in force, of an alert.
    pub(crate) fn version(&self) -> u64 {
        self.case.case.version
    }

    /// The body of the message that brought the content in force: none when it was erased.
    pub(crate) fn body(&self) -> Option<&Value> {
        self.payload.get("body").filter(|body| body.is_object())
    }

    /// The agency that opened the case.
    pub(crate) fn owner(&self) -> &AgencyCode {
        &self.case.case.case.owner
    }

    /// Whether the caller's agency opened the case. An opaque token does not say whose it is; only the sender of a message sees the
    /// facts of its release.
    pub(crate) fn is_own(&self, client: &Client) -> bool {
        client.caller().agency.as_deref() == Some(self.owner().as_str()) || self.content.sent.is_some()
    }

    /// The agencies at the other end of the case: those that the opening message went to, or the agency that sent it.
    pub(crate) fn others(&self, client: &Client) -> Vec<AgencyCode> {
        if !self.is_own(client) {
            return vec![self.owner().clone()];
        }
        match &self.case.alert {
            Some(alert) => alert.recipients.iter().map(|recipient| recipient.agency.clone()).collect(),
            None => {
                let recipients = self.content.header.recipients.iter();
                recipients.map(|recipient| recipient.agency.clone()).collect()
            }
        }
    }
}
