//! Rules about claims: issuer, audience, times, agency, roles.

use rovuma_tokens::{AccessClaims, IssuerConfig, TokenError};
use serde_json::{Value, json};

use crate::support::{
    AUDIENCE, ISSUER, NOW_SECONDS, at, claims, claims_with, key, now, verdict, verifier, verifier_of,
};

async fn verdict_on(claims: &Value) -> Result<(), TokenError> {
    let key = key();
    let token = key.sign("at+jwt", claims).expect("signed");
    verdict(&key, &token).await
}

#[tokio::test]
async fn what_our_identity_mints_is_accepted_and_says_the_same() {
    let key = key();
    let minted = AccessClaims {
        issuer: ISSUER.into(),
        subject: "5f0c".into(),
        audience: AUDIENCE.into(),
        client_id: "console".into(),
        id: "1".into(),
        issued_at: now(),
        expires: at(600),
        agency: "mz.prm".parse().expect("an agency"),
        roles: vec!["supervisor".into(), "analyst".into()],
        session: Some("a1".into()),
        name: Some("Ana Tembe".into()),
        scope: Some("openid".into()),
    };
    let token = key.mint_access(&minted).expect("signed");
    let read = verifier(&[key.public()]).0.check(&token, now()).await.expect("accepted");
    assert_eq!((read.issuer(), read.subject()), (ISSUER, "5f0c"));
    assert_eq!((read.client_id(), read.session()), (Some("console"), Some("a1")));
    assert_eq!((read.agency().as_str(), read.roles()), ("mz.prm", minted.roles.as_slice()));
    assert_eq!((read.name(), read.scope(), read.id()), (Some("Ana Tembe"), Some("openid"), Some("1")));
    assert_eq!((read.issued_at(), read.expires()), (Some(now()), at(600)));
    assert!(!read.is_machine());
}

#[tokio::test]
async fn a_token_whose_subject_is_its_client_is_a_machines() {
    let key = key();
    let token = key.sign("at+jwt", &claims_with(json!({"sub": "console"}))).expect("signed");
    let read = verifier(&[key.public()]).0.check(&token, now()).await.expect("accepted");
    assert!(read.is_machine());
}

#[tokio::test]
async fn each_claim_that_must_be_there_must_be_there() {
    for name in ["iss", "sub", "exp", "agency"] {
        let refused = verdict_on(&claims_with(json!({ name: null }))).await;
        assert!(refused.is_err(), "without {name}: {refused:?}");
    }
    let no_audience = verdict_on(&claims_with(json!({"aud": null}))).await;
    assert_eq!(no_audience, Err(TokenError::WrongAudience { expected: AUDIENCE.into() }));
}

#[tokio::test]
async fn malformed_claims_are_refused() {
    for changes in [
        json!({"sub": 7}),
        json!({"sub": ""}),
        json!({"sub": "5f0c\0"}),
        json!({"sub": "5f0c\n"}),
        json!({"iss": [ISSUER]}),
        json!({"agency": "prm"}),
        json!({"agency": ["mz.prm"]}),
        json!({"roles": {"supervisor": true}}),
        json!({"roles": ["supervisor", 7]}),
        json!({"exp": "2099-01-01"}),
        json!({"exp": 1e300}),
        json!({"nbf": "now"}),
    ] {
        let refused = verdict_on(&claims_with(changes.clone())).await;
        assert!(refused.is_err(), "{changes}: {refused:?}");
    }
}

#[tokio::test]
async fn another_issuer_is_refused_even_with_our_key() {
    let refused = verdict_on(&claims_with(json!({"iss": "https://id.mz.example/"}))).await;
    assert!(matches!(refused, Err(TokenError::UnknownIssuer { .. })), "{refused:?}");
}

#[tokio::test]
async fn another_audience_is_refused() {
    for audience in [json!("other"), json!(["other", "rovuma2"]), json!([]), json!({"rovuma": 1}), json!(7)] {
        let refused = verdict_on(&claims_with(json!({"aud": audience}))).await;
        assert_eq!(refused, Err(TokenError::WrongAudience { expected: AUDIENCE.into() }), "{audience}");
    }
    assert_eq!(verdict_on(&claims_with(json!({"aud": ["other", AUDIENCE]}))).await, Ok(()));
}

