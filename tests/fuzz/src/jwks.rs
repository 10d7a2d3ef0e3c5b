//! Target `jwks`: the JWK Set of an issuer or client, and tokens that name its keys.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::PublicKey;
use rovuma_tokens::{Assertion, AssertionRules, JwkSet, KeySet, SignatureAlgorithm};
use serde_json::json;

use crate::{
    fixture::now,
    token::{AUDIENCE, claims},
};

/// Sizes of signatures: Ed25519 and P-256, RSA 2048, and none.
const SIGNATURES: [usize; 3] = [64, 256, 0];

/// Maximum keys that are tried: more only make a run slow.
const KEYS_TRIED: usize = 4;

/// A set that parses can be written and read again unchanged; and checking a token with its keys ends, whatever the
/// keys are.
pub fn run(data: &[u8]) {
    if let Ok(key) = PublicKey::from_jwk(data) {
        assert_eq!(PublicKey::from_jwk(key.to_jwk().as_bytes()).expect("what is written reads back"), key);
    }
    let Ok(set) = JwkSet::parse(data) else { return };
    let written = serde_json::to_vec(&set).expect("JSON");
    assert_eq!(JwkSet::parse(&written).expect("what is written reads back"), set);
    for key in &set.keys {
        assert!(key.thumbprint().is_none_or(|name| name.len() == 43));
    }
    let Ok(keys) = KeySet::from_jwks(&set) else { return };
    for key in set.keys.iter().filter_map(|key| key.kid.as_deref()).take(KEYS_TRIED) {
        for algorithm in SignatureAlgorithm::ALL {
            SIGNATURES.iter().for_each(|size| check(key, algorithm, *size, &keys));
        }
    }
}

fn check(kid: &str, algorithm: SignatureAlgorithm, size: usize, keys: &KeySet) {
    let header = json!({ "alg": algorithm.as_str(), "kid": kid });
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let token = format!(
        "{}.{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims().to_string().as_bytes()),
        encode(&vec![1; size])
    );
    let rules = AssertionRules { client_id: "mz.prm.cad", audience: AUDIENCE, keys };
    // The claims name another client, so that the token stays invalid even if a key verified its signature.
    assert!(Assertion::check(&token, &rules, now()).is_err());
}

/// A modulus of 2048 bits, in the JWK form. Nobody knows its factors.
pub fn modulus() -> String {
    let bytes: Vec<u8> =
        (0..256_u32).map(|place| u8::try_from(place * 167 % 251).unwrap_or(1) | 0x81).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}
