//! SHA-256, the only hash that the exchange uses.

use std::fmt;

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use rovuma_schemas::Digest;

/// The SHA-256 digest of `bytes`.
pub fn digest(bytes: &[u8]) -> Digest {
    to_digest(&ring::digest::digest(&SHA256, bytes))
}

/// Takes the SHA-256 digest of bytes that come piece by piece.
#[derive(Clone)]
pub struct Digester(Context);

impl Digester {
    /// A digest of no bytes yet.
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes.
    pub fn finish(self) -> Digest {
        to_digest(&self.0.finish())
    }
}

impl Default for Digester {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Digester {
    /// Shows nothing of the bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester")
    }
}

fn to_digest(found: &ring::digest::Digest) -> Digest {
    let mut out = [0; SHA256_OUTPUT_LEN];
    out.copy_from_slice(found.as_ref());
    Digest::from_bytes(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn sha_256_of_abc() {
        assert_eq!(digest(b"abc").to_string(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        let mut digester = Digester::new();
        digester.update(b"a");
        digester.update(b"bc");
        assert_eq!(digester.finish(), digest(b"abc"));
    }
}
