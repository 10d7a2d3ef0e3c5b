//! Refresh tokens: each check, bent once.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::{ADMIN, ApiResponse, CONSOLE_SECRET, Fixture, OFFICER, PASSWORD, location};

const MINUTE: Duration = Duration::from_secs(60);

/// Logs somebody in; gives the whole answer of the token endpoint.
async fn log_in(service: &Fixture, login: &str) -> ApiResponse {
    let (page, code) = service.log_in(login).await;
    service.redeem(&page, &code, &[]).await
}

async fn renew(service: &Fixture, token: &str, changes: &[(&str, &str)]) -> ApiResponse {
    let mut fields =
        vec![("grant_type", "refresh_token"), ("client_id", "rovumactl"), ("refresh_token", token)];
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    service.form("/oauth2/token", &fields).await
}

async fn revoke(service: &Fixture, token: &str) -> ApiResponse {
    service.form("/oauth2/revoke", &[("client_id", "rovumactl"), ("token", token)]).await
}

const GONE: (u16, &str) = (400, "invalid_grant");

#[tokio::test]
async fn a_log_in_is_renewed_and_each_token_gives_the_next() {
    let service = Fixture::start().await;
    let first = log_in(&service, OFFICER).await;
    let before = service.check(first.text("/access_token")).await;
    service.clock.advance(11 * MINUTE);
    let second = renew(&service, first.text("/refresh_token"), &[]).await;
    let after = service.check(second.text("/access_token")).await;
    assert_eq!(
        (after.subject(), after.session(), after.roles(), after.name()),
        (before.subject(), before.session(), before.roles(), before.name())
    );
    assert_eq!((second.text("/scope"), second.body["expires_in"].as_u64()), ("openid profile", Some(600)));
    assert!(second.body.get("id_token").is_none(), "nobody has authenticated");
    assert_ne!(first.text("/refresh_token"), second.text("/refresh_token"));
    assert_eq!(renew(&service, second.text("/refresh_token"), &[]).await.status, 200);
    let events = service.audit().await;
    let renewals = events.iter().filter(|event| event.details.contains_key("grant"));
    assert_eq!(renewals.filter(|event| event.session.as_deref() == before.session()).count(), 2);
}

#[tokio::test]
async fn a_token_used_twice_ends_its_log_in_and_no_other() {
    let service = Fixture::start().await;
    let (stolen, other) = (log_in(&service, ADMIN).await, log_in(&service, ADMIN).await);
    let next = renew(&service, stolen.text("/refresh_token"), &[]).await;
    assert_eq!(next.status, 200);
    assert_eq!(renew(&service, stolen.text("/refresh_token"), &[]).await.error(), GONE);
    // The whole family is over: the newest refresh token, and here the access tokens too.
    assert_eq!(renew(&service, next.text("/refresh_token"), &[]).await.error(), GONE);
    let users = |token: &ApiResponse| token.text("/access_token").to_owned();
    assert_eq!(service.api(Method::GET, "/v1/users", &users(&next), None).await.status, 401);
    assert_eq!(service.api(Method::GET, "/v1/users", &users(&other), None).await.status, 200);
    assert_eq!(renew(&service, other.text("/refresh_token"), &[]).await.status, 200);
    let reused = |outcome: &&String| *outcome == "refresh_token_reused";
    assert_eq!(service.outcomes("token.issue").await.iter().filter(reused).count(), 1);
    let event = service.audit().await.into_iter().find(|event| event.reason.is_some()).expect("an event");
    assert_eq!(event.agency.expect("an agency").as_str(), "mz.prm");
    // Whoever goes on trying does not fill the log.
    renew(&service, stolen.text("/refresh_token"), &[]).await;
    assert_eq!(service.outcomes("token.issue").await.iter().filter(reused).count(), 1);
}

