//! The keys of one issuer, each with its algorithm.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;

use crate::{JwkSet, PublicJwk, SignatureAlgorithm};

/// Keys by id, without encryption keys, symmetric keys and keys without an id.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: HashMap<String, VerifyingKey>,
}

/// A JWK Set that is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetFault {
    /// Two keys have one id, so it would not be certain which one a token names.
    #[error("two keys have the id {kid:?}")]
    DuplicateKid {
        /// The id.
        kid: String,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct VerifyingKey {
    /// The algorithms for which it may be used. Only an RSA key without `alg` has more than one.
    algorithms: Vec<SignatureAlgorithm>,
    key: DecodingKey,
}

impl KeySet {
    /// The usable keys of a JWK Set.
    ///
    /// # Errors
    /// [`KeySetFault::DuplicateKid`] when two keys have one id, usable or not.
    pub fn from_jwks(set: &JwkSet) -> Result<Self, KeySetFault> {
        let mut seen = std::collections::HashSet::new();
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            let Some(kid) = &jwk.kid else { continue };
            if !seen.insert(kid) {
                return Err(KeySetFault::DuplicateKid { kid: kid.clone() });
            }
            if let Some(key) = VerifyingKey::from_jwk(jwk) {
                keys.insert(kid.clone(), key);
            }
        }
        Ok(Self { keys })
    }

    /// Whether it holds no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.get(kid)
    }

    /// Whether `other` holds every key of `self`, unchanged.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.keys.iter().all(|(kid, key)| other.get(kid).is_some_and(|same| same.is(key)))
    }
}

impl VerifyingKey {
    /// `None` for a key that may not sign tokens.
    fn from_jwk(jwk: &PublicJwk) -> Option<Self> {
        if jwk.key_use.as_deref().is_some_and(|key_use| key_use != "sig") {
            return None;
        }
        let fitting = algorithms_of(jwk)?;
        let algorithms = match &jwk.alg {
            None => fitting,
            Some(name) => vec![SignatureAlgorithm::from_name(name).filter(|alg| fitting.contains(alg))?],
        };
        Some(Self { algorithms, key: decoding_key(jwk)? })
    }

    /// The key, if it may be used for `algorithm`.
    pub(crate) fn for_algorithm(&self, algorithm: SignatureAlgorithm) -> Option<&DecodingKey> {
        self.algorithms.contains(&algorithm).then_some(&self.key)
    }

    fn is(&self, other: &Self) -> bool {
        use jsonwebtoken::DecodingKeyKind::{RsaModulusExponent, SecretOrDer};
        let same_material = match (self.key.kind(), other.key.kind()) {
            (SecretOrDer(mine), SecretOrDer(theirs)) => mine == theirs,
            (RsaModulusExponent { n, e }, RsaModulusExponent { n: their_n, e: their_e }) => {
                n == their_n && e == their_e
            }
            _ => false,
        };
        same_material && self.algorithms == other.algorithms
    }
}

fn algorithms_of(jwk: &PublicJwk) -> Option<Vec<SignatureAlgorithm>> {
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => Some(vec![SignatureAlgorithm::EdDsa]),
        ("EC", Some("P-256")) => Some(vec![SignatureAlgorithm::Es256]),
        ("RSA", _) => Some(vec![SignatureAlgorithm::Ps256, SignatureAlgorithm::Rs256]),
        _ => None,
    }
}

/// Decodes a key. Coordinates must have exactly the curve's size (RFC 7518 §6.2.1.2, RFC 8037 §2).
const COORDINATE_BYTES: usize = 32;

fn decoding_key(jwk: &PublicJwk) -> Option<DecodingKey> {
    let member = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
    let coordinate = |text: &Option<String>| member(text).filter(|bytes| bytes.len() == COORDINATE_BYTES);
    match jwk.kty.as_str() {
        "OKP" => Some(DecodingKey::from_ed_der(&coordinate(&jwk.x)?)),
        "EC" => {
            let (x, y) = (coordinate(&jwk.x)?, coordinate(&jwk.y)?);
            // SEC 1 §2.3.3: an uncompressed point.
            Some(DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat()))
        }
        "RSA" => Some(DecodingKey::from_rsa_raw_components(&member(&jwk.n)?, &member(&jwk.e)?)),
        _ => None,
    }
}
