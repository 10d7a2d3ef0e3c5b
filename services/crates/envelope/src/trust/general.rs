//! JWS in General JSON serialisation (RFC 7515, section 7.2.1): one payload, several signatures.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Jws, PublicKey, Signature, SignatureFault, Signer, SignerFault, Typ};

/// Maximum signatures in one text. A succession needs two.
const SIGNATURES_MAX: usize = 4;

/// A payload and the signatures over it. Nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneralJws {
    /// One or more signatures, all over the same payload.
    signatures: Vec<Jws>,
}

/// The JSON text is not a JWS in General serialisation.
#[derive(Debug, thiserror::Error)]
#[error("not a JWS in General JSON serialisation: {0}")]
pub struct BadGeneralJws(String);

impl GeneralJws {
    /// Signs `payload` with every one of `signers`.
    ///
    /// # Errors
    /// [`SignerFault`] of the first key that does not sign.
    pub fn sign(typ: Typ, payload: &[u8], signers: &[&dyn Signer]) -> Result<Self, SignerFault> {
        let sign = |signer: &&dyn Signer| Jws::sign(typ, payload.to_vec(), *signer);
        Ok(Self { signatures: signers.iter().map(sign).collect::<Result<_, _>>()? })
    }

    /// Reads the JSON text.
    ///
    /// # Errors
    /// [`BadGeneralJws`], also for unknown members: an unprotected header has no meaning here.
    pub fn from_json(json: &[u8]) -> Result<Self, BadGeneralJws> {
        serde_json::from_slice(json).map_err(|fault| BadGeneralJws(fault.to_string()))
    }

    /// The payload. It is not verified.
    pub fn unverified_payload(&self) -> &[u8] {
        self.signatures.first().map_or(&[], Jws::unverified_payload)
    }

    /// The number of signatures.
    pub fn signature_count(&self) -> usize {
        self.signatures.len()
    }

    /// Checks that one of the signatures is by `key` for the purpose `typ`, and returns the payload.
    ///
    /// # Errors
    /// [`SignatureFault`] of the last signature.
    pub fn verify_with(&self, key: &PublicKey, typ: Typ) -> Result<&[u8], SignatureFault> {
        let mut result = Err(SignatureFault::Signature { kid: *key.key_id() });
        for signature in &self.signatures {
            result = signature.verify_with(key, typ);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    protected: String,
    signature: String,
}

impl Serialize for GeneralJws {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signature = |jws: &Jws| WireSignature {
            protected: URL_SAFE_NO_PAD.encode(jws.protected()),
            signature: URL_SAFE_NO_PAD.encode(jws.signature().as_bytes()),
        };
        let wire = Wire {
            payload: URL_SAFE_NO_PAD.encode(self.unverified_payload()),
            signatures: self.signatures.iter().map(signature).collect(),
        };
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for GeneralJws {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Wire::deserialize(deserializer)?.read().map_err(de::Error::custom)
    }
}

impl Wire {
    fn read(self) -> Result<GeneralJws, &'static str> {
        if self.signatures.is_empty() || self.signatures.len() > SIGNATURES_MAX {
            return Err("not 1 to 4 signatures");
        }
        let payload = decode(&self.payload)?;
        let signatures = self.signatures.iter().map(|wire| wire.read(&payload)).collect::<Result<_, _>>()?;
        Ok(GeneralJws { signatures })
    }
}

impl WireSignature {
    fn read(&self, payload: &[u8]) -> Result<Jws, &'static str> {
        let signature = decode(&self.signature)?.try_into().map_err(|_| "a signature is not 64 bytes")?;
        let protected = decode(&self.protected)?;
        Ok(Jws::from_segments(protected, payload.to_vec(), Signature::from_bytes(signature)))
    }
}

fn decode(text: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| "not base64url")
}
