//! What becomes of a message that is not verified, or verified and not accepted.

use rovuma_schemas::{AgencyCode, CountryCode, RejectionCode, Timestamp, Version};

use crate::{BadHeader, KeyId, KeyRefusal, SignatureFault, Unverified, verified::Facts};

/// Why [`crate::TrustStore::verify`] gave no verified message.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFailure {
    /// Nothing speaks against it but the list that would speak for it is missing: keep it, show it
    /// as held, and try again on each new list.
    #[error("held: {reason}")]
    Held {
        /// What is missing.
        reason: HoldReason,
        /// The message, to be kept.
        unverified: Box<Unverified>,
    },
    /// Cannot be verified: quarantine it, and never answer it.
    #[error("refused: {reason}")]
    Refused {
        /// What is wrong. For logs only: outsiders are told [`VerifyFailure::public_code`].
        reason: Refusal,
        /// The message, for the quarantine.
        unverified: Box<Unverified>,
    },
    /// Truly signed by its sender, and not acceptable: answer it, its stream number is used.
    #[error("rejected: {}", .0.rejection())]
    Rejected(Box<Rejectable>),
}

impl VerifyFailure {
    /// What an outsider may know. Every failure to verify has one and the same code.
    pub const fn public_code(&self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::Refused { .. } => "unverifiable",
            Self::Rejected(_) => "rejected",
        }
    }
}

/// What is missing for a judgement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldReason {
    /// The agency is known, the key is not: a newer list may have it. Nobody vouches for such a
    /// message, so whoever keeps it bounds how many.
    #[error("the trust list has no key {kid} of {agency}")]
    UnknownKey {
        /// The agency.
        agency: AgencyCode,
        /// The key.
        kid: KeyId,
    },
    /// The list is so long overdue that a revocation may have passed us by.
    #[error("the trust list of {country} was due for renewal {next_update}")]
    ListOverdue {
        /// The country.
        country: CountryCode,
        /// When it was due.
        next_update: Timestamp,
    },
    /// The country's authority is pinned but no list of it is there.
    #[error("there is no trust list of {country}")]
    NoList {
        /// The country.
        country: CountryCode,
    },
}

impl HoldReason {
    /// A stable word for logs, audit events and pages.
    pub const fn log_code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "unknown_key",
            Self::ListOverdue { .. } => "trust_list_overdue",
            Self::NoList { .. } => "no_trust_list",
        }
    }
}

/// Why a message cannot be verified. For logs; it holds no payload.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No header to be read.
    #[error(transparent)]
    Header(#[from] BadHeader),
    /// The protected header or the signature.
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// It came in by the door of another country than its signed sender's.
    #[error("from {sender} by the door of {origin}")]
    Origin {
        /// The sender that the message names.
        sender: AgencyCode,
        /// The country whose door it came in by.
        origin: CountryCode,
    },
    /// Opened with the key of an agency that it is not addressed to.
    #[error("opened for {opened_for}, which is not a recipient")]
    NotARecipient {
        /// Whose key opened it.
        opened_for: AgencyCode,
    },
    /// No list has the sender.
    #[error("no trust list has agency {agency}")]
    UnknownAgency {
        /// The sender that the message names.
        agency: AgencyCode,
    },
    /// The key does not speak for the message.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
}

impl Refusal {
    /// A stable word for logs, audit events and quarantine.
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
        /// When it says it was created.
        created: Timestamp,
        /// Our time.
        now: Timestamp,
    },
    /// The sender may not send this type.
    #[error("{agency} may not send {message_type}")]
    Unauthorised {
        /// The sender.
        agency: AgencyCode,
        /// The type.
        message_type: String,
    },
    /// Older than the configured minimum.
    #[error("version {got} is older than {minimum_major}.0")]
    Downgrade {
        /// Its version.
        got: Version,
        /// The oldest major version taken.
        minimum_major: u16,
    },
}

impl Rejection {
    /// The code to answer with.
    pub const fn code(&self) -> RejectionCode {
        match self {
            Self::Clock { .. } => RejectionCode::Clock,
            Self::Unauthorised { .. } => RejectionCode::Unauthorised,
            Self::Downgrade { .. } => RejectionCode::UnsupportedVersion,
        }
    }
}

/// A message that is truly its sender's and is not accepted. It can be answered; it cannot be
/// stored as a message or acted on.
#[derive(Clone, Debug)]
pub struct Rejectable {
    pub(crate) facts: Facts,
    pub(crate) rejection: Rejection,
}

impl Rejectable {
    /// Why.
    pub fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}
