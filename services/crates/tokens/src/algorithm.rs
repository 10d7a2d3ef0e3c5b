//! The signature algorithms of tokens (RFC 7518, RFC 8037).

use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};

/// An algorithm that an issuer may be allowed to use. There is no symmetric one and no `none`: a service that can check a
/// token must not be able to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SignatureAlgorithm {
    /// Ed25519 (RFC 8037), which Rovuma's own identity service uses.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PSS with SHA-256 (RFC 7518 §3.5).
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3): outdated, but the default of most providers.
    #[serde(rename = "RS256")]
    Rs256,
}

impl SignatureAlgorithm {
    /// Every algorithm that can be allowed.
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Ps256, Self::Rs256];

    /// The name in a JOSE header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    pub(crate) const fn to_library(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
            Self::Ps256 => Algorithm::PS256,
            Self::Rs256 => Algorithm::RS256,
        }
    }

    /// `None` for an algorithm that this crate never accepts.
    pub(crate) fn from_library(algorithm: Algorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.to_library() == algorithm)
    }
}
