//! SHA-256, the only hash that the exchange uses.

use ring::digest::{SHA256, SHA256_OUTPUT_LEN};
use rovuma_schemas::Digest;

/// The SHA-256 digest of `bytes`.
pub fn digest(bytes: &[u8]) -> Digest {
    let mut out = [0; SHA256_OUTPUT_LEN];
    out.copy_from_slice(ring::digest::digest(&SHA256, bytes).as_ref());
    Digest::from_bytes(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-2, appendix B.1.
    #[test]
    fn sha_256_of_abc() {
        assert_eq!(digest(b"abc").to_string(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }
}
