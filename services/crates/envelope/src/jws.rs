//! JWS (RFC 7515) as its three raw segments.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_schemas::Digest;

use crate::{
    KeyId, PublicKey, Signature, Signer, SignerFault, digest,
    protected::{self, BadProtected, Typ},
};

/// A JWS as three raw segments: protected header, payload, signature. Nothing in it is verified.
///
/// The bytes are kept exactly as they were signed or received, and are never serialised again.
#[derive(Clone, PartialEq, Eq)]
pub struct Jws {
    protected: Vec<u8>,
    payload: Vec<u8>,
    signature: Signature,
}

/// A text that is not a JWS in compact serialisation.
#[derive(Debug, thiserror::Error)]
#[error("not a compact JWS: {0}")]
pub struct BadJws(&'static str);

/// A JWS does not verify with a key. For logs: outsiders get one code for all of these.
#[derive(Debug, thiserror::Error)]
pub enum SignatureFault {
    /// The protected header is not one of ours.
    #[error(transparent)]
    Protected(#[from] BadProtected),
    /// Another key signed it than the one expected.
    #[error("signed by key {got}, expected {expected}")]
    OtherKey {
        /// The key that was expected to sign.
        expected: KeyId,
        /// The key that the header names.
        got: KeyId,
    },
    /// The signature does not match key and bytes.
    #[error("bad signature by key {kid}")]
    Signature {
        /// The key that the header names.
        kid: KeyId,
    },
}

impl Jws {
    /// Signs `payload` for the purpose `typ`.
    ///
    /// # Errors
    /// [`SignerFault`] when the signer refuses or does not answer.
    pub fn sign(typ: Typ, payload: Vec<u8>, signer: &dyn Signer) -> Result<Self, SignerFault> {
        let protected = protected::write(signer.algorithm(), typ, signer.key_id());
        let signature = signer.sign(signing_input(&protected, &payload).as_bytes())?;
        Ok(Self { protected, payload, signature })
    }

    /// Makes a JWS of these segments.
    pub fn from_segments(protected: Vec<u8>, payload: Vec<u8>, signature: Signature) -> Self {
        Self { protected, payload, signature }
    }

    /// Reads the compact serialisation (RFC 7515, section 7.1).
    ///
    /// # Errors
    /// [`BadJws`] when it is not three segments of canonical base64url, or the third is not 64 bytes.
    pub fn from_compact(text: &str) -> Result<Self, BadJws> {
        let mut segments = text.split('.');
        let mut next = || {
            let segment = segments.next().ok_or(BadJws("fewer than three segments"))?;
            URL_SAFE_NO_PAD.decode(segment).map_err(|_| BadJws("a segment is not base64url"))
        };
        let (protected, payload, signature) = (next()?, next()?, next()?);
        if segments.next().is_some() {
            return Err(BadJws("more than three segments"));
        }
        let signature = signature.try_into().map_err(|_| BadJws("the signature is not 64 bytes"))?;
        Ok(Self { protected, payload, signature: Signature::from_bytes(signature) })
    }

    /// The compact serialisation, which every JOSE library reads.
    pub fn to_compact(&self) -> String {
        let mut text = signing_input(&self.protected, &self.payload);
        self.push_signature(&mut text);
        text
    }

    /// SHA-256 of the compact serialisation. Receipts name a message by it.
    pub fn digest(&self) -> Digest {
        digest(self.to_compact().as_bytes())
    }

    /// The protected header's bytes.
    pub fn protected(&self) -> &[u8] {
        &self.protected
    }

    /// The payload's bytes. They are not verified.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The key that the header names, if the header is valid for the purpose `typ`.
    ///
    /// # Errors
    /// [`BadProtected`].
    pub fn unverified_key_id(&self, typ: Typ) -> Result<KeyId, BadProtected> {
        protected::read(&self.protected, typ)
    }

    /// Checks that `key` signed this for the purpose `typ`, and returns the payload.
    ///
    /// # Errors
    /// [`SignatureFault`].
    pub fn verify_with(&self, key: &PublicKey, typ: Typ) -> Result<&[u8], SignatureFault> {
        self.check(key, typ, signing_input(&self.protected, &self.payload).as_bytes())?;
        Ok(&self.payload)
    }

    /// Does [`Self::verify_with`] and [`Self::digest`] in one pass over the text.
    pub(crate) fn verify_and_digest(&self, key: &PublicKey, typ: Typ) -> Result<Digest, SignatureFault> {
        let mut text = signing_input(&self.protected, &self.payload);
        self.check(key, typ, text.as_bytes())?;
        self.push_signature(&mut text);
        Ok(digest(text.as_bytes()))
    }

    fn check(&self, key: &PublicKey, typ: Typ, signing_input: &[u8]) -> Result<(), SignatureFault> {
        let kid = self.unverified_key_id(typ)?;
        if kid != *key.key_id() {
            return Err(SignatureFault::OtherKey { expected: *key.key_id(), got: kid });
        }
        key.verify(signing_input, &self.signature).map_err(|_| SignatureFault::Signature { kid })
    }

    fn push_signature(&self, text: &mut String) {
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(self.signature.as_bytes(), text);
    }
}

/// The bytes that are signed (RFC 7515, section 5.1, step 8).
fn signing_input(protected: &[u8], payload: &[u8]) -> String {
    // Reserve room for the signature's 87 characters too: `to_compact` appends them.
    let mut text = String::with_capacity((protected.len() + payload.len()) / 3 * 4 + 100);
    URL_SAFE_NO_PAD.encode_string(protected, &mut text);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    text
}

impl fmt::Debug for Jws {
    /// Shows the sizes and the protected header, never the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws")
            .field("digest", &self.digest())
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}
