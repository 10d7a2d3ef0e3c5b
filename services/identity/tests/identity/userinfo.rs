//! The userinfo endpoint.

use reqwest::Method;
use serde_json::json;

use crate::support::{ADMIN, Fixture, OFFICER, PASSWORD, location};

#[tokio::test]
async fn it_says_who_the_token_speaks_for() {
    let service = Fixture::start().await;
    let token = service.token(OFFICER).await;
    for method in [Method::GET, Method::POST] {
        let info = service.api(method, "/oauth2/userinfo", &token, None).await;
        assert_eq!(info.status, 200, "{info:?}");
        assert_eq!((info.text("/agency"), info.text("/name")), ("mz.prm", "Name of ana.tembe"));
        assert_eq!(info.text("/sub"), service.check(&token).await.subject());
    }
}

#[tokio::test]
async fn without_a_token_or_with_another_it_says_nothing() {
    let service = Fixture::start().await;
    let missing = service.get("/oauth2/userinfo").await;
    assert_eq!(missing.status(), 401);
    assert!(missing.headers()["www-authenticate"].to_str().expect("text").starts_with("Bearer"));
    let (page, code) = service.log_in(OFFICER).await;
    let tokens = service.redeem(&page, &code, &[]).await;
    let id_token = tokens.text("/id_token");
    for token in ["x", "a.b.c", id_token] {
        assert_eq!(service.api(Method::GET, "/oauth2/userinfo", token, None).await.status, 401, "{token}");
    }
}

#[tokio::test]
async fn a_token_without_openid_is_not_enough() {
    let service = Fixture::start().await;
    let page = service.page_with(&[("scope", "profile")]).await;
    let (_, answer) = location(&service.type_in(&page, OFFICER, PASSWORD).await);
    let tokens = service.redeem(&page, &answer["code"], &[]).await;
    let refused = service.api(Method::GET, "/oauth2/userinfo", tokens.text("/access_token"), None).await;
    assert_eq!(refused.error(), (403, "insufficient_scope"));
}

#[tokio::test]
async fn a_disabled_users_token_is_not_enough() {
    let service = Fixture::start().await;
    let (admin, token) = (service.token(ADMIN).await, service.token(OFFICER).await);
    let id = crate::users::id_of(&service, &admin, OFFICER).await;
    service.api(Method::PATCH, &format!("/v1/users/{id}"), &admin, Some(json!({"disabled": true}))).await;
    assert_eq!(service.api(Method::GET, "/oauth2/userinfo", &token, None).await.status, 401);
}

#[tokio::test]
async fn an_expired_token_is_not_enough() {
    let service = Fixture::start().await;
    let token = service.token(OFFICER).await;
    service.clock.advance(std::time::Duration::from_secs(631));
    assert_eq!(service.api(Method::GET, "/oauth2/userinfo", &token, None).await.status, 401);
}
