//! Target `token`: access tokens and client assertions. The first byte chooses the form of the rest.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::{executor::block_on, future::BoxFuture};
use rovuma_envelope::{Signer as _, SigningKey};
use rovuma_schemas::Timestamp;
use rovuma_tokens::{
    ACCESS_TOKEN_TYPE, Assertion, AssertionRules, IssuerConfig, JwkSet, JwksSource, KeySet, LEEWAY,
    SourceError, TOKEN_MAX_BYTES, TokenKey, TokenVerifier, bearer,
};
use serde_json::{Value, json};

use crate::{fixture::now, keys};

/// The rest is the value of an `Authorization` header.
pub const RAW: u8 = 0;

/// The rest is the claims of a token that the issuer signs.
pub const CLAIMS: u8 = 1;

/// The rest is a header, a line feed and claims, which the issuer signs unchanged.
pub const HEADER: u8 = 2;

/// The issuer of the tokens.
pub const ISSUER: &str = "https://identity.mz.example";

/// The audience of the tokens.
pub const AUDIENCE: &str = "rovuma";

static KEY: LazyLock<TokenKey> = LazyLock::new(keys::issuer);
static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| keys::signing(keys::ISSUER));
static VERIFIER: LazyLock<TokenVerifier> = LazyLock::new(|| {
    let source = Arc::new(Published(JwkSet { keys: vec![KEY.public().clone()] }));
    TokenVerifier::with_sources(vec![(IssuerConfig::own(ISSUER, AUDIENCE), source)]).expect("a good issuer")
});
static KEYS: LazyLock<KeySet> =
    LazyLock::new(|| KeySet::from_jwks(&JwkSet { keys: vec![KEY.public().clone()] }).expect("one key"));
static MINTED: LazyLock<HashSet<String>> = LazyLock::new(|| [minted()].into());

struct Published(JwkSet);

impl JwksSource for Published {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

/// The claims of a valid token.
pub fn claims() -> Value {
    let seconds = now().as_micros() / 1_000_000;
    json!({
        "iss": ISSUER, "sub": "5f0c", "aud": AUDIENCE, "client_id": "console", "jti": "1",
        "iat": seconds, "exp": seconds + 600, "agency": "mz.prm", "roles": ["liaison_officer"],
        "sid": "a1", "name": "Ana Tembe", "scope": "openid",
    })
}

/// The only token that was ever issued.
pub fn minted() -> String {
    KEY.sign(ACCESS_TOKEN_TYPE, &claims()).expect("signed")
}

/// The header of a valid token.
pub fn header() -> Value {
    json!({ "typ": ACCESS_TOKEN_TYPE, "alg": "EdDSA", "kid": KEY.kid() })
}

/// An accepted token was issued, is in time, and its values are those of its claims.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 3 {
        RAW => raw(rest),
        CLAIMS => {
            let Ok(claims) = serde_json::from_slice::<Value>(rest) else { return };
            check(&KEY.sign(ACCESS_TOKEN_TYPE, &claims).expect("signed"), &header(), &claims);
        }
        _ => {
            let Some(at) = rest.iter().position(|byte| *byte == b'\n') else { return };
            let (head, claims) = (&rest[..at], &rest[at + 1..]);
            let parsed = |bytes| serde_json::from_slice(bytes).unwrap_or(Value::Null);
            check(&signed(head, claims), &parsed(head), &parsed(claims));
        }
    }
}

/// A token with exactly these bytes, signed by the issuer.
fn signed(header: &[u8], claims: &[u8]) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = SIGNER.sign(input.as_bytes()).expect("signed");
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.as_bytes()))
}

fn raw(value: &[u8]) {
    let Ok(value) = std::str::from_utf8(value) else { return };
    let Ok(token) = bearer(Some(value)) else { return };
    assert!(value.contains(token) && !token.contains(' '));
    if block_on(VERIFIER.check(token, now())).is_ok() {
        assert!(MINTED.contains(token), "a token was taken that nobody issued");
    }
    let _ = Assertion::unverified_client(token);
}

fn check(token: &str, header: &Value, claims: &Value) {
    if let Ok(taken) = block_on(VERIFIER.check(token, now())) {
        assert!(token.len() <= TOKEN_MAX_BYTES);
        let typ = header["typ"].as_str().unwrap_or_default().to_ascii_lowercase();
        assert_eq!(typ.strip_prefix("application/").unwrap_or(&typ), ACCESS_TOKEN_TYPE);
        assert_eq!((header["alg"].as_str(), header["kid"].as_str()), (Some("EdDSA"), Some(KEY.kid())));
        assert!(header.get("crit").is_none_or(Value::is_null), "a critical header was passed over");
        assert_eq!((taken.issuer(), claims["iss"].as_str()), (ISSUER, Some(ISSUER)));
        assert_eq!(Some(taken.subject()), claims["sub"].as_str());
        assert_eq!(Some(taken.agency().as_str()), claims["agency"].as_str());
        assert!(is_for_us(&claims["aud"]), "for somebody else");
        in_time(taken.expires());
    }
    let client = claims["iss"].as_str().unwrap_or("mz.prm.cad");
    let rules = AssertionRules { client_id: client, audience: AUDIENCE, keys: &KEYS };
    if let Ok(assertion) = Assertion::check(token, &rules, now()) {
        assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some(client), Some(client)));
        assert!(!assertion.id.is_empty() && is_for_us(&claims["aud"]));
        in_time(assertion.expires);
    }
}

fn is_for_us(audience: &Value) -> bool {
    audience == AUDIENCE || audience.as_array().is_some_and(|all| all.iter().any(|one| one == AUDIENCE))
}

fn in_time(expires: Timestamp) {
    assert!(expires.plus(LEEWAY) >= now(), "taken after its end");
}
