//! The protected header of a JWS: exactly `alg`, `typ` and `kid`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Algorithm, KeyId};

/// The purpose of a JWS (`typ`, RFC 7515, section 4.1.9): a signature made for one purpose is never
/// accepted for another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Typ(&'static str);

impl Typ {
    /// A message between agencies.
    pub const MESSAGE: Self = Self("rovuma+jws");
    /// A country's trust list.
    pub const TRUST_LIST: Self = Self("rovuma-trust+jws");
    /// The hand-over from one authority key to the next.
    pub const SUCCESSION: Self = Self("rovuma-succession+jws");
    /// A batch of audit events.
    pub const AUDIT: Self = Self("rovuma-audit+jws");
    /// The audit service's acknowledgement of a batch.
    pub const AUDIT_ACK: Self = Self("rovuma-audit-ack+jws");

    /// A purpose that the caller defines.
    pub const fn new(typ: &'static str) -> Self {
        Self(typ)
    }

    /// The value of `typ` in the header.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for Typ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Typ({})", self.0)
    }
}

impl fmt::Display for Typ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Maximum bytes of a protected header. Three short members need far less.
const PROTECTED_MAX: usize = 512;

/// A protected header that is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum BadProtected {
    /// Not a JSON object of exactly `alg`, `typ`, `kid`, each once.
    #[error("protected header is not exactly alg, typ and kid: {0}")]
    Shape(String),
    /// The header names another purpose.
    #[error("typ is not {expected}")]
    Typ {
        /// The purpose that was expected.
        expected: &'static str,
    },
}

/// Unknown members are refused, `crit`, `b64`, `jwk`, `jku` and `x5c` among them: each would let the
/// message choose how it is verified.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Protected<'a> {
    alg: Algorithm,
    #[serde(borrow)]
    typ: std::borrow::Cow<'a, str>,
    kid: KeyId,
}

/// Writes the header for a signature by `kid`.
pub(crate) fn write(algorithm: Algorithm, typ: Typ, kid: &KeyId) -> Vec<u8> {
    format!(r#"{{"alg":"{}","typ":"{typ}","kid":"{kid}"}}"#, algorithm.as_str()).into_bytes()
}

/// Reads the key id from a header with the purpose `typ`.
pub(crate) fn read(bytes: &[u8], typ: Typ) -> Result<KeyId, BadProtected> {
    // serde would also accept an array in the place of a struct.
    if bytes.len() > PROTECTED_MAX || bytes.first() != Some(&b'{') {
        return Err(BadProtected::Shape("not a short JSON object".to_owned()));
    }
    let header: Protected<'_> =
        serde_json::from_slice(bytes).map_err(|fault| BadProtected::Shape(fault.to_string()))?;
    let Algorithm::EdDsa = header.alg;
    if header.typ == typ.as_str() {
        Ok(header.kid)
    } else {
        Err(BadProtected::Typ { expected: typ.as_str() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KID: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn taken(json: &str) -> bool {
        read(json.as_bytes(), Typ::MESSAGE).is_ok()
    }

    #[test]
    fn what_is_written_reads_back_in_any_order() {
        let kid: KeyId = KID.parse().expect("a thumbprint");
        let written = write(Algorithm::EdDsa, Typ::MESSAGE, &kid);
        assert_eq!(read(&written, Typ::MESSAGE).expect("reads back"), kid);
        assert!(taken(&format!(r#"{{ "kid":"{KID}", "typ":"rovuma+jws", "alg":"EdDSA" }}"#)));
    }

    #[test]
    fn the_message_does_not_choose_how_it_is_checked() {
        let base = format!(r#""typ":"rovuma+jws","kid":"{KID}""#);
        for alg in ["none", "None", "HS256", "ES256", "RS256", "Ed25519", "eddsa", ""] {
            assert!(!taken(&format!(r#"{{"alg":"{alg}",{base}}}"#)), "alg {alg}");
        }
        for extra in [
            r#""crit":["b64"],"b64":false"#,
            r#""crit":[]"#,
            r#""b64":true"#,
            r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            r#""jku":"https://example.org/keys""#,
            r#""x5c":[]"#,
            r#""cty":"JWT""#,
            r#""alg":"EdDSA""#,
            r#""typ":"rovuma+jws""#,
            r#""":1"#,
        ] {
            assert!(!taken(&format!(r#"{{"alg":"EdDSA",{base},{extra}}}"#)), "{extra}");
        }
    }

    #[test]
    fn members_may_not_be_missing_or_misshapen() {
        for json in [
            "",
            "{}",
            "null",
            &format!(r#"["EdDSA","rovuma+jws","{KID}"]"#),
            &format!(r#"{{"alg":"EdDSA","kid":"{KID}"}}"#),
            &format!(r#"{{"typ":"rovuma+jws","kid":"{KID}"}}"#),
            r#"{"alg":"EdDSA","typ":"rovuma+jws"}"#,
            r#"{"alg":"EdDSA","typ":"rovuma+jws","kid":"mz.prm"}"#,
            &format!(r#"{{"alg":"EdDSA","typ":"JWT","kid":"{KID}"}}"#),
            &format!(r#"{{"alg":"EdDSA","typ":"rovuma-audit+jws","kid":"{KID}"}}"#),
            &format!(r#"{{"alg":"EdDSA","typ":"ROVUMA+JWS","kid":"{KID}"}}"#),
            &format!(r#"{{"alg":"EdDSA","typ":"rovuma+jws","kid":"{KID}"}}x"#),
            &format!(r#"{{"alg":"EdDSA","typ":"rovuma+jws","kid":"{KID}"{}}}"#, " ".repeat(512)),
        ] {
            assert!(!taken(json), "{json}");
        }
    }
}
