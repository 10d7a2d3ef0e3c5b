//! Why a token is not accepted.

use rovuma_schemas::Timestamp;

/// A token that was not accepted. From outside all but [`KeysUnavailable`](Self::KeysUnavailable)
/// look alike (`invalid_token`, RFC 6750 §3.1); the variant is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`TOKEN_MAX_BYTES`](crate::TOKEN_MAX_BYTES).
    #[error("token of {size_bytes} bytes, at most {} are taken", crate::TOKEN_MAX_BYTES)]
    TooLarge {
        /// Its size.
        size_bytes: usize,
    },
    /// Not three base64url parts of JSON, JSON and signature, or of an algorithm unknown here
    /// (`none` is one).
    #[error("not a signed JSON web token")]
    Malformed,
    /// Its `iss` is not configured.
    #[error("issuer {unverified_issuer:?} is not configured")]
    UnknownIssuer {
        /// What it claims.
        unverified_issuer: String,
    },
    /// Its `alg` is not one of those the issuer may use, or not its key's.
    #[error("algorithm {unverified_algorithm} is not allowed here")]
    AlgorithmNotAllowed {
        /// What it claims.
        unverified_algorithm: String,
    },
    /// Its `typ` is not one of those accepted, an id token for one.
    #[error("token of type {unverified_type:?} is not accepted here")]
    TypeNotAllowed {
        /// What it claims.
        unverified_type: Option<String>,
    },
    /// It has `crit`: an extension that this crate would have to understand (RFC 7515 §4.1.11).
    #[error("token demands extensions that are not known here")]
    CriticalHeader,
    /// It names no key (`kid`), or one that the issuer does not publish.
    #[error("key {unverified_key:?} is not one of the issuer's")]
    UnknownKey {
        /// What it claims.
        unverified_key: Option<String>,
    },
    /// The signature is not the key's.
    #[error("signature does not match")]
    BadSignature,
    /// Its time is over.
    #[error("token expired at {expires}, it is {now}")]
    Expired {
        /// `exp`.
        expires: Timestamp,
        /// The caller's clock.
        now: Timestamp,
    },
    /// It is from the future (`iat` or `nbf`) by more than [`LEEWAY`](crate::LEEWAY).
    #[error("token is valid from {from}, it is {now}")]
    NotYetValid {
        /// `iat` or `nbf`.
        from: Timestamp,
        /// The caller's clock.
        now: Timestamp,
    },
    /// It is for somebody else.
    #[error("token is for another audience than {expected:?}")]
    WrongAudience {
        /// The configured audience.
        expected: String,
    },
    /// A claim is missing or has another shape than it must have.
    #[error("claim {name} is missing or misshapen")]
    Claim {
        /// The claim's name or JSON pointer.
        name: String,
    },
    /// The issuer speaks for an agency that it was not given.
    #[error("issuer {issuer} does not speak for agency {agency}")]
    ForeignAgency {
        /// The issuer.
        issuer: String,
        /// The agency in the token.
        agency: String,
    },
    /// The issuer's keys cannot be had now: not the token's fault.
    #[error("keys of issuer {issuer} cannot be had: {reason}")]
    KeysUnavailable {
        /// The issuer.
        issuer: String,
        /// What went wrong.
        reason: String,
    },
}

impl TokenError {
    /// Whether the same token may be accepted later: answer 503, not 401.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::KeysUnavailable { .. })
    }

    /// A short stable word for logs, metrics and audit events.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "token_too_large",
            Self::Malformed => "token_malformed",
            Self::UnknownIssuer { .. } => "token_issuer",
            Self::AlgorithmNotAllowed { .. } => "token_algorithm",
            Self::TypeNotAllowed { .. } => "token_type",
            Self::CriticalHeader => "token_critical",
            Self::UnknownKey { .. } => "token_key",
            Self::BadSignature => "token_signature",
            Self::Expired { .. } => "token_expired",
            Self::NotYetValid { .. } => "token_not_yet_valid",
            Self::WrongAudience { .. } => "token_audience",
            Self::Claim { .. } => "token_claim",
            Self::ForeignAgency { .. } => "token_agency",
            Self::KeysUnavailable { .. } => "token_keys_unavailable",
        }
    }
}
