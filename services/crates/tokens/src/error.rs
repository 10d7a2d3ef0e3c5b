//! The errors of checking tokens.

use rovuma_schemas::Timestamp;

/// A token that was not accepted. Callers see the same answer for all but [`KeysUnavailable`](Self::KeysUnavailable) and
/// [`Expired`](Self::Expired) (`invalid_token`, RFC 6750 §3.1); the variant is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than [`TOKEN_MAX_BYTES`](crate::TOKEN_MAX_BYTES).
    #[error("token of {size_bytes} bytes, at most {} are accepted", crate::TOKEN_MAX_BYTES)]
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
        /// The value in the token.
        unverified_issuer: String,
    },
    /// Its `alg` is not one of those the issuer may use, or not its key's.
    #[error("algorithm {unverified_algorithm} is not allowed here")]
    AlgorithmNotAllowed {
        /// The value in the token.
        unverified_algorithm: String,
    },
    /// Its `typ` is not one of those accepted, an id token for one.
    #[error("token of type {unverified_type:?} is not accepted here")]
    TypeNotAllowed {
        /// The value in the token.
        unverified_type: Option<String>,
    },
    /// It has `crit`: it requires an extension, and this crate implements none (RFC 7515 §4.1.11).
    #[error("token demands extensions that are not known here")]
    CriticalHeader,
    /// It names no key (`kid`), or a key that the issuer does not publish.
    #[error("key {unverified_key:?} is not one of the issuer's")]
    UnknownKey {
        /// The value in the token.
        unverified_key: Option<String>,
    },
    /// The signature does not match the key.
    #[error("signature does not match")]
    BadSignature,
    /// It has expired, and everything else of it holds.
    #[error("token expired at {expires}, it is {now}")]
    Expired {
        /// `exp`.
        expires: Timestamp,
        /// The caller's clock.
        now: Timestamp,
    },
    /// It is a client's assertion and would be valid for too long.
    #[error("assertion is valid until {expires}, at most {} s from now are accepted", max.as_secs())]
    LivesTooLong {
        /// `exp`.
        expires: Timestamp,
        /// The longest life that is accepted.
        max: std::time::Duration,
    },
    /// Its `iat` or `nbf` is in the future by more than [`LEEWAY`](crate::LEEWAY).
    #[error("token is valid from {from}, it is {now}")]
    NotYetValid {
        /// `iat` or `nbf`.
        from: Timestamp,
        /// The caller's clock.
        now: Timestamp,
    },
    /// It is for another audience.
    #[error("token is for another audience than {expected:?}")]
    WrongAudience {
        /// The configured audience.
        expected: String,
    },
    /// A claim is missing or malformed.
    #[error("claim {name} is missing or malformed")]
    Claim {
        /// The claim's name or JSON pointer.
        name: String,
    },
    /// The configuration does not let the issuer issue tokens for this agency.
    #[error("issuer {issuer} may not issue tokens for agency {agency}")]
    ForeignAgency {
        /// The issuer.
        issuer: String,
        /// The agency in the token.
        agency: String,
    },
    /// The issuer's keys cannot be loaded now. The token may be valid.
    #[error("keys of issuer {issuer} cannot be loaded: {reason}")]
    KeysUnavailable {
        /// The issuer.
        issuer: String,
        /// What went wrong.
        reason: String,
    },
}

impl TokenError {
    /// Whether the same token may be accepted later: then answer 503, not 401.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::KeysUnavailable { .. })
    }

    /// The stable code for logs, metrics and audit events.
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
            Self::LivesTooLong { .. } => "token_lives_too_long",
            Self::WrongAudience { .. } => "token_audience",
            Self::Claim { .. } => "token_claim",
            Self::ForeignAgency { .. } => "token_agency",
            Self::KeysUnavailable { .. } => "token_keys_unavailable",
        }
    }
}
