//! Proof key for code exchange (RFC 7636), method `S256` only, and random texts that nobody can guess.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

use crate::KeyFault;

/// 256 bits from the operating system, base64url: 43 characters. For codes, states, nonces,
/// verifiers and machine clients' secrets.
///
/// # Errors
/// [`KeyFault::NoRandomness`].
pub fn unguessable() -> Result<String, KeyFault> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| KeyFault::NoRandomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The random verifier of one authorization request, and its challenge.
pub struct Pkce {
    /// The verifier, which the client keeps until it redeems the code.
    pub verifier: String,
    /// The challenge, which the client sends with the request and `code_challenge_method=S256`.
    pub challenge: String,
}

impl Pkce {
    /// Draws a verifier.
    ///
    /// # Errors
    /// [`KeyFault::NoRandomness`].
    pub fn draw() -> Result<Self, KeyFault> {
        let verifier = unguessable()?;
        Ok(Self { challenge: challenge_of(&verifier), verifier })
    }

    /// Whether `unverified_verifier` has the form of RFC 7636 §4.1 and `challenge` was made from it.
    pub fn is_proof(challenge: &str, unverified_verifier: &str) -> bool {
        let shaped = (43..=128).contains(&unverified_verifier.len())
            && unverified_verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        shaped && challenge_of(unverified_verifier) == challenge
    }

    /// Whether a text has the form of an `S256` challenge: 32 bytes in base64url without padding.
    pub fn is_challenge(unverified_challenge: &str) -> bool {
        URL_SAFE_NO_PAD.decode(unverified_challenge).is_ok_and(|bytes| bytes.len() == 32)
    }
}

/// Computes the challenge of a verifier (RFC 7636 §4.2): `BASE64URL(SHA256(ASCII(verifier)))`.
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_rfc_7636() {
        assert!(Pkce::is_proof(CHALLENGE, VERIFIER));
        assert!(Pkce::is_challenge(CHALLENGE));
    }

    #[test]
    fn another_verifier_is_no_proof() {
        let padded = format!("{VERIFIER} ");
        let long = "a".repeat(129);
        for verifier in ["", "short", &VERIFIER[1..], CHALLENGE, &padded, &long] {
            assert!(!Pkce::is_proof(CHALLENGE, verifier), "{verifier:?}");
        }
        // The method `plain`, where the challenge is the verifier, proves nothing here.
        assert!(!Pkce::is_proof(VERIFIER, VERIFIER));
    }

    #[test]
    fn what_is_not_32_bytes_is_no_challenge() {
        for challenge in ["", "AAAA", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", "not base64url!"] {
            assert!(!Pkce::is_challenge(challenge), "{challenge:?}");
        }
    }

    #[test]
    fn drawn_texts_differ() {
        let (one, other) = (Pkce::draw().expect("random"), Pkce::draw().expect("random"));
        assert_ne!(one.verifier, other.verifier);
        assert!(Pkce::is_proof(&one.challenge, &one.verifier));
    }
}
