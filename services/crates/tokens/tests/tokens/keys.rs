//! An issuer's keys over time: new ones, withdrawn ones, an issuer that is down.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use rovuma_tokens::{
    IssuerConfig, IssuerFault, JwkSet, JwksSource, KeySet, KeySetFault, SourceError, TokenError, TokenKey,
    TokenVerifier,
};
use serde_json::json;

use crate::support::{AUDIENCE, ISSUER, NOW_SECONDS, at, claims, claims_with, key, verifier};

fn token(key: &TokenKey) -> String {
    let long = claims_with(json!({"exp": NOW_SECONDS + 86_400}));
    key.sign("at+jwt", &long).expect("signed")
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let (old, new) = (key(), key());
    let (verifier, source) = verifier(&[old.public()]);
    assert!(verifier.check(&token(&old), at(0)).await.is_ok());
    source.publish(&[old.public(), new.public()]);
    assert!(verifier.check(&token(&new), at(40)).await.is_ok());
    assert!(verifier.check(&token(&old), at(41)).await.is_ok());
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn invented_key_names_do_not_make_us_ask_again_and_again() {
    let ours = key();
    let (verifier, source) = verifier(&[ours.public()]);
    for _ in 0..50 {
        let refused = verifier.check(&token(&key()), at(0)).await;
        assert!(matches!(refused, Err(TokenError::UnknownKey { .. })), "{refused:?}");
    }
    assert_eq!(source.asked(), 1);
    let _refused = verifier.check(&token(&key()), at(30)).await;
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn known_keys_go_on_working_while_the_issuer_is_down() {
    let ours = key();
    let (verifier, source) = verifier(&[ours.public()]);
    assert!(verifier.check(&token(&ours), at(0)).await.is_ok());
    source.go_down();
    let later = key_token_at(&ours, 40_000);
    assert!(verifier.check(&later, at(40_000)).await.is_ok());
    assert!(source.asked() >= 2, "old keys were not asked for again");
}

fn key_token_at(key: &TokenKey, seconds: i64) -> String {
    let late = claims_with(json!({"iat": NOW_SECONDS + seconds, "exp": NOW_SECONDS + seconds + 600}));
    key.sign("at+jwt", &late).expect("signed")
}

#[tokio::test]
async fn an_issuer_that_was_never_reached_is_not_the_tokens_fault() {
    let ours = key();
    let (verifier, source) = verifier(&[]);
    source.go_down();
    for seconds in [0, 1] {
        let refused = verifier.check(&token(&ours), at(seconds)).await.expect_err("no keys");
        assert!(refused.is_temporary(), "{refused:?}");
    }
    assert_eq!(source.asked(), 1);
    source.publish(&[ours.public()]);
    assert!(verifier.check(&token(&ours), at(31)).await.is_ok());
}

/// Never answers.
struct Silent;

impl JwksSource for Silent {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_while_keys_are_fetched_spoils_nobodys_token() {
    let issuer = IssuerConfig::own(ISSUER, AUDIENCE);
    let verifier = TokenVerifier::with_sources(vec![(issuer, Arc::new(Silent))]).expect("a good issuer");
    let token = token(&key());
    let gone = verifier.check(&token, at(0)).now_or_never();
    assert!(gone.is_none(), "it answered: {gone:?}");
    let next = verifier.check(&token, at(1)).await.expect_err("no keys");
    assert!(next.is_temporary(), "{next:?}");
}

#[tokio::test]
async fn a_withdrawn_key_stops_working_even_for_remembered_tokens() {
    let (withdrawn, kept) = (key(), key());
    let (verifier, source) = verifier(&[withdrawn.public(), kept.public()]);
    let remembered = token(&withdrawn);
    assert!(verifier.check(&remembered, at(0)).await.is_ok());
    source.publish(&[kept.public()]);
    assert!(verifier.check(&remembered, at(299)).await.is_ok());
    let refused = verifier.check(&remembered, at(300)).await;
    assert!(matches!(refused, Err(TokenError::UnknownKey { .. })), "{refused:?}");
}

#[tokio::test]
async fn another_key_under_an_old_name_undoes_what_was_remembered() {
    let (old, new) = (key(), key());
    let (verifier, source) = verifier(&[old.public()]);
    let remembered = token(&old);
    assert!(verifier.check(&remembered, at(0)).await.is_ok());
    let mut renamed = new.public().clone();
    renamed.kid = Some(old.kid().to_owned());
    source.publish(&[&renamed]);
    assert_eq!(verifier.check(&remembered, at(300)).await.map(|_| ()), Err(TokenError::BadSignature));
}

#[tokio::test]
async fn a_clock_set_back_does_not_stop_keys_from_being_fetched() {
    let (old, new) = (key(), key());
    let (verifier, source) = verifier(&[old.public()]);
    assert!(verifier.check(&token(&old), at(80_000)).await.is_ok());
    source.publish(&[new.public()]);
    assert!(verifier.check(&token(&new), at(0)).await.is_ok());
}

#[tokio::test]
async fn a_set_with_one_name_for_two_keys_is_refused_as_a_whole() {
    let (ours, theirs) = (key(), key());
    let mut twin = theirs.public().clone();
    twin.kid = ours.public().kid.clone();
    let (verifier, _) = verifier(&[ours.public(), &twin]);
    let refused = verifier.check(&token(&ours), at(0)).await.expect_err("ambiguous");
    assert!(refused.is_temporary(), "{refused:?}");
    let set = JwkSet { keys: vec![ours.public().clone(), twin] };
    let fault = KeySet::from_jwks(&set).map(|_| ());
    assert_eq!(fault, Err(KeySetFault::DuplicateKid { kid: ours.kid().to_owned() }));
}

#[tokio::test]
async fn one_issuers_key_signs_nothing_for_another() {
    let (mz, tz) = (key(), key());
    let source = |key: &TokenKey| {
        let source = Arc::new(crate::support::Source::default());
        source.publish(&[key.public()]);
        source
    };
    let other = "https://id.tz.example";
    let verifier = TokenVerifier::with_sources(vec![
        (IssuerConfig::own(ISSUER, AUDIENCE), source(&mz)),
        (IssuerConfig::own(other, AUDIENCE), source(&tz)),
    ]);
    let verifier = verifier.expect("two issuers");
    let as_other = mz.sign("at+jwt", &claims_with(json!({"iss": other}))).expect("signed");
    let refused = verifier.check(&as_other, at(0)).await;
    assert!(matches!(refused, Err(TokenError::UnknownKey { .. })), "{refused:?}");
    let own = mz.sign("at+jwt", &claims()).expect("signed");
    assert!(verifier.check(&own, at(0)).await.is_ok());
}

#[test]
fn an_issuer_configured_twice_or_with_nothing_allowed_is_refused() {
    let source = || Arc::new(crate::support::Source::default());
    let twice = TokenVerifier::with_sources(vec![
        (IssuerConfig::own(ISSUER, AUDIENCE), source()),
        (IssuerConfig::own(ISSUER, "other"), source()),
    ]);
    assert!(matches!(twice, Err(IssuerFault::Twice { .. })), "{twice:?}");
    let spoil: [fn(&mut IssuerConfig); 3] =
        [|config| config.algorithms.clear(), |config| config.typ.clear(), |config| config.audience.clear()];
    for spoil in spoil {
        let mut config = IssuerConfig::own(ISSUER, AUDIENCE);
        spoil(&mut config);
        let refused = TokenVerifier::with_sources(vec![(config, source())]);
        assert!(matches!(refused, Err(IssuerFault::Empty { .. })), "{refused:?}");
    }
}
