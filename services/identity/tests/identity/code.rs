//! Redeeming authorization codes.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use rovuma_tokens::Pkce;
use serde_json::{Value, json};

use crate::support::{ADMIN, CONSOLE_SECRET, Fixture, ISSUER, OFFICER, PASSWORD, REDIRECT, location};

fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

#[tokio::test]
async fn a_code_becomes_an_access_token_and_an_id_token() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    let tokens = service.redeem(&page, &code, &[]).await;
    assert_eq!((tokens.text("/token_type"), tokens.body["expires_in"].as_u64()), ("Bearer", Some(600)));
    let access = service.check(tokens.text("/access_token")).await;
    assert_eq!(
        (access.agency().as_str(), access.roles()),
        ("mz.prm", ["liaison_officer".to_owned()].as_slice())
    );
    assert_eq!((access.client_id(), access.name()), (Some("rovumactl"), Some("Name of ana.tembe")));
    assert_eq!(access.expires().since(service.now()).as_secs(), 600);
    assert!(!access.is_machine());
    let id = payload(tokens.text("/id_token"));
    assert_eq!(
        (&id["iss"], &id["aud"], &id["nonce"]),
        (&json!(ISSUER), &json!("rovumactl"), &json!("nonce-1"))
    );
    assert_eq!((id["sub"].as_str(), id["sid"].as_str()), (Some(access.subject()), access.session()));
}

#[tokio::test]
async fn without_openid_there_is_no_id_token_and_without_a_nonce_none_is_made_up() {
    let service = Fixture::start().await;
    for (change, has_id) in [(("scope", "profile"), false), (("nonce", ""), true)] {
        let page = service.page_with(&[change]).await;
        let (_, answer) = location(&service.type_in(&page, OFFICER, PASSWORD).await);
        let tokens = service.redeem(&page, &answer["code"], &[]).await;
        assert_eq!(tokens.body.get("id_token").is_some(), has_id, "{change:?}");
        if has_id {
            assert!(payload(tokens.text("/id_token")).get("nonce").is_none());
        }
    }
}

#[tokio::test]
async fn a_code_is_good_for_one_redemption() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(ADMIN).await;
    let tokens = service.redeem(&page, &code, &[]).await;
    let access = tokens.text("/access_token");
    assert_eq!(service.api(Method::GET, "/v1/users", access, None).await.status, 200);
    assert_eq!(service.redeem(&page, &code, &[]).await.error(), (400, "invalid_grant"));
    // One of the two who had it is a thief: here the log-in is over.
    assert_eq!(service.api(Method::GET, "/v1/users", access, None).await.status, 401);
    assert_eq!(service.outcomes("token.issue").await, ["success", "code_reused"]);
}

#[tokio::test]
async fn of_many_who_bring_one_code_at_once_one_gets_a_token() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    let attempts = (0..8).map(|_| service.redeem(&page, &code, &[]));
    let answers = futures::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn a_code_is_bound_to_its_request() {
    let service = Fixture::start().await;
    let other = Pkce::draw().expect("random");
    for (change, reason) in [
        (("code_verifier", other.verifier.as_str()), "code_verifier"),
        (("code_verifier", "tooshort"), "code_verifier"),
        (("redirect_uri", "http://127.0.0.1:1/callback"), "redirect_uri"),
        (("redirect_uri", "https://console.mz.example/back"), "redirect_uri"),
    ] {
        let (page, code) = service.log_in(OFFICER).await;
        let refused = service.redeem(&page, &code, &[change]).await;
        assert_eq!(refused.error(), (400, "invalid_grant"), "{change:?}");
        assert_eq!(service.outcomes("token.issue").await.last().map(String::as_str), Some(reason));
        // It is spent all the same: a thief gets one guess.
        assert_eq!(service.redeem(&page, &code, &[]).await.error(), (400, "invalid_grant"), "{change:?}");
    }
}

#[tokio::test]
async fn the_challenge_itself_is_no_verifier() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    let refused = service.redeem(&page, &code, &[("code_verifier", &page.pkce.challenge)]).await;
    assert_eq!(refused.error(), (400, "invalid_grant"));
}

