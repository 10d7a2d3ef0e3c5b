//! The name of a signing key: its RFC 7638 thumbprint.

use std::{fmt, str::FromStr};

use rovuma_schemas::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The RFC 7638 thumbprint (SHA-256, base64url) of an Ed25519 public key: `kid` in JOSE headers.
///
/// It is computed from the key alone, so two keys never share one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Digest);

/// The text is not a key id.
#[derive(Debug, thiserror::Error)]
#[error("not a key id (RFC 7638 thumbprint, 43 characters of base64url)")]
pub struct BadKeyId;

impl KeyId {
    pub(crate) fn from_thumbprint(thumbprint: Digest) -> Self {
        Self(thumbprint)
    }

    /// The 32 bytes of the thumbprint, as stores keep them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The key id with these 32 bytes.
    ///
    /// # Errors
    /// [`BadKeyId`] when they are not 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, BadKeyId> {
        Digest::from_slice(bytes).map(Self).map_err(|_| BadKeyId)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = BadKeyId;

    fn from_str(text: &str) -> Result<Self, BadKeyId> {
        text.parse().map(Self).map_err(|_| BadKeyId)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_thumbprint_is_a_key_id() {
        let good = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        assert_eq!(good.parse::<KeyId>().expect("a thumbprint").to_string(), good);
        // Too short, too long, padded, standard alphabet, and a last character with stray bits.
        for bad in [
            "",
            "kPrK",
            &format!("{good}A"),
            &format!("{good}="),
            &good.replace('_', "/"),
            &format!("{}l", &good[..42]),
        ] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad:?} was taken");
        }
    }
}
