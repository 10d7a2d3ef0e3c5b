//! Client assertions: `private_key_jwt` (RFC 7521, RFC 7523 §3, OpenID Connect Core 1.0 §9).

use std::time::Duration;

use rovuma_schemas::Timestamp;
use serde_json::Value;

use crate::{
    KeySet, LEEWAY, SignatureAlgorithm, TokenError,
    access::{check_audience, check_times, missing, text},
    provider,
    signed::{HeaderRules, Unverified},
};

/// `client_assertion_type` of a JWT (RFC 7523 §2.2).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest that an assertion may still be valid. A client signs one for each request, so a longer life serves only
/// whoever finds it, and the ids of used assertions must be kept as long.
const ASSERTION_LIFE_MAX: Duration = Duration::from_secs(5 * 60);

/// The values that an assertion must have.
#[derive(Clone, Copy, Debug)]
pub struct AssertionRules<'a> {
    /// The client's id, which must be both `iss` and `sub`.
    pub client_id: &'a str,
    /// The URL of the identity service, which must be in `aud`.
    pub audience: &'a str,
    /// The client's registered keys.
    pub keys: &'a KeySet,
}

/// A checked assertion. The caller must refuse one whose id was used before, and therefore keep the id until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Its id (`jti`).
    pub id: String,
    /// When it expires (`exp`).
    pub expires: Timestamp,
}

impl Assertion {
    /// Checks signature, subject, audience and times.
    ///
    /// # Errors
    /// [`TokenError`]. Answer all of them with `invalid_client`.
    pub fn check(
        unverified_assertion: &str,
        rules: &AssertionRules<'_>,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        provider::install();
        // Any `typ`, or none: RFC 7523 requires none.
        let header = HeaderRules { algorithms: &SignatureAlgorithm::ALL, types: &[] };
        let claims = Unverified::read(unverified_assertion, &header)?.verify(rules.keys)?;
        for name in ["iss", "sub"] {
            if text(&claims, name).as_deref() != Some(rules.client_id) {
                return Err(missing(name));
            }
        }
        check_audience(&claims, rules.audience)?;
        let (_, expires) = check_times(&claims, now)?;
        if expires > now.plus(ASSERTION_LIFE_MAX).plus(LEEWAY) {
            return Err(TokenError::LivesTooLong { expires, max: ASSERTION_LIFE_MAX });
        }
        Ok(Self { id: id(&claims)?, expires })
    }

    /// The client that an assertion claims to come from, before anything is verified. Use it only to find the client's keys.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn unverified_client(unverified_assertion: &str) -> Result<String, TokenError> {
        crate::signed::unverified_issuer(unverified_assertion)
    }
}

fn id(claims: &Value) -> Result<String, TokenError> {
    text(claims, "jti").ok_or_else(|| missing("jti"))
}
