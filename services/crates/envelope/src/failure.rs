//! Why a message was not verified, or was verified and not accepted.

use rovuma_schemas::{AgencyCode, CountryCode, RejectionCode, Timestamp, Version};

use crate::{BadHeader, KeyId, KeyRefusal, SignatureFault, Unverified, verified::VerifiedFacts};

/// Why [`crate::TrustStore::verify`] returned no verified message.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFailure {
    /// The key or trust list that would verify it is missing, and nothing else is wrong. The caller
    /// keeps the message, shows it as held, and verifies it again with each new list.
    #[error("held: {reason}")]
    Held {
        /// What is missing.
        reason: HoldReason,
        /// The message, for the caller to keep.
        unverified: Box<Unverified>,
    },
    /// The message cannot be verified. The caller quarantines it and never answers it.
    #[error("refused: {reason}")]
    Refused {
        /// What is wrong. For logs only: outsiders get [`VerifyFailure::public_code`].
        reason: Refusal,
        /// The message, for the quarantine.
        unverified: Box<Unverified>,
    },
    /// The sender signed it, but it is not acceptable. The caller answers it, and its stream number is
    /// used up.
    #[error("rejected: {}", .0.rejection())]
    Rejected(Box<Rejectable>),
}

impl VerifyFailure {
    /// The code that an outsider may see. Every verification failure has the same one.
    pub const fn public_code(&self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::Refused { .. } => "unverifiable",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// What is missing before a message can be verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldReason {
    /// The agency is known, its key is not: a newer list may have it. Nobody vouches for such a message,
    /// so its keeper limits how many it holds.
    #[error("the trust list has no key {kid} of {agency}")]
    UnknownKey {
        /// The agency that the message names as its sender.
        agency: AgencyCode,
        /// The key that signed.
        kid: KeyId,
    },
    /// The list is overdue by more than the configured grace, so a revocation may have been missed.
    #[error("the trust list of {country} was due for renewal {next_update}")]
    ListOverdue {
        /// The country of the list.
        country: CountryCode,
        /// When its next update was due.
        next_update: Timestamp,
    },
    /// The country's authority key is pinned, but its list is missing.
    #[error("there is no trust list of {country}")]
    NoList {
        /// The country.
        country: CountryCode,
    },
}

impl HoldReason {
    /// A stable code for logs, audit events and pages.
    pub const fn log_code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "unknown_key",
            Self::ListOverdue { .. } => "trust_list_overdue",
            Self::NoList { .. } => "no_trust_list",
        }
    }
}

/// Why a message cannot be verified. For logs; it contains no payload.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The payload has no readable header.
    #[error(transparent)]
    Header(#[from] BadHeader),
    /// The protected header or the signature is wrong.
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// The delivery came in through another country's exchange than that of its signed sender.
    #[error("from {sender}, but through the exchange of {origin}")]
    Origin {
        /// The sender that the message names.
        sender: AgencyCode,
        /// The country of the exchange that it came in through.
        origin: CountryCode,
    },
    /// The bundle was opened with the key of an agency that the message does not name as a recipient.
    #[error("opened for {opened_for}, which is not a recipient")]
    NotARecipient {
        /// The agency whose key opened the bundle.
        opened_for: AgencyCode,
    },
    /// The list of the sender's country does not have the sender.
    #[error("no trust list has agency {agency}")]
    UnknownAgency {
        /// The sender that the message names.
        agency: AgencyCode,
    },
    /// The key may not sign this message.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
}

impl Refusal {
    /// A stable code for logs, audit events and the quarantine.
    pub const fn log_code(&self) -> &'static str {
        match self {
            Self::Header(_) => "bad_header",
            Self::Signature(SignatureFault::Protected(_)) => "bad_protected_header",
            Self::Signature(_) => "bad_signature",
            Self::Origin { .. } => "wrong_origin",
            Self::NotARecipient { .. } => "not_a_recipient",
            Self::UnknownAgency { .. } => "unknown_agency",
            Self::Key(refusal) => refusal.log_code(),
        }
    }
}

/// Why a verified message is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Created in our future: one of the two clocks is wrong.
    #[error("created {created}, our clock says {now}")]
    Clock {
        /// When the message says it was created.
        created: Timestamp,
        /// The time on our clock.
        now: Timestamp,
    },
    /// The sender may not send messages of this type.
    #[error("{agency} may not send {message_type}")]
    Unauthorised {
        /// The sender.
        agency: AgencyCode,
        /// The type.
        message_type: String,
    },
    /// The message's schema version is older than the configured minimum.
    #[error("version {got} is older than {minimum_major}.0")]
    Downgrade {
        /// The message's version.
        got: Version,
        /// The oldest major version that is accepted.
        minimum_major: u16,
    },
}

impl Rejection {
    /// The code that the receipt carries.
    pub const fn code(&self) -> RejectionCode {
        match self {
            Self::Clock { .. } => RejectionCode::Clock,
            Self::Unauthorised { .. } => RejectionCode::Unauthorised,
            Self::Downgrade { .. } => RejectionCode::UnsupportedVersion,
        }
    }
}

/// A message that its sender signed but that is not accepted. It can be answered; it cannot be stored as
/// a message or acted on.
#[derive(Clone, Debug)]
pub struct Rejectable {
    pub(crate) facts: VerifiedFacts,
    pub(crate) rejection: Rejection,
}

impl Rejectable {
    /// Why it is not accepted.
    pub fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}
