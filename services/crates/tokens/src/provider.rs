//! The cryptography of `jsonwebtoken`: *ring*, for the algorithms in use and no others.
//!
//! The library's own providers would bring a second crypto stack. This one verifies EdDSA, ES256,
//! PS256 and RS256 and signs EdDSA. It refuses everything else, above all the symmetric algorithms, as a last line behind
//! all other checks.

mod sign;
mod verify;

use jsonwebtoken::crypto::{CryptoProvider, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};

static RING: CryptoProvider = CryptoProvider {
    signer_factory: sign::signer,
    verifier_factory: verify::verifier,
    // This crate makes thumbprints and JWKs itself, so the library's helpers for them stay unused.
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(unsupported()),
        rsa_pub_components_from_public_key: |_| Err(unsupported()),
        ec_pub_components_from_private_key: |_, _| Err(unsupported()),
        ed_pub_components_from_private_key: |_, _| Err(unsupported()),
        compute_digest: |_, _| Err(unsupported()),
    },
};

/// Makes *ring* the cryptography of `jsonwebtoken` in this process. May be called any number of times: only this crate names
/// the library, so a provider that is installed already is this one.
pub(crate) fn install() {
    let _already_installed = RING.install_default();
}

fn unsupported() -> Error {
    Error::from(ErrorKind::UnsupportedAlgorithm)
}
