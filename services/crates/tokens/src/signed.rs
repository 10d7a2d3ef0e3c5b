//! Checks common to all kinds of tokens: header, key, signature.

use jsonwebtoken::{Header, Validation, errors::ErrorKind};
use serde_json::Value;

use crate::{KeySet, SignatureAlgorithm, TOKEN_MAX_BYTES, TokenError, keyset::VerifyingKey};

/// The headers that are accepted.
pub(crate) struct HeaderRules<'a> {
    pub(crate) algorithms: &'a [SignatureAlgorithm],
    /// The accepted types. Empty: any type, or none.
    pub(crate) types: &'a [String],
}

/// A token whose header is accepted and whose signature is not verified yet.
pub(crate) struct Unverified<'a> {
    unverified_token: &'a str,
    unverified_kid: String,
    algorithm: SignatureAlgorithm,
}

impl<'a> Unverified<'a> {
    /// Parses the header and checks it against the rules.
    pub(crate) fn read(unverified_token: &'a str, rules: &HeaderRules<'_>) -> Result<Self, TokenError> {
        check_size(unverified_token)?;
        let header = jsonwebtoken::decode_header(unverified_token).map_err(|_| TokenError::Malformed)?;
        if header.crit.is_some() {
            return Err(TokenError::CriticalHeader);
        }
        let algorithm = SignatureAlgorithm::from_library(header.alg)
            .filter(|algorithm| rules.algorithms.contains(algorithm))
            .ok_or_else(|| not_allowed(&header))?;
        if !rules.types.is_empty() && !is_of_type(header.typ.as_deref(), rules.types) {
            return Err(TokenError::TypeNotAllowed { unverified_type: header.typ });
        }
        let unverified_kid = header.kid.ok_or(TokenError::UnknownKey { unverified_key: None })?;
        Ok(Self { unverified_token, unverified_kid, algorithm })
    }

    /// The key id in the header.
    pub(crate) fn unverified_kid(&self) -> &str {
        &self.unverified_kid
    }

    /// Verifies the signature and returns the claims, which are not checked yet.
    pub(crate) fn verify(&self, keys: &KeySet) -> Result<Value, TokenError> {
        let key = keys.get(&self.unverified_kid).ok_or_else(|| self.unknown_key())?;
        self.verify_with(key)
    }

    pub(crate) fn unknown_key(&self) -> TokenError {
        TokenError::UnknownKey { unverified_key: Some(self.unverified_kid.clone()) }
    }

    fn verify_with(&self, key: &VerifyingKey) -> Result<Value, TokenError> {
        let key = key.for_algorithm(self.algorithm).ok_or_else(|| TokenError::AlgorithmNotAllowed {
            unverified_algorithm: self.algorithm.as_str().to_owned(),
        })?;
        // The caller checks times and audience, against the clock that it was given.
        let mut rules = Validation::new(self.algorithm.to_library());
        rules.validate_exp = false;
        rules.validate_aud = false;
        rules.required_spec_claims.clear();
        let data = jsonwebtoken::decode::<Value>(self.unverified_token, key, &rules);
        data.map(|data| data.claims).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => TokenError::BadSignature,
            _ => TokenError::Malformed,
        })
    }
}

/// The issuer that a token names, before anything is verified. Use it only to find the issuer's rules.
pub(crate) fn unverified_issuer(unverified_token: &str) -> Result<String, TokenError> {
    #[derive(serde::Deserialize)]
    struct UnverifiedIssuer {
        iss: String,
    }
    check_size(unverified_token)?;
    jsonwebtoken::dangerous::insecure_decode_claims::<UnverifiedIssuer>(unverified_token)
        .map(|claims| claims.iss)
        .map_err(|_| TokenError::Malformed)
}

fn check_size(unverified_token: &str) -> Result<(), TokenError> {
    let size_bytes = unverified_token.len();
    if size_bytes > TOKEN_MAX_BYTES { Err(TokenError::TooLarge { size_bytes }) } else { Ok(()) }
}

fn not_allowed(header: &Header) -> TokenError {
    TokenError::AlgorithmNotAllowed { unverified_algorithm: format!("{:?}", header.alg) }
}

/// RFC 7515 §4.1.9: media types compare without case, and `application/` may be left out.
fn is_of_type(unverified_type: Option<&str>, accepted: &[String]) -> bool {
    let bare = |text: &str| {
        let lower = text.to_ascii_lowercase();
        lower.strip_prefix("application/").map(str::to_owned).unwrap_or(lower)
    };
    unverified_type.is_some_and(|typ| accepted.iter().any(|known| bare(known) == bare(typ)))
}
