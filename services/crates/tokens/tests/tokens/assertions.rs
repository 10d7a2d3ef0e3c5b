//! Client assertions (`private_key_jwt`).

use rovuma_tokens::{Assertion, AssertionRules, JwkSet, KeySet, TokenError, TokenKey};
use serde_json::{Value, json};

use crate::support::{ISSUER, NOW_SECONDS, at, key, now};

fn claims_with(changes: Value) -> Value {
    let mut claims = json!({"iss": "cad", "sub": "cad", "aud": ISSUER, "jti": "7", "exp": NOW_SECONDS + 60});
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

fn verdict(signer: &TokenKey, registered: &TokenKey, claims: &Value) -> Result<Assertion, TokenError> {
    let set = JwkSet { keys: vec![registered.public().clone()] };
    let keys = KeySet::from_jwks(&set).expect("one key");
    let assertion = signer.sign("JWT", claims).expect("signed");
    Assertion::check(&assertion, &AssertionRules { client_id: "cad", audience: ISSUER, keys: &keys }, now())
}

#[test]
fn a_good_assertion_gives_its_id_and_end() {
    let key = key();
    let read = verdict(&key, &key, &claims_with(json!({}))).expect("accepted");
    assert_eq!(read, Assertion { id: "7".into(), expires: at(60) });
}

#[test]
fn another_client_audience_time_or_a_missing_id_is_refused() {
    let key = key();
    for changes in [
        json!({"iss": "other"}),
        json!({"sub": "other"}),
        json!({"aud": "https://elsewhere.example"}),
        json!({"exp": NOW_SECONDS - 31}),
        json!({"exp": null}),
        json!({"iat": NOW_SECONDS + 31}),
        json!({"jti": null}),
        json!({"jti": ""}),
    ] {
        assert!(verdict(&key, &key, &claims_with(changes.clone())).is_err(), "{changes} was taken");
    }
}

#[test]
fn a_key_that_is_not_registered_is_refused() {
    let refused = verdict(&key(), &key(), &claims_with(json!({})));
    assert!(matches!(refused, Err(TokenError::UnknownKey { .. })), "{refused:?}");
}
