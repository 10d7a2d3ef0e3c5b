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

/// The y coordinates of the points of small order of Ed25519 (orders 1, 2, 4 and 8), little-endian. A signature for such a
/// key can be made without any private key.
const SMALL_ORDER: [[u8; COORDINATE_BYTES]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    MINUS_ONE,
];

/// The coordinate p − 1, p being 2^255 − 19.
const MINUS_ONE: [u8; COORDINATE_BYTES] = [
    0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];

/// Whether an Ed25519 public key is encoded in the one canonical way (RFC 8032 §5.1.3: y below p) and is no point of
/// small order.
fn is_sound_ed25519(point: &[u8]) -> bool {
    let mut y = point.to_vec();
    // The highest bit is the sign of x.
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    let canonical = y.iter().rev().cmp(MINUS_ONE.iter().rev()).is_le();
    canonical && !SMALL_ORDER.iter().any(|small| y == small)
}

fn decoding_key(jwk: &PublicJwk) -> Option<DecodingKey> {
    let member = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
    let coordinate = |text: &Option<String>| member(text).filter(|bytes| bytes.len() == COORDINATE_BYTES);
    match jwk.kty.as_str() {
        "OKP" => {
            let point = coordinate(&jwk.x).filter(|point| is_sound_ed25519(point))?;
            Some(DecodingKey::from_ed_der(&point))
        }
        "EC" => {
            let (x, y) = (coordinate(&jwk.x)?, coordinate(&jwk.y)?);
            // SEC 1 §2.3.3: an uncompressed point.
            Some(DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat()))
        }
        "RSA" => Some(DecodingKey::from_rsa_raw_components(&member(&jwk.n)?, &member(&jwk.e)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_usable(point: &[u8; COORDINATE_BYTES]) -> bool {
        let keys = KeySet::from_jwks(&JwkSet { keys: vec![PublicJwk::ed25519(point)] });
        !keys.expect("one key").is_empty()
    }

    #[test]
    fn points_of_small_order_and_other_spellings_are_no_keys() {
        let good = crate::TokenKey::generate().expect("random").public().clone();
        let set = JwkSet { keys: vec![good] };
        assert!(!KeySet::from_jwks(&set).expect("one key").is_empty());
        for mut point in SMALL_ORDER {
            assert!(!is_usable(&point), "{point:x?}");
            point[COORDINATE_BYTES - 1] |= 0x80;
            assert!(!is_usable(&point), "{point:x?} with the other sign");
        }
        // p to p + 18 spell 0 to 18 a second time.
        let mut point = MINUS_ONE;
        for last in 0xed..=0xff {
            point[0] = last;
            assert!(!is_usable(&point), "{point:x?}");
        }
        let mut beside = SMALL_ORDER[2];
        beside[0] ^= 1;
        assert!(is_usable(&beside), "only the points themselves are refused");
    }
}