#[tokio::test]
async fn of_many_who_bring_one_token_at_once_one_gets_the_next() {
    let service = Fixture::start().await;
    let tokens = log_in(&service, OFFICER).await;
    let attempts = (0..8).map(|_| renew(&service, tokens.text("/refresh_token"), &[]));
    let answers = futures::future::join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn another_application_gets_nothing_and_ends_the_log_in() {
    let service = Fixture::start().await;
    let tokens = log_in(&service, OFFICER).await;
    let console = [("client_id", "console"), ("client_secret", CONSOLE_SECRET)];
    assert_eq!(renew(&service, tokens.text("/refresh_token"), &console).await.error(), GONE);
    let outcomes = service.outcomes("token.issue").await;
    assert_eq!(outcomes.last().map(String::as_str), Some("refresh_token_of_another_client"));
    assert_eq!(renew(&service, tokens.text("/refresh_token"), &[]).await.error(), GONE);
}

#[tokio::test]
async fn an_application_with_a_secret_needs_it_to_renew() {
    let service = Fixture::start().await;
    let console = [("client_id", "console"), ("redirect_uri", "https://console.mz.example/back")];
    let page = service.page_with(&console).await;
    let (_, answer) = location(&service.type_in(&page, OFFICER, PASSWORD).await);
    let with_secret = [console[0], console[1], ("client_secret", CONSOLE_SECRET)];
    let tokens = service.redeem(&page, &answer["code"], &with_secret).await;
    let token = tokens.text("/refresh_token");
    let without = renew(&service, token, &[("client_id", "console")]).await;
    assert_eq!(without.error(), (401, "invalid_client"));
    let with = [("client_id", "console"), ("client_secret", CONSOLE_SECRET)];
    assert_eq!(renew(&service, token, &with).await.status, 200, "the attempt without has not spent it");
}

#[tokio::test]
async fn a_token_unused_for_an_hour_is_over() {
    let service = Fixture::start().await;
    let tokens = log_in(&service, OFFICER).await;
    service.clock.advance(60 * MINUTE);
    assert_eq!(renew(&service, tokens.text("/refresh_token"), &[]).await.error(), GONE);
    let tokens = log_in(&service, OFFICER).await;
    service.clock.advance(59 * MINUTE);
    assert_eq!(renew(&service, tokens.text("/refresh_token"), &[]).await.status, 200);
}

#[tokio::test]
async fn after_twelve_hours_the_password_is_asked_for_however_often_tokens_were_renewed() {
    let service = Fixture::start().await;
    let mut token = log_in(&service, OFFICER).await.text("/refresh_token").to_owned();
    for _ in 0..15 {
        service.clock.advance(47 * MINUTE);
        service.running.maintain().await;
        token = renew(&service, &token, &[]).await.text("/refresh_token").to_owned();
    }
    // 15 × 47 min = 11 h 45 min.
    service.clock.advance(15 * MINUTE);
    assert_eq!(renew(&service, &token, &[]).await.error(), GONE);
}

#[tokio::test]
async fn whatever_ends_a_log_in_ends_its_renewal() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let id = crate::users::id_of(&service, &admin, OFFICER).await;
    let user = format!("/v1/users/{id}");
    let steps = [
        (Method::PUT, format!("{user}/roles"), Some(json!({"roles": ["analyst"]}))),
        (Method::PATCH, user.clone(), Some(json!({"disabled": true}))),
        (Method::POST, format!("{user}/password"), None),
    ];
    for (method, path, body) in steps {
        let tokens = log_in(&service, OFFICER).await;
        let (page, code) = service.log_in(OFFICER).await;
        let changed = service.api(method.clone(), &path, &admin, body).await;
        assert_eq!(changed.status, 200, "{method} {path}");
        assert_eq!(
            renew(&service, tokens.text("/refresh_token"), &[]).await.error(),
            GONE,
            "{method} {path}"
        );
        // Enabling the account again does not bring the log-in back.
        service.api(Method::PATCH, &user, &admin, Some(json!({"disabled": false}))).await;
        assert_eq!(
            renew(&service, tokens.text("/refresh_token"), &[]).await.error(),
            GONE,
            "{method} {path}"
        );
        assert_eq!(
            service.redeem(&page, &code, &[]).await.error(),
            GONE,
            "a code of before: {method} {path}"
        );
    }
    let tokens = log_in_with_another_password(&service, &admin, &user).await;
    assert_eq!(renew(&service, tokens.text("/refresh_token"), &[]).await.status, 200);
}

/// The officer chooses a password after a reset, which ends all log-ins before it.
async fn log_in_with_another_password(service: &Fixture, admin: &str, user: &str) -> ApiResponse {
    let reset = service.api(Method::POST, &format!("{user}/password"), admin, None).await;
    let page = service.page().await;
    let fields = [
        ("login", OFFICER),
        ("password", reset.text("/one_time_password")),
        ("change", "1"),
        ("new", PASSWORD),
        ("again", PASSWORD),
    ];
    let (_, answer) = location(&service.submit(&page, &fields).await);
    service.redeem(&page, &answer["code"], &[]).await
}

#[tokio::test]
async fn a_change_of_name_ends_nothing() {
    let service = Fixture::start().await;
    let (admin, tokens) = (service.token(ADMIN).await, log_in(&service, OFFICER).await);
    let id = crate::users::id_of(&service, &admin, OFFICER).await;
    let rename = Some(json!({"name": "Ana Tembe"}));
    service.api(Method::PATCH, &format!("/v1/users/{id}"), &admin, rename).await;
    let renewed = renew(&service, tokens.text("/refresh_token"), &[]).await;
    assert_eq!(service.check(renewed.text("/access_token")).await.name(), Some("Ana Tembe"));
}

#[tokio::test]
async fn a_code_redeemed_twice_ends_the_renewal_too() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    let tokens = service.redeem(&page, &code, &[]).await;
    assert_eq!(service.redeem(&page, &code, &[]).await.error(), GONE);
    assert_eq!(renew(&service, tokens.text("/refresh_token"), &[]).await.error(), GONE);
}