#[tokio::test]
async fn another_client_cannot_redeem_it() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT),
        ("code", code.as_str()),
        ("code_verifier", &page.pkce.verifier),
    ];
    let refused = service.form_with_basic("/oauth2/token", ("console", CONSOLE_SECRET), &fields).await;
    assert_eq!(refused.error(), (400, "invalid_grant"));
    assert_eq!(service.outcomes("token.issue").await, ["code_of_another_client"]);
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    service.clock.advance(Duration::from_secs(60));
    assert_eq!(service.redeem(&page, &code, &[]).await.error(), (400, "invalid_grant"));
    let (page, code) = service.log_in(OFFICER).await;
    service.clock.advance(Duration::from_secs(59));
    assert_eq!(service.redeem(&page, &code, &[]).await.status, 200);
}

#[tokio::test]
async fn a_user_disabled_in_between_gets_no_token() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let id = crate::users::id_of(&service, &admin, OFFICER).await;
    let (page, code) = service.log_in(OFFICER).await;
    let disable = Some(json!({"disabled": true}));
    let disabled = service.api(Method::PATCH, &format!("/v1/users/{id}"), &admin, disable).await;
    assert_eq!(disabled.status, 200);
    assert_eq!(service.redeem(&page, &code, &[]).await.error(), (400, "invalid_grant"));
    assert_eq!(service.outcomes("token.issue").await.last().map(String::as_str), Some("code_expired"));
}

#[tokio::test]
async fn missing_and_unknown_things_are_refused() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    for (change, error) in [
        (("grant_type", ""), (400, "invalid_request")),
        (("grant_type", "password"), (400, "unsupported_grant_type")),
        (("grant_type", "refresh_token"), (400, "invalid_request")),
        (("grant_type", "client_credentials"), (400, "unauthorized_client")),
        (("code", ""), (400, "invalid_request")),
        (("code_verifier", ""), (400, "invalid_request")),
        (("redirect_uri", ""), (400, "invalid_request")),
        (("client_id", ""), (401, "invalid_client")),
        (("client_id", "nobody"), (401, "invalid_client")),
        (("client_secret", "x"), (401, "invalid_client")),
        (("code", "no-such-code"), (400, "invalid_grant")),
    ] {
        assert_eq!(service.redeem(&page, &code, &[change]).await.error(), error, "{change:?}");
    }
    assert_eq!(service.redeem(&page, &code, &[]).await.status, 200, "none of these has spent it");
}

#[tokio::test]
async fn an_application_with_a_secret_needs_it() {
    let service = Fixture::start().await;
    let console = [("client_id", "console"), ("redirect_uri", "https://console.mz.example/back")];
    let page = service.page_with(&console).await;
    let (place, answer) = location(&service.type_in(&page, OFFICER, PASSWORD).await);
    assert_eq!(place, "https://console.mz.example/back");
    let code = answer["code"].as_str();
    assert_eq!(service.redeem(&page, code, &console).await.error(), (401, "invalid_client"));
    let mut wrong = console.to_vec();
    wrong.push(("client_secret", "0123456789abcdef0123456789abcdeX"));
    assert_eq!(service.redeem(&page, code, &wrong).await.error(), (401, "invalid_client"));
    let mut right = console.to_vec();
    right.push(("client_secret", CONSOLE_SECRET));
    assert_eq!(service.redeem(&page, code, &right).await.status, 200);
}

#[tokio::test]
async fn only_a_form_is_taken_and_nothing_twice() {
    let service = Fixture::start().await;
    let json =
        service.http.post(service.url("/oauth2/token")).json(&json!({"grant_type": "authorization_code"}));
    assert_eq!(json.send().await.expect("an answer").status(), 400);
    let twice = [("grant_type", "authorization_code"), ("grant_type", "client_credentials")];
    assert_eq!(service.form("/oauth2/token", &twice).await.error(), (400, "invalid_request"));
    assert_eq!(service.get("/oauth2/token").await.status(), 405);
}

#[tokio::test]
async fn tokens_are_kept_by_nobody_on_the_way() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "rovumactl"),
        ("redirect_uri", REDIRECT),
        ("code", code.as_str()),
        ("code_verifier", &page.pkce.verifier),
    ];
    let response =
        service.http.post(service.url("/oauth2/token")).form(&fields).send().await.expect("an answer");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let hex =
        if rovuma_lab::postgres::tests_use_postgres() { "encode(digest, 'hex')" } else { "hex(digest)" };
    for column in [format!("SELECT {hex} FROM code"), "SELECT body FROM trail_event".to_owned()] {
        for text in service.rows(&column).await {
            assert!(!text.contains(&code), "the code itself is kept");
        }
    }
}
