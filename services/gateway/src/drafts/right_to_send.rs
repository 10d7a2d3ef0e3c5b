//! Checks by our own country's trust list whether recipients would accept an agency's message now.

use rovuma_envelope::KeyState;
use rovuma_schemas::{AgencyCode, MessageType, Timestamp};

use super::{Drafts, Refusal};

impl Drafts {
    /// Refuses a message that every recipient would reject: the officer learns it at once, not with a receipt days later.
    pub(crate) fn check_right_to_send(
        &self,
        agency: &AgencyCode,
        message_type: MessageType,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let trust = self.exchange.trust.current();
        if !trust.may_send(agency, message_type.as_str()) {
            return Err(Refusal::MayNotSend { agency: agency.clone(), message_type });
        }
        let state = match self.exchange.agencies.get(agency) {
            Some(own) => trust.key_state(agency, own.signer.key_id(), now),
            None => KeyState::Unlisted,
        };
        let reason = match state {
            KeyState::Valid { .. } => return Ok(()),
            KeyState::NotYetValid => "is not valid yet",
            KeyState::Expired => "has expired",
            KeyState::Revoked => "is revoked",
            KeyState::Compromised => "is revoked as compromised",
            KeyState::Unlisted => "is not in the trust list",
        };
        Err(Refusal::SigningKey { agency: agency.clone(), reason })
    }
}
