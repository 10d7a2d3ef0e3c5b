//! The private key with which an identity service signs tokens.

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{ACCESS_TOKEN_TYPE, AccessClaims, ID_TOKEN_TYPE, IdClaims, PublicJwk, provider};

/// An Ed25519 key for signing tokens. `Debug` shows only its id, and its memory is wiped when it is dropped.
pub struct TokenKey {
    kid: String,
    public: PublicJwk,
    key: EncodingKey,
}

/// A key that cannot be generated, parsed or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    NoRandomness,
    /// Not an Ed25519 private key in PKCS#8 PEM (RFC 8410).
    #[error("not an Ed25519 private key in PKCS#8 PEM")]
    NotEd25519,
    /// The claims could not be serialised, or the key could not sign.
    #[error("token cannot be signed")]
    Signing,
}

impl TokenKey {
    /// Generates a key.
    ///
    /// # Errors
    /// [`KeyFault::NoRandomness`].
    pub fn generate() -> Result<Self, KeyFault> {
        let pkcs8 =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyFault::NoRandomness)?;
        Self::from_key(EncodingKey::from_ed_der(pkcs8.as_ref()))
    }

    /// Parses a key from PKCS#8 PEM (`-----BEGIN PRIVATE KEY-----`, RFC 8410 §7).
    ///
    /// # Errors
    /// [`KeyFault::NotEd25519`].
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyFault> {
        let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| KeyFault::NotEd25519)?;
        Self::from_key(key)
    }

    fn from_key(key: EncodingKey) -> Result<Self, KeyFault> {
        provider::install();
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes()).map_err(|_| KeyFault::NotEd25519)?;
        let bytes = pair.public_key().as_ref().try_into().map_err(|_| KeyFault::NotEd25519)?;
        let public = PublicJwk::ed25519(bytes);
        let kid = public.kid.clone().ok_or(KeyFault::NotEd25519)?;
        Ok(Self { kid, public, key })
    }

    /// The private key as PKCS#8 PEM, for a file that only its owner may read.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        let body = Zeroizing::new(STANDARD.encode(self.key.as_bytes()));
        let mut pem = Zeroizing::new(String::with_capacity(body.len() + 64));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        for line in body.as_bytes().chunks(64) {
            // Base64 is ASCII: each byte is one character.
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        pem
    }

    /// The key's id: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, for the JWK Set.
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// Signs an access token (RFC 9068).
    ///
    /// # Errors
    /// [`KeyFault::Signing`].
    pub fn mint_access(&self, claims: &AccessClaims) -> Result<String, KeyFault> {
        self.sign(ACCESS_TOKEN_TYPE, claims)
    }

    /// Signs an id token (OpenID Connect Core 1.0 §2).
    ///
    /// # Errors
    /// [`KeyFault::Signing`].
    pub fn mint_id(&self, claims: &IdClaims) -> Result<String, KeyFault> {
        self.sign(ID_TOKEN_TYPE, claims)
    }

    /// Signs any claims as a JWT of type `typ`, for client assertions and tests.
    ///
    /// # Errors
    /// [`KeyFault::Signing`].
    pub fn sign<T: Serialize>(&self, typ: &str, claims: &T) -> Result<String, KeyFault> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key).map_err(|_| KeyFault::Signing)
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_written_to_pem_reads_back_the_same() {
        let key = TokenKey::generate().expect("random bytes");
        let read = TokenKey::from_pkcs8_pem(&key.to_pkcs8_pem()).expect("what was written");
        assert_eq!(read.kid(), key.kid());
    }

    /// RFC 8410 §10.3: a private key as OpenSSL writes it (PKCS#8 version 1).
    #[test]
    fn the_rfc_8410_key_is_read() {
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
        let key = TokenKey::from_pkcs8_pem(pem).expect("the RFC's key");
        assert_eq!(key.public().x.as_deref(), Some("Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"));
    }

    #[test]
    fn other_pem_is_refused() {
        for pem in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(TokenKey::from_pkcs8_pem(pem).map(|_| ()), Err(KeyFault::NotEd25519));
        }
    }

    #[test]
    fn debug_output_does_not_show_the_key() {
        let key = TokenKey::generate().expect("random bytes");
        let shown = format!("{key:?}");
        assert!(shown.contains(key.kid()));
        assert!(!shown.contains("content") && shown.len() < 100);
    }
}
