//! The rules that decide whether a key may sign a message.

use rovuma_schemas::{AgencyCode, Timestamp};

use super::{ListedAgency, RevocationReason, SigningKeyEntry, TrustPolicy};
use crate::KeyId;

/// Why a key may not sign a message. For logs: outsiders get one code for all of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// The key is compromised: somebody else may have it.
    #[error("key {kid} of {agency} is compromised")]
    Compromised {
        /// The agency.
        agency: AgencyCode,
        /// The key.
        kid: KeyId,
    },
    /// The key was revoked before the message was created.
    #[error("key {kid} of {agency} was revoked at {at}, the message was created {created}")]
    Revoked {
        /// The agency.
        agency: AgencyCode,
        /// The key.
        kid: KeyId,
        /// When the revocation takes effect.
        at: Timestamp,
        /// When the message says it was created.
        created: Timestamp,
    },
    /// The message says it was created before the key was valid.
    #[error("key {kid} of {agency} is valid from {not_before}, the message was created {created}")]
    NotYetValid {
        /// The agency.
        agency: AgencyCode,
        /// The key.
        kid: KeyId,
        /// The key's first instant.
        not_before: Timestamp,
        /// When the message says it was created.
        created: Timestamp,
    },
    /// The message says it was created after the key's end.
    #[error("key {kid} of {agency} ended {not_after}, the message was created {created}")]
    Expired {
        /// The agency.
        agency: AgencyCode,
        /// The key.
        kid: KeyId,
        /// The key's end.
        not_after: Timestamp,
        /// When the message says it was created.
        created: Timestamp,
    },
    /// The message arrived so long after the key's end that somebody else may have the key by now.
    #[error("key {kid} of {agency} ended {ended}: too long ago for a message that arrives {now}")]
    TooLate {
        /// The agency.
        agency: AgencyCode,
        /// The key.
        kid: KeyId,
        /// The key's end, by its time or by revocation.
        ended: Timestamp,
        /// When the message was verified.
        now: Timestamp,
    },
    /// The agency was not valid when the message was created.
    #[error("agency {agency} was not valid when the message was created, {created}")]
    AgencyNotValid {
        /// The agency.
        agency: AgencyCode,
        /// When the message says it was created.
        created: Timestamp,
    },
}

impl KeyRefusal {
    /// A stable code for logs, audit events and the quarantine.
    pub const fn log_code(&self) -> &'static str {
        match self {
            Self::Compromised { .. } => "key_compromised",
            Self::Revoked { .. } => "key_revoked",
            Self::NotYetValid { .. } => "key_not_yet_valid",
            Self::Expired { .. } => "key_expired",
            Self::TooLate { .. } => "key_ended_too_long_ago",
            Self::AgencyNotValid { .. } => "agency_not_valid",
        }
    }
}

/// Whether a key may sign now, for its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Partners believe it until `not_after`.
    Valid {
        /// Its end.
        not_after: Timestamp,
    },
    /// Its term has not begun.
    NotYetValid,
    /// Its term is over.
    Expired,
    /// Revoked for a reason other than compromise.
    Revoked,
    /// Revoked as compromised.
    Compromised,
    /// The list does not have the key.
    Unlisted,
}

impl SigningKeyEntry {
    pub(super) fn is_compromised(&self) -> bool {
        self.revoked.is_some_and(|revocation| revocation.reason == RevocationReason::Compromised)
    }

    /// When it stops signing: the end of its term, or its revocation if that is earlier.
    pub(super) fn ends(&self) -> Timestamp {
        self.revoked.map_or(self.not_after, |revocation| revocation.at.min(self.not_after))
    }

    /// Whether the owner may sign with it at `now`.
    pub(super) fn state(&self, now: Timestamp) -> KeyState {
        match self.revoked {
            _ if self.is_compromised() => KeyState::Compromised,
            Some(revocation) if now >= revocation.at => KeyState::Revoked,
            _ if now < self.not_before => KeyState::NotYetValid,
            _ if now >= self.not_after => KeyState::Expired,
            _ => KeyState::Valid { not_after: self.ends() },
        }
    }
}

/// Refuses a key that was revoked for messages created at that time.
pub(crate) fn check_revocation(
    agency: &ListedAgency,
    key: &SigningKeyEntry,
    created: Timestamp,
) -> Result<(), KeyRefusal> {
    let (agency, kid) = (agency.code.clone(), key.kid);
    if key.is_compromised() {
        return Err(KeyRefusal::Compromised { agency, kid });
    }
    match key.revoked {
        Some(revocation) if created >= revocation.at => {
            Err(KeyRefusal::Revoked { agency, kid, at: revocation.at, created })
        }
        _ => Ok(()),
    }
}

/// Checks that key and agency were valid when the message was created, and that the message is not too
/// late.
pub(crate) fn check_validity(
    agency: &ListedAgency,
    key: &SigningKeyEntry,
    created: Timestamp,
    now: Timestamp,
    policy: &TrustPolicy,
) -> Result<(), KeyRefusal> {
    let (code, kid) = (agency.code.clone(), key.kid);
    if created < key.not_before {
        return Err(KeyRefusal::NotYetValid { agency: code, kid, not_before: key.not_before, created });
    }
    if created >= key.not_after {
        return Err(KeyRefusal::Expired { agency: code, kid, not_after: key.not_after, created });
    }
    if created < agency.valid_from || agency.valid_until.is_some_and(|until| created >= until) {
        return Err(KeyRefusal::AgencyNotValid { agency: code, created });
    }
    let ended = agency.valid_until.map_or(key.ends(), |until| until.min(key.ends()));
    if now > ended.plus(policy.late_arrival) {
        return Err(KeyRefusal::TooLate { agency: code, kid, ended, now });
    }
    Ok(())
}
