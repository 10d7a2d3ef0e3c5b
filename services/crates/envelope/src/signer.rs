//! Signers: a key in a file now, a hardware module later.

use std::fmt;

use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use zeroize::Zeroizing;

use crate::{KeyId, PublicKey, pem};

/// The label of a private key's PEM text (RFC 7468, section 10).
const PEM_LABEL: &str = "PRIVATE KEY";

/// An Ed25519 signature (RFC 8032): 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; Self::LEN]);

impl Signature {
    /// Bytes of a signature.
    pub const LEN: usize = 64;

    /// The signature with these bytes.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(…)")
    }
}

/// A signature algorithm that a trust list binds to a key. The message never chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    /// The value of `alg` in JOSE headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A private key, wherever it is kept. Signing may take long, as with a module behind a network.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The key's name in JOSE headers and the trust list.
    fn key_id(&self) -> &KeyId {
        self.public_key().key_id()
    }

    /// The algorithm of its signatures.
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    /// Signs `bytes`.
    ///
    /// # Errors
    /// [`SignerFault`] when the key's holder refuses or does not answer.
    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignerFault>;
}

/// The holder of a private key did not sign.
#[derive(Debug, thiserror::Error)]
#[error("key {key_id} did not sign: {reason}")]
pub struct SignerFault {
    /// The key that should have signed.
    pub key_id: KeyId,
    /// The reason that its holder gave.
    pub reason: String,
}

/// A signing key's text cannot be read. The error does not repeat the text.
#[derive(Debug, thiserror::Error)]
pub enum BadSigningKey {
    /// The text is not PEM with the label `PRIVATE KEY`.
    #[error("not a PEM text labelled \"PRIVATE KEY\"")]
    NotPem,
    /// The content is not PKCS#8 v2 of an Ed25519 key.
    #[error("not a PKCS#8 v2 Ed25519 key: {0}")]
    NotEd25519(String),
    /// The machine's random number generator failed.
    #[error("the random number generator failed")]
    NoRandomness,
}

/// An Ed25519 private key held in memory, kept in a PKCS#8 v2 PEM file (RFC 5958, RFC 8410).
///
/// Whoever holds the PEM text wipes it: use [`Zeroizing`]. *ring* keeps the private half for as long as
/// this value lives and does not wipe it afterwards.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// Draws a new key and returns its PEM text, for a file that only its owner can read.
    ///
    /// # Errors
    /// [`BadSigningKey::NoRandomness`].
    pub fn generate_pem() -> Result<Zeroizing<String>, BadSigningKey> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| BadSigningKey::NoRandomness)?;
        // ring's document does not wipe itself; it lives on this stack frame only.
        Ok(pem::encode(PEM_LABEL, document.as_ref()))
    }

    /// Draws a new key that is never written to a file, for tests and short-lived tools.
    ///
    /// # Errors
    /// [`BadSigningKey::NoRandomness`].
    pub fn generate() -> Result<Self, BadSigningKey> {
        Self::from_pkcs8_pem(&Self::generate_pem()?)
    }

    /// Reads a key from its PEM text. The public half in the text must belong to the private one.
    ///
    /// # Errors
    /// [`BadSigningKey`] for anything but one PKCS#8 v2 Ed25519 key.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, BadSigningKey> {
        let der = pem::decode(PEM_LABEL, text).ok_or(BadSigningKey::NotPem)?;
        let pair =
            Ed25519KeyPair::from_pkcs8(&der).map_err(|fault| BadSigningKey::NotEd25519(fault.to_string()))?;
        Ok(Self::from_pair(pair))
    }

    fn from_pair(pair: Ed25519KeyPair) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(pair.public_key().as_ref());
        Self { public: PublicKey::from_bytes(bytes), pair }
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignerFault> {
        let mut signature = [0; Signature::LEN];
        signature.copy_from_slice(self.pair.sign(bytes).as_ref());
        Ok(Signature(signature))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.key_id())
    }
}
