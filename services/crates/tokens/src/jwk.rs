//! Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037 §2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// One public key. Members that this crate does not use are dropped when it is parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicJwk {
    /// The key type: `OKP`, `EC`, `RSA`.
    pub kty: String,
    /// The key's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Its use: `sig` or `enc`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub key_use: Option<String>,
    /// The one algorithm for which it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// The curve of an `OKP` or `EC` key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The point or its first coordinate, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The second coordinate, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// RSA modulus, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

/// A JWK Set (RFC 7517 §5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<PublicJwk>,
}

impl PublicJwk {
    /// The Ed25519 public key with these bytes; its id is its thumbprint.
    pub fn ed25519(public_key: &[u8; 32]) -> Self {
        let mut key = Self {
            kty: "OKP".into(),
            crv: Some("Ed25519".into()),
            x: Some(URL_SAFE_NO_PAD.encode(public_key)),
            key_use: Some("sig".into()),
            alg: Some("EdDSA".into()),
            ..Self::default()
        };
        key.kid = key.thumbprint();
        key
    }

    /// The RFC 7638 thumbprint (SHA-256, base64url), or `None` for an unknown key type.
    pub fn thumbprint(&self) -> Option<String> {
        // RFC 7638 §3.2: required members only, in lexicographic order, no white space.
        let quoted = |text: &Option<String>| text.as_ref().and_then(|t| serde_json::to_string(t).ok());
        let json = match self.kty.as_str() {
            "OKP" => format!(r#"{{"crv":{},"kty":"OKP","x":{}}}"#, quoted(&self.crv)?, quoted(&self.x)?),
            "EC" => {
                let (crv, x, y) = (quoted(&self.crv)?, quoted(&self.x)?, quoted(&self.y)?);
                format!(r#"{{"crv":{crv},"kty":"EC","x":{x},"y":{y}}}"#)
            }
            "RSA" => format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, quoted(&self.e)?, quoted(&self.n)?),
            _ => return None,
        };
        Some(URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, json.as_bytes())))
    }
}

impl JwkSet {
    /// Parses a set. Keys of an unknown type or shape are left out, as RFC 7517 §5 requires.
    ///
    /// # Errors
    /// When it is not a JSON object with an array `keys`.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Raw {
            keys: Vec<serde_json::Value>,
        }
        let raw: Raw = serde_json::from_slice(json)?;
        Ok(Self { keys: raw.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037 appendix A.2 and A.3.
    #[test]
    fn the_thumbprint_of_the_rfc_8037_key() {
        let bytes = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("base64url");
        let key = PublicJwk::ed25519(bytes.as_slice().try_into().expect("32 bytes"));
        assert_eq!(key.kid.as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    }

    #[test]
    fn a_key_of_an_unknown_shape_is_left_out_and_the_rest_stays() {
        let set = JwkSet::parse(br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"},{"kty":7},"?"]}"#);
        assert_eq!(set.expect("a set").keys.len(), 1);
        assert!(JwkSet::parse(b"[]").is_err());
        assert!(JwkSet::parse(b"{\"keys\":{}}").is_err());
    }
}
