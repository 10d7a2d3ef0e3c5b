//! Messages that the gateway sends by itself, without an officer: certificates of erasure, and reminders.

use rovuma_schemas::{AgencyCode, Date, MessageId, MessageType, Sender, Terms, Timestamp};
use rovuma_store::Conn;
use serde_json::{Value, json};

use super::{Drafts, Refusal, content::Content};
use crate::{
    cases::{
        follow::{self, Following, NotFollowing},
        kept::CaseKey,
    },
    exchange::{
        SYSTEM,
        send::{self, Release, SendError},
    },
};

/// What the gateway says in a case by itself.
pub(crate) struct AutomaticMessage<'a> {
    /// The case.
    pub(crate) key: &'a CaseKey,
    /// `actual`, `exercise` or `test`.
    pub(crate) status: &'a str,
    /// The type of the message.
    pub(crate) message_type: MessageType,
    /// A message of the case, whose purpose, legal basis and language hold for this one too.
    pub(crate) terms: &'a Terms,
    /// The last day on which it may be kept.
    pub(crate) retain_until: Date,
    /// The body.
    pub(crate) body: Value,
}

/// Why a message was not sent.
#[derive(Debug)]
pub(crate) enum NotSent {
    /// The case does not take it.
    NotAllowed(String),
    /// The store failed, or signing did.
    Send(SendError),
}

impl From<SendError> for NotSent {
    fn from(fault: SendError) -> Self {
        Self::Send(fault)
    }
}

impl From<NotFollowing> for NotSent {
    fn from(fault: NotFollowing) -> Self {
        match fault {
            NotFollowing::Db(fault) => Self::Send(SendError::Db(fault)),
            refused => Self::NotAllowed(refused.to_string()),
        }
    }
}

impl Drafts {
    /// Checks what the gateway is about to say, outside the transaction: checking a draft takes time.
    ///
    /// # Errors
    /// Why it cannot be said, as a sentence for an operator, without content.
    pub(crate) fn check_automatic(
        &self,
        word: AutomaticMessage<'_>,
        now: Timestamp,
    ) -> Result<Box<Content>, String> {
        let draft = json!({
            "type": word.message_type,
            "status": word.status,
            "case": word.key.case(),
            "terms": {
                "urgency": { "level": "normal" },
                "purpose": word.terms.purpose,
                "legal_basis": word.terms.legal_basis,
                "handling": { "code": "H0" },
                "evaluation": { "source": "X", "information": "4" },
                "language": word.terms.language,
                "retain_until": word.retain_until,
            },
            "body": word.body,
        });
        let agency = &word.key.agency;
        self.check_right_to_send(agency, word.message_type, now)
            .and_then(|()| self.check(agency, draft.to_string().as_bytes(), now))
            .and_then(|content| content.valid().map(drop).map(|()| Box::new(content)))
            .map_err(|refusal| reason(&refusal))
    }

    /// Sends what was checked, in the caller's transaction.
    ///
    /// # Errors
    /// [`NotSent::NotAllowed`] when the case does not take it; else the transaction must be rolled back.
    pub(crate) async fn send_automatic(
        &self,
        tx: &mut Conn,
        agency: &AgencyCode,
        content: &Content,
        now: Timestamp,
    ) -> Result<MessageId, NotSent> {
        let valid = content.valid().map_err(|refusal| NotSent::NotAllowed(reason(&refusal)))?;
        let id = MessageId::draw(now);
        let following = follow::follow(tx, agency, valid, id, now).await?;
        let following = following.ok_or_else(|| NotSent::NotAllowed("it names no case".to_owned()))?;
        let Following { place, recipients, earlier, .. } = following;
        let request = Release {
            id,
            draft: &valid.clone().addressed_to(recipients),
            following: Some(place),
            earlier,
            // No officer says this: the gateway does.
            sender: Sender { agency: agency.clone(), unit: None, officer: None },
            released_by: SYSTEM,
            session: None,
            details: Vec::new(),
            now,
        };
        send::release(tx, &self.exchange, request).await?;
        Ok(id)
    }
}

/// The refusal as a sentence for an operator, without content.
fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Faulty(content) => {
            let faults = content.checked().faults(rovuma_schemas::Locale::En);
            let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            format!("by today's rules it has faults at {}", places.join(", "))
        }
        other => other.to_string(),
    }
}
