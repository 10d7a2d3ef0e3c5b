//! Signs with Ed25519 (RFC 8037), and with nothing else.

use jsonwebtoken::crypto::JwtSigner;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Signer};
use jsonwebtoken::{Algorithm, AlgorithmFamily, EncodingKey};
use ring::signature::Ed25519KeyPair;

struct Ed25519Signer(Ed25519KeyPair);

pub(super) fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    if *algorithm != Algorithm::EdDSA || key.family() != AlgorithmFamily::Ed {
        return Err(super::unsupported());
    }
    // OpenSSL writes version 1 of PKCS#8 (RFC 5208), which has no public key to check against.
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.as_bytes())
        .map(|pair| Box::new(Ed25519Signer(pair)) as Box<dyn JwtSigner>)
        .map_err(|_| Error::from(ErrorKind::InvalidEddsaKey))
}

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.0.sign(message).as_ref().to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}
