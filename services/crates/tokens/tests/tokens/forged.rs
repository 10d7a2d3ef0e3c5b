//! Tokens that somebody made up or tampered with.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use rovuma_tokens::{IdClaims, TOKEN_MAX_BYTES, TokenError, TokenKey};
use serde_json::{Value, json};

use crate::support::{AUDIENCE, ISSUER, at, claims, encode, key, now, signed_with_header, verdict};

fn header_with(key: &TokenKey, changes: Value) -> Value {
    let mut header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key.kid()});
    let members = header.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => members.remove(name),
            other => members.insert(name.clone(), other.clone()),
        };
    }
    header
}

async fn verdict_on_header(changes: Value) -> Result<(), TokenError> {
    let key = key();
    let token = signed_with_header(&header_with(&key, changes), &claims(), &key);
    verdict(&key, &token).await
}

#[tokio::test]
async fn the_hand_made_token_is_good_when_nothing_is_changed() {
    assert_eq!(verdict_on_header(json!({})).await, Ok(()));
    assert_eq!(verdict_on_header(json!({"typ": "application/at+JWT"})).await, Ok(()));
}

#[tokio::test]
async fn alg_none_is_refused_in_every_spelling() {
    let key = key();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = header_with(&key, json!({"alg": alg}));
        for signature in ["", "AA"] {
            let token = format!("{}.{}.{signature}", encode(&header), encode(&claims()));
            assert!(verdict(&key, &token).await.is_err(), "{alg:?} {signature:?}");
        }
    }
}

#[tokio::test]
async fn the_public_key_is_not_taken_for_a_shared_secret() {
    let key = key();
    let header = header_with(&key, json!({"alg": "HS256"}));
    let input = format!("{}.{}", encode(&header), encode(&claims()));
    let public = URL_SAFE_NO_PAD.decode(key.public().x.as_ref().expect("a point")).expect("base64url");
    for secret in [public.as_slice(), b"", key.public().x.as_ref().expect("a point").as_bytes()] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        let refused = verdict(&key, &format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))).await;
        assert_eq!(refused, Err(TokenError::AlgorithmNotAllowed { unverified_algorithm: "HS256".into() }));
    }
}

#[tokio::test]
async fn an_algorithm_that_the_issuer_may_not_use_is_refused() {
    for alg in ["ES256", "RS256", "PS256", "ES384", "RS512", "HS512", "EdDSA ", "eddsa"] {
        let refused = verdict_on_header(json!({"alg": alg})).await;
        assert!(
            matches!(refused, Err(TokenError::AlgorithmNotAllowed { .. } | TokenError::Malformed)),
            "{alg}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_key_that_the_token_brings_along_is_not_used() {
    let (ours, theirs) = (key(), key());
    let brought = serde_json::to_value(theirs.public()).expect("JSON");
    for changes in [
        json!({"jwk": brought}),
        json!({"jku": "https://evil.example/jwks.json"}),
        json!({"x5u": "https://evil.example/chain.pem"}),
        json!({"x5c": ["AAAA"]}),
    ] {
        let header = header_with(&ours, changes.clone());
        let refused = verdict(&ours, &signed_with_header(&header, &claims(), &theirs)).await;
        assert!(refused.is_err(), "{changes}: {refused:?}");
        // And a good token is not harmed by it: it is ignored. (A malformed x5c is never read.)
        assert_eq!(verdict(&ours, &signed_with_header(&header, &claims(), &ours)).await, Ok(()), "{changes}");
    }
}

#[tokio::test]
async fn extensions_that_must_be_understood_are_refused() {
    for crit in [json!(["exp"]), json!(["b64"]), json!([])] {
        let refused = verdict_on_header(json!({"crit": crit, "b64": false})).await;
        assert_eq!(refused, Err(TokenError::CriticalHeader));
    }
}

#[tokio::test]
async fn other_types_are_refused_an_id_token_first_of_all() {
    for typ in [json!("JWT"), json!("rovuma+jws"), json!("at+jwt+x"), json!(""), Value::Null] {
        let refused = verdict_on_header(json!({"typ": typ})).await;
        assert!(matches!(refused, Err(TokenError::TypeNotAllowed { .. })), "{typ}: {refused:?}");
    }
    let key = key();
    let id_token = key.mint_id(&IdClaims {
        issuer: ISSUER.into(),
        subject: "5f0c".into(),
        client_id: AUDIENCE.into(),
        issued_at: now(),
        expires: at(600),
        authenticated_at: now(),
        nonce: None,
        session: "a1".into(),
        name: None,
    });
    let refused = verdict(&key, &id_token.expect("signed")).await;
    assert!(matches!(refused, Err(TokenError::TypeNotAllowed { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_token_without_a_key_name_is_refused() {
    let refused = verdict_on_header(json!({"kid": null})).await;
    assert_eq!(refused, Err(TokenError::UnknownKey { unverified_key: None }));
}

#[tokio::test]
async fn another_key_under_our_name_is_refused() {
    let (ours, theirs) = (key(), key());
    let token = signed_with_header(&header_with(&ours, json!({})), &claims(), &theirs);
    assert_eq!(verdict(&ours, &token).await, Err(TokenError::BadSignature));
}

#[tokio::test]
async fn any_flipped_bit_is_refused() {
    let key = key();
    let token = key.sign("at+jwt", &claims()).expect("signed");
    let (verifier, _) = crate::support::verifier(&[key.public()]);
    for position in 0..token.len() {
        for bit in [0, 2, 5] {
            let mut bytes = token.clone().into_bytes();
            bytes[position] ^= 1 << bit;
            let Ok(flipped) = String::from_utf8(bytes) else { continue };
            assert!(verifier.check(&flipped, now()).await.is_err(), "byte {position}, bit {bit}");
        }
    }
    assert!(verifier.check(&token, now()).await.is_ok());
}

#[tokio::test]
async fn what_is_not_a_token_is_refused() {
    let key = key();
    let good = key.sign("at+jwt", &claims()).expect("signed");
    let (head, signature) = good.rsplit_once('.').expect("three parts");
    let (header, payload) = head.split_once('.').expect("three parts");
    for text in [
        String::new(),
        "..".into(),
        "a.b".into(),
        "a.b.c".into(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!(" {good}"),
        format!("{good}="),
        format!("{header}.{}.{signature}", encode(&json!([]))),
        format!("{}.{payload}.{signature}", encode(&json!("EdDSA"))),
    ] {
        let refused = verdict(&key, &text).await;
        assert!(refused.is_err(), "{text:?} was taken");
        assert!(!refused.expect_err("refused").is_temporary());
    }
}

#[tokio::test]
async fn a_header_that_says_a_thing_twice_is_refused() {
    let key = key();
    let header = format!(r#"{{"alg":"EdDSA","alg":"none","typ":"at+jwt","kid":"{}"}}"#, key.kid());
    let token = format!("{}.{}.AA", URL_SAFE_NO_PAD.encode(header), encode(&claims()));
    assert_eq!(verdict(&key, &token).await, Err(TokenError::Malformed));
}

#[tokio::test]
async fn a_token_that_is_too_long_is_refused_before_it_is_read() {
    let key = key();
    let long = "a".repeat(TOKEN_MAX_BYTES + 1);
    let refused = verdict(&key, &long).await;
    assert_eq!(refused, Err(TokenError::TooLarge { size_bytes: TOKEN_MAX_BYTES + 1 }));
}
