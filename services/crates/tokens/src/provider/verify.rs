//! Verifies EdDSA, ES256, PS256 and RS256.

use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

/// A public key with a fixed encoding: Ed25519 (32 bytes) or an uncompressed P-256 point.
struct PlainVerifier {
    algorithm: Algorithm,
    scheme: &'static dyn VerificationAlgorithm,
    key: Vec<u8>,
}

/// An RSA public key; ring accepts moduli of 2048 to 8192 bits only.
struct RsaVerifier {
    algorithm: Algorithm,
    scheme: &'static signature::RsaParameters,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

pub(super) fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if key.family() != algorithm.family() {
        return Err(Error::from(ErrorKind::InvalidAlgorithm));
    }
    match algorithm {
        Algorithm::EdDSA => plain(*algorithm, &signature::ED25519, key),
        Algorithm::ES256 => plain(*algorithm, &signature::ECDSA_P256_SHA256_FIXED, key),
        Algorithm::PS256 => rsa(*algorithm, &signature::RSA_PSS_2048_8192_SHA256, key),
        Algorithm::RS256 => rsa(*algorithm, &signature::RSA_PKCS1_2048_8192_SHA256, key),
        _ => Err(super::unsupported()),
    }
}

fn plain(
    algorithm: Algorithm,
    scheme: &'static dyn VerificationAlgorithm,
    key: &DecodingKey,
) -> Result<Box<dyn JwtVerifier>, Error> {
    debug_assert!(matches!(key.family(), AlgorithmFamily::Ed | AlgorithmFamily::Ec));
    let key = key.try_get_as_bytes()?.to_vec();
    Ok(Box::new(PlainVerifier { algorithm, scheme, key }))
}

fn rsa(
    algorithm: Algorithm,
    scheme: &'static signature::RsaParameters,
    key: &DecodingKey,
) -> Result<Box<dyn JwtVerifier>, Error> {
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else {
        return Err(Error::from(ErrorKind::InvalidKeyFormat));
    };
    Ok(Box::new(RsaVerifier { algorithm, scheme, modulus: n.clone(), exponent: e.clone() }))
}

impl Verifier<Vec<u8>> for PlainVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        UnparsedPublicKey::new(self.scheme, &self.key)
            .verify(message, signature)
            .map_err(|_| SignatureError::new())
    }
}

impl Verifier<Vec<u8>> for RsaVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent }
            .verify(self.scheme, message, signature)
            .map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for PlainVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl JwtVerifier for RsaVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
