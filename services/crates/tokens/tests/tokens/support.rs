//! An issuer in a test's hand.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::BoxFuture;
use ring::signature::Ed25519KeyPair;
use rovuma_schemas::Timestamp;
use rovuma_tokens::{
    IssuerConfig, JwkSet, JwksSource, PublicJwk, SourceError, TokenError, TokenKey, TokenVerifier,
};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://id.mz.example";
pub(crate) const AUDIENCE: &str = "rovuma";
/// 2026-11-23T18:14:29Z.
pub(crate) const NOW_SECONDS: i64 = 1_795_457_669;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((NOW_SECONDS + seconds) * 1_000_000).expect("in range")
}

pub(crate) fn now() -> Timestamp {
    at(0)
}

pub(crate) fn key() -> TokenKey {
    TokenKey::generate().expect("random bytes")
}

/// A source whose keys a test can change, that can fail, and that counts how often it is asked.
#[derive(Default)]
pub(crate) struct Source {
    answer: Mutex<Option<JwkSet>>,
    asked: AtomicUsize,
}

impl Source {
    pub(crate) fn publish(&self, keys: &[&PublicJwk]) {
        let keys = keys.iter().map(|key| (*key).clone()).collect();
        *self.answer.lock().expect("not poisoned") = Some(JwkSet { keys });
    }

    pub(crate) fn go_down(&self) {
        *self.answer.lock().expect("not poisoned") = None;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl JwksSource for Source {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().expect("not poisoned").clone();
        Box::pin(async move { answer.ok_or_else(|| SourceError::new("issuer is down")) })
    }
}

/// A verifier of one issuer, and the source of that issuer's keys.
pub(crate) fn verifier(keys: &[&PublicJwk]) -> (TokenVerifier, Arc<Source>) {
    verifier_of(IssuerConfig::own(ISSUER, AUDIENCE), keys)
}

pub(crate) fn verifier_of(config: IssuerConfig, keys: &[&PublicJwk]) -> (TokenVerifier, Arc<Source>) {
    let source = Arc::new(Source::default());
    source.publish(keys);
    let verifier = TokenVerifier::with_sources(vec![(config, source.clone())]).expect("a good issuer");
    (verifier, source)
}

/// The claims of a good token.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "5f0c", "aud": AUDIENCE, "client_id": "console", "jti": "1",
        "iat": NOW_SECONDS, "exp": NOW_SECONDS + 600,
        "agency": "mz.prm", "roles": ["liaison_officer"], "sid": "a1", "name": "Ana Tembe",
    })
}

/// Good claims with some members put in another way; `null` takes one out.
pub(crate) fn claims_with(changes: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => members.remove(name),
            other => members.insert(name.clone(), other.clone()),
        };
    }
    claims
}

/// A token with any header at all, signed as it should be.
pub(crate) fn signed_with_header(header: &Value, claims: &Value, key: &TokenKey) -> String {
    let signing_input = format!("{}.{}", encode(header), encode(claims));
    let pem = key.to_pkcs8_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).expect("base64");
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).expect("a key");
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signing_input.as_bytes()));
    format!("{signing_input}.{signature}")
}

pub(crate) fn encode(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// The verdict on one token at `now()`, with the issuer publishing `key`.
pub(crate) async fn verdict(key: &TokenKey, token: &str) -> Result<(), TokenError> {
    verifier(&[key.public()]).0.check(token, now()).await.map(|_| ())
}
