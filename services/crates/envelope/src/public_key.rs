//! Ed25519 public keys as JSON Web Keys (RFC 8037, section 2).

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

use crate::{KeyId, Signature, digest};

/// An Ed25519 public key (RFC 8032), a JWK `{"kty":"OKP","crv":"Ed25519","x":…}` on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey {
    bytes: [u8; 32],
    key_id: KeyId,
}

/// The JSON text is not an Ed25519 public key.
#[derive(Debug, thiserror::Error)]
#[error("not an Ed25519 public key (JWK, RFC 8037): {0}")]
pub struct BadPublicKey(String);

/// The signature does not match key and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit")]
pub struct BadSignature;

impl PublicKey {
    /// The key with these 32 bytes (RFC 8032, section 5.1.5).
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        // RFC 7638, section 3.2 with RFC 8037, section 2: the required members in lexical order.
        let thumbprint_input =
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(bytes));
        Self { bytes, key_id: KeyId::from_thumbprint(digest(thumbprint_input.as_bytes())) }
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key's RFC 7638 thumbprint.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// Reads a JWK. Members `kid`, `alg` and `use` are optional and must match the key.
    ///
    /// # Errors
    /// [`BadPublicKey`] for any other key type, an unknown or repeated member, a private key.
    pub fn from_jwk(json: &[u8]) -> Result<Self, BadPublicKey> {
        serde_json::from_slice(json).map_err(|fault| BadPublicKey(fault.to_string()))
    }

    /// The key as a JWK with its `kid`, as key files have it.
    pub fn to_jwk(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.bytes);
        format!(
            r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{}","alg":"EdDSA","use":"sig"}}"#,
            self.key_id
        )
    }

    /// Checks an Ed25519 signature over `bytes`.
    ///
    /// # Errors
    /// [`BadSignature`], which does not tell what is wrong.
    pub fn verify(&self, bytes: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ED25519, self.bytes)
            .verify(bytes, signature.as_bytes())
            .map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut jwk = serializer.serialize_struct("Jwk", 3)?;
        jwk.serialize_field("kty", "OKP")?;
        jwk.serialize_field("crv", "Ed25519")?;
        jwk.serialize_field("x", &URL_SAFE_NO_PAD.encode(self.bytes))?;
        jwk.end()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    kid: Option<KeyId>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Jwk::deserialize(deserializer)?.into_key().map_err(de::Error::custom)
    }
}

impl Jwk {
    fn into_key(self) -> Result<PublicKey, &'static str> {
        if self.kty != "OKP" || self.crv != "Ed25519" {
            return Err("kty is not OKP with crv Ed25519");
        }
        if self.alg.is_some_and(|alg| alg != "EdDSA") || self.usage.is_some_and(|usage| usage != "sig") {
            return Err("alg is not EdDSA with use sig");
        }
        let bytes = URL_SAFE_NO_PAD.decode(&self.x).map_err(|_| "x is not base64url")?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| "x is not 32 bytes")?;
        let key = PublicKey::from_bytes(bytes);
        if self.kid.is_some_and(|kid| kid != key.key_id) {
            return Err("kid is not the key's thumbprint");
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.2.
    const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    /// RFC 8037, appendix A.3.
    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        let key = PublicKey::from_jwk(JWK.as_bytes()).expect("the RFC's key");
        assert_eq!(key.key_id().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(PublicKey::from_jwk(key.to_jwk().as_bytes()).expect("reads back"), key);
        assert_eq!(serde_json::to_string(&key).expect("serialises"), JWK);
    }

    #[test]
    fn other_keys_are_refused() {
        let with = |member: &str| JWK.replacen('{', &format!("{{{member},"), 1);
        for json in [
            JWK.replace("OKP", "EC"),
            JWK.replace("Ed25519", "X25519"),
            JWK.replace("Ed25519", "Ed448"),
            JWK.replace("11qY", ""),
            JWK.replace("HURo", "HURp"),
            JWK.replace("HURo", "HURo="),
            with(r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#),
            with(r#""x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#),
            with(r#""kid":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#),
            with(r#""alg":"none""#),
            with(r#""use":"enc""#),
            "[]".to_owned(),
        ] {
            assert!(PublicKey::from_jwk(json.as_bytes()).is_err(), "{json} was taken");
        }
    }
}
