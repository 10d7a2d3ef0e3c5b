//! Whether others would believe what an agency sends now, as our own country's trust list says.

use axum::http::StatusCode;
use rovuma_envelope::KeyState;
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, MessageType, Timestamp};

use crate::{gateway::Gateway, http::error::ApiError};

/// Refuses what every recipient would refuse: better here, while the officer looks, than in three days.
///
/// # Errors
/// 403 `may_not_send` when the list does not give the agency this right; 503 `signing_key` when its key is
/// not in force.
pub(crate) fn check(
    gateway: &Gateway,
    agency: &AgencyCode,
    message_type: MessageType,
    now: Timestamp,
) -> Result<(), ApiError> {
    let trust = gateway.trust.current();
    if !trust.may_send(agency, message_type.as_str()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "may_not_send")
            .detail(format!(
                "The trust list of {} does not say that {agency} may send {message_type}.",
                agency.country()
            ))
            .into());
    }
    let state = match gateway.agencies.get(agency) {
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
    Err(Problem::unavailable("signing_key")
        .detail(format!("The signing key of {agency} {reason}: recipients would refuse the message."))
        .into())
}