#[tokio::test]
async fn a_log_out_ends_the_log_in() {
    let service = Fixture::start().await;
    let tokens = log_in(&service, ADMIN).await;
    assert_eq!(revoke(&service, tokens.text("/refresh_token")).await.status, 200);
    assert_eq!(renew(&service, tokens.text("/refresh_token"), &[]).await.error(), GONE);
    let access = tokens.text("/access_token");
    assert_eq!(service.api(Method::GET, "/v1/users", access, None).await.status, 401);
    assert_eq!(service.outcomes("logout").await, ["success"]);
    // A second time, and a token that nobody has, look the same and change nothing.
    assert_eq!(revoke(&service, tokens.text("/refresh_token")).await.status, 200);
    assert_eq!(revoke(&service, "no-such-token").await.status, 200);
    assert_eq!(service.outcomes("logout").await, ["success"]);
}

#[tokio::test]
async fn nobody_logs_others_out() {
    let service = Fixture::start().await;
    let tokens = log_in(&service, OFFICER).await;
    let token = tokens.text("/refresh_token");
    let console = [("client_id", "console"), ("client_secret", CONSOLE_SECRET), ("token", token)];
    assert_eq!(service.form("/oauth2/revoke", &console).await.status, 200);
    let no_client = service.form("/oauth2/revoke", &[("token", token)]).await;
    assert_eq!(no_client.error(), (401, "invalid_client"));
    let missing = service.form("/oauth2/revoke", &[("client_id", "rovumactl")]).await;
    assert_eq!(missing.error(), (400, "invalid_request"));
    let access = revoke(&service, tokens.text("/access_token")).await;
    assert_eq!(access.error(), (400, "unsupported_token_type"));
    assert_eq!(service.outcomes("logout").await.len(), 0);
    assert_eq!(renew(&service, token, &[]).await.status, 200);
}

#[tokio::test]
async fn scopes_are_narrowed_and_never_widened() {
    let service = Fixture::start().await;
    let page = service.page_with(&[("scope", "openid")]).await;
    let (_, answer) = location(&service.type_in(&page, OFFICER, PASSWORD).await);
    let tokens = service.redeem(&page, &answer["code"], &[]).await;
    let token = tokens.text("/refresh_token");
    let wider = renew(&service, token, &[("scope", "openid profile")]).await;
    assert_eq!(wider.error(), (400, "invalid_scope"));
    assert_eq!(renew(&service, token, &[("scope", "openid")]).await.text("/scope"), "openid");
    let wide = log_in(&service, OFFICER).await;
    let narrow = renew(&service, wide.text("/refresh_token"), &[("scope", "openid")]).await;
    assert_ne!(wide.text("/scope"), "openid", "there is something to narrow");
    assert_eq!(narrow.text("/scope"), "openid");
}

#[tokio::test]
async fn other_tokens_are_no_refresh_tokens() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    assert_eq!(renew(&service, &code, &[]).await.error(), GONE, "a code");
    let tokens = service.redeem(&page, &code, &[]).await;
    assert_eq!(renew(&service, tokens.text("/access_token"), &[]).await.error(), GONE, "an access token");
    assert_eq!(renew(&service, "", &[]).await.error(), (400, "invalid_request"));
    let as_access = service.api(Method::GET, "/oauth2/userinfo", tokens.text("/refresh_token"), None).await;
    assert_eq!(as_access.status, 401, "a refresh token opens nothing");
}

#[tokio::test]
async fn the_store_has_no_usable_refresh_token() {
    let service = Fixture::start().await;
    let first = log_in(&service, OFFICER).await.text("/refresh_token").to_owned();
    let second = renew(&service, &first, &[]).await.text("/refresh_token").to_owned();
    let hex =
        if rovuma_lab::postgres::tests_use_postgres() { "encode(digest, 'hex')" } else { "hex(digest)" };
    let stored = service.rows(&format!("SELECT {hex} FROM refresh_token")).await;
    assert_eq!(stored.len(), 2);
    for text in stored.iter().chain(&service.rows("SELECT body FROM trail_event").await) {
        assert!(!text.contains(&first) && !text.contains(&second), "the token itself is kept");
    }
}

#[tokio::test]
async fn log_ins_are_deleted_when_their_last_token_has_expired() {
    let service = Fixture::start().await;
    let token = log_in(&service, OFFICER).await.text("/refresh_token").to_owned();
    revoke(&service, &token).await;
    service.clock.advance(12 * 60 * MINUTE + 10 * MINUTE);
    service.running.maintain().await;
    assert_eq!(
        service.rows("SELECT id FROM login_session").await.len(),
        1,
        "its access token may still be out"
    );
    service.clock.advance(2 * MINUTE);
    service.running.maintain().await;
    assert!(service.rows("SELECT id FROM login_session").await.is_empty());
    assert!(service.rows("SELECT session FROM refresh_token").await.is_empty());
}