#[tokio::test]
async fn an_expired_token_is_refused_after_half_a_minute_of_leeway() {
    let expiring = |seconds| claims_with(json!({"exp": NOW_SECONDS + seconds}));
    assert_eq!(verdict_on(&expiring(-30)).await, Ok(()));
    let refused = verdict_on(&expiring(-31)).await;
    assert_eq!(refused, Err(TokenError::Expired { expires: at(-31), now: now() }));
}

/// Callers are told that a token has expired: of one with another fault, and of a forged one, they are told nothing.
#[tokio::test]
async fn only_a_token_that_holds_in_all_else_is_told_to_have_expired() {
    let expired = |mut other: Value| {
        other["exp"] = json!(NOW_SECONDS - 31);
        claims_with(other)
    };
    for other in [json!({"aud": "other"}), json!({"sub": null}), json!({"agency": "tz.tpf2x!"})] {
        let refused = verdict_on(&expired(other.clone())).await;
        assert!(
            refused.is_err() && !matches!(refused, Err(TokenError::Expired { .. })),
            "{other}: {refused:?}"
        );
    }
    let (key, other) = (key(), key());
    let token = other.sign("at+jwt", &expired(json!({}))).expect("signed");
    let forged = token.rsplit_once('.').expect("parts").0.to_owned() + ".AAAA";
    let (verifier, _) = verifier(&[key.public()]);
    for token in [token, forged] {
        let refused = verifier.check(&token, now()).await;
        assert!(!matches!(refused, Ok(_) | Err(TokenError::Expired { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_token_from_the_future_is_refused_beyond_the_leeway() {
    for name in ["iat", "nbf"] {
        assert_eq!(verdict_on(&claims_with(json!({ name: NOW_SECONDS + 30 }))).await, Ok(()), "{name}");
        let refused = verdict_on(&claims_with(json!({ name: NOW_SECONDS + 31 }))).await;
        assert_eq!(refused, Err(TokenError::NotYetValid { from: at(31), now: now() }), "{name}");
    }
}

#[tokio::test]
async fn a_remembered_token_expires_all_the_same() {
    let key = key();
    let token = key.sign("at+jwt", &claims()).expect("signed");
    let (verifier, _) = verifier(&[key.public()]);
    assert!(verifier.check(&token, now()).await.is_ok());
    assert!(verifier.check(&token, at(630)).await.is_ok());
    let refused = verifier.check(&token, at(631)).await;
    assert!(matches!(refused, Err(TokenError::Expired { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_issuer_speaks_only_for_the_agencies_it_was_given() {
    let key = key();
    let token = key.sign("at+jwt", &claims()).expect("signed");
    let mut config = IssuerConfig::own(ISSUER, AUDIENCE);
    config.agencies = Some(vec!["mz.senami".parse().expect("an agency")]);
    let refused = verifier_of(config, &[key.public()]).0.check(&token, now()).await;
    assert!(matches!(refused, Err(TokenError::ForeignAgency { .. })), "{refused:?}");
}

#[tokio::test]
async fn another_providers_claim_names_can_be_configured() {
    let key = key();
    let token = key.sign(
        "JWT",
        &claims_with(json!({
            "agency": null, "roles": null, "sid": null, "client_id": null, "azp": "portal",
            "rovuma": {"agency": "mz.senami"}, "realm_access": {"roles": ["analyst"]}, "session_state": "z",
        })),
    );
    let mut config = IssuerConfig::own(ISSUER, AUDIENCE);
    config.typ = vec!["JWT".into()];
    config.claims.agency = "/rovuma/agency".into();
    config.claims.roles = "/realm_access/roles".into();
    config.claims.session = "session_state".into();
    config.claims.client = "azp".into();
    let (verifier, _) = verifier_of(config, &[key.public()]);
    let read = verifier.check(&token.expect("signed"), now()).await.expect("accepted");
    assert_eq!((read.agency().as_str(), read.roles()), ("mz.senami", ["analyst".to_owned()].as_slice()));
    assert_eq!((read.session(), read.client_id()), (Some("z"), Some("portal")));
}

#[tokio::test]
async fn no_roles_means_none_and_words_are_split() {
    let key = key();
    let (verifier, _) = verifier(&[key.public()]);
    for (roles, expected) in [(Value::Null, 0), (json!("a b"), 2), (json!([]), 0)] {
        let token = key.sign("at+jwt", &claims_with(json!({"roles": roles}))).expect("signed");
        assert_eq!(verifier.check(&token, now()).await.expect("accepted").roles().len(), expected);
    }
}
