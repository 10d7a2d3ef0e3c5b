//! ES256, PS256 and RS256, and keys that are not for what a token says.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, KeyPair, RsaEncoding, RsaKeyPair},
};
use rovuma_tokens::{IssuerConfig, PublicJwk, SignatureAlgorithm, TokenError};
use serde_json::json;

use crate::support::{AUDIENCE, ISSUER, claims, encode, key, now, verifier_of};

const ALL: [SignatureAlgorithm; 4] = SignatureAlgorithm::ALL;

struct Rsa(RsaKeyPair);

impl Rsa {
    fn new() -> Self {
        Self(RsaKeyPair::from_pkcs8(include_bytes!("../data/rsa-2048.pk8")).expect("a key"))
    }

    fn jwk(&self, alg: Option<&str>) -> PublicJwk {
        let components = signature::RsaPublicKeyComponents::<Vec<u8>>::from(self.0.public());
        PublicJwk {
            kty: "RSA".into(),
            kid: Some("rsa".into()),
            alg: alg.map(str::to_owned),
            n: Some(URL_SAFE_NO_PAD.encode(components.n)),
            e: Some(URL_SAFE_NO_PAD.encode(components.e)),
            ..PublicJwk::default()
        }
    }

    fn token(&self, alg: &str, padding: &'static dyn RsaEncoding) -> String {
        let input = input(alg, "rsa");
        let mut signed = vec![0; self.0.public().modulus_len()];
        self.0.sign(padding, &SystemRandom::new(), input.as_bytes(), &mut signed).expect("signed");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signed))
    }
}

fn input(alg: &str, kid: &str) -> String {
    format!("{}.{}", encode(&json!({"alg": alg, "typ": "at+jwt", "kid": kid})), encode(&claims()))
}

async fn verdict(
    allowed: &[SignatureAlgorithm],
    published: &[&PublicJwk],
    token: &str,
) -> Result<(), TokenError> {
    let mut config = IssuerConfig::own(ISSUER, AUDIENCE);
    config.algorithms = allowed.to_vec();
    verifier_of(config, published).0.check(token, now()).await.map(|_| ())
}

#[tokio::test]
async fn rsa_tokens_are_accepted_where_allowed() {
    let rsa = Rsa::new();
    let pkcs1 = rsa.token("RS256", &signature::RSA_PKCS1_SHA256);
    let pss = rsa.token("PS256", &signature::RSA_PSS_SHA256);
    assert_eq!(verdict(&ALL, &[&rsa.jwk(None)], &pkcs1).await, Ok(()));
    assert_eq!(verdict(&ALL, &[&rsa.jwk(None)], &pss).await, Ok(()));
    let refused = verdict(&[SignatureAlgorithm::Ps256], &[&rsa.jwk(None)], &pkcs1).await;
    assert!(matches!(refused, Err(TokenError::AlgorithmNotAllowed { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_says_its_algorithm_is_for_no_other() {
    let rsa = Rsa::new();
    let pkcs1 = rsa.token("RS256", &signature::RSA_PKCS1_SHA256);
    let refused = verdict(&ALL, &[&rsa.jwk(Some("PS256"))], &pkcs1).await;
    assert!(matches!(refused, Err(TokenError::AlgorithmNotAllowed { .. })), "{refused:?}");
    for alg in ["RS512", "RSA-OAEP", "HS256", "EdDSA"] {
        let refused = verdict(&ALL, &[&rsa.jwk(Some(alg))], &pkcs1).await;
        assert!(matches!(refused, Err(TokenError::UnknownKey { .. })), "{alg}: {refused:?}");
    }
}

#[tokio::test]
async fn one_padding_is_not_taken_for_the_other() {
    let rsa = Rsa::new();
    let mislabelled = rsa.token("PS256", &signature::RSA_PKCS1_SHA256);
    assert_eq!(verdict(&ALL, &[&rsa.jwk(None)], &mislabelled).await, Err(TokenError::BadSignature));
}

#[tokio::test]
async fn p256_tokens_are_accepted_and_tampering_is_not() {
    let random = SystemRandom::new();
    let scheme = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(scheme, &random).expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(scheme, pkcs8.as_ref(), &random).expect("a key");
    let point = pair.public_key().as_ref();
    let jwk = PublicJwk {
        kty: "EC".into(),
        kid: Some("ec".into()),
        crv: Some("P-256".into()),
        x: Some(URL_SAFE_NO_PAD.encode(&point[1..33])),
        y: Some(URL_SAFE_NO_PAD.encode(&point[33..])),
        ..PublicJwk::default()
    };
    let input = input("ES256", "ec");
    let mut signed = pair.sign(&random, input.as_bytes()).expect("signed").as_ref().to_vec();
    let token = |signature: &[u8]| format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(verdict(&ALL, &[&jwk], &token(&signed)).await, Ok(()));
    assert_eq!(verdict(&ALL, &[&jwk], &token(&[0; 64])).await, Err(TokenError::BadSignature));
    signed[40] ^= 1;
    assert_eq!(verdict(&ALL, &[&jwk], &token(&signed)).await, Err(TokenError::BadSignature));
}

#[tokio::test]
async fn the_key_decides_the_algorithm_not_the_token() {
    let key = key();
    let rsa = Rsa::new();
    let mut confused = rsa.jwk(None);
    confused.kid = Some(key.kid().to_owned());
    // An EdDSA token that names an RSA key.
    let token = key.sign("at+jwt", &claims()).expect("signed");
    let refused = verdict(&ALL, &[&confused], &token).await;
    assert!(matches!(refused, Err(TokenError::AlgorithmNotAllowed { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_short_rsa_key_verifies_nothing() {
    let mut short = Rsa::new().jwk(None);
    short.n = Some(URL_SAFE_NO_PAD.encode([0xC5; 128]));
    let token = Rsa::new().token("RS256", &signature::RSA_PKCS1_SHA256);
    assert_eq!(verdict(&ALL, &[&short], &token).await, Err(TokenError::BadSignature));
}

#[tokio::test]
async fn keys_of_unfit_shape_or_use_are_not_keys() {
    let key = key();
    let token = key.sign("at+jwt", &claims()).expect("signed");
    let spoil: [fn(&mut PublicJwk); 5] = [
        |jwk| jwk.key_use = Some("enc".into()),
        |jwk| jwk.crv = Some("X25519".into()),
        |jwk| jwk.kty = "oct".into(),
        |jwk| jwk.x = Some("AAAA".into()),
        |jwk| jwk.kid = None,
    ];
    for spoil in spoil {
        let mut jwk = key.public().clone();
        spoil(&mut jwk);
        let refused = verdict(&ALL, &[&jwk], &token).await;
        assert!(matches!(refused, Err(TokenError::UnknownKey { .. })), "{jwk:?}: {refused:?}");
    }
}
