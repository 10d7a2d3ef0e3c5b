//! The log-in page.

use reqwest::header;

use crate::support::{ADMIN, Fixture, OFFICER, PASSWORD, config, location};

#[tokio::test]
async fn a_good_log_in_leads_back_with_a_code() {
    let service = Fixture::start().await;
    let (page, code) = service.log_in(OFFICER).await;
    let tokens = service.redeem(&page, &code, &[]).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    assert_eq!(service.outcomes("login.succeed").await, ["success"]);
    assert_eq!(service.outcomes("token.issue").await, ["success"]);
    let officer = service.audit().await.into_iter().find(|event| event.action.to_string() == "login.succeed");
    let event = officer.expect("the event");
    assert_eq!(event.agency.expect("an agency").as_str(), "mz.prm");
    assert!(event.actor != OFFICER && event.session.is_some());
}

#[tokio::test]
async fn capitals_in_the_name_do_not_matter_and_in_the_password_do() {
    let service = Fixture::start().await;
    let page = service.page().await;
    assert_eq!(service.type_in(&page, " Ana.TEMBE ", PASSWORD).await.status(), 303);
    assert_eq!(service.type_in(&page, OFFICER, &PASSWORD.to_uppercase()).await.status(), 401);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let mut answers = Vec::new();
    for (login, password) in
        [(OFFICER, "not the password at all"), ("nobody.here", PASSWORD), ("§", PASSWORD)]
    {
        let response = service.type_in(&page, login, password).await;
        let status = response.status();
        let html = response.text().await.expect("a page").replace(login, "LOGIN");
        answers.push((status.as_u16(), html));
    }
    assert_eq!(answers[0].0, 401);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(
        service.outcomes("login.fail").await,
        ["wrong_password", "unknown_account", "unknown_account"]
    );
}

#[tokio::test]
async fn a_form_without_its_token_or_cookie_is_not_taken() {
    let service = Fixture::start().await;
    let good = service.page().await;
    let other = service.page().await;
    assert_ne!(good.token, other.token);
    for (token, cookie) in [
        ("", good.cookie.as_str()),
        (good.token.as_str(), ""),
        (other.token.as_str(), good.cookie.as_str()),
        (good.token.as_str(), &format!("{}; {}", good.cookie, other.cookie)),
    ] {
        let mut page = service.page().await;
        page.token = token.to_owned();
        page.cookie = cookie.to_owned();
        let response = service.type_in(&page, OFFICER, PASSWORD).await;
        assert_eq!(response.status(), 400, "{token:?} {cookie:?}");
    }
    assert_eq!(service.outcomes("login.succeed").await.len(), 0);
    assert_eq!(service.outcomes("login.fail").await.len(), 0);
}

#[tokio::test]
async fn a_post_that_another_site_makes_is_not_taken() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let request = service
        .http
        .post(service.url(&format!("/oauth2/authorize?{}", page.query)))
        .header(header::COOKIE, &page.cookie)
        .header("sec-fetch-site", "cross-site")
        .form(&[("form", page.token.as_str()), ("login", OFFICER), ("password", PASSWORD)]);
    assert_eq!(request.send().await.expect("an answer").status(), 400);
}

#[tokio::test]
async fn a_second_page_in_the_same_browser_does_not_spoil_the_first() {
    let service = Fixture::start().await;
    let first = service.page().await;
    let request = service.http.get(service.url(&format!("/oauth2/authorize?{}", first.query)));
    let second = request.header(header::COOKIE, &first.cookie).send().await.expect("an answer");
    assert!(second.headers().get(header::SET_COOKIE).is_none());
    assert!(second.text().await.expect("a page").contains(&first.token));
}

#[tokio::test]
async fn the_page_protects_itself() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self' http://127.0.0.1:49152",
        "style-src 'sha256-",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !page.html.contains("<script"));
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    let cookie = page.headers["set-cookie"].to_str().expect("text");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
    assert!(page.html.len() < 4_000, "{} bytes", page.html.len());
}

#[tokio::test]
async fn over_https_the_cookie_is_this_hosts_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path());
    config.issuer = "https://id.mz.example".into();
    let service = Fixture::start_with(folder, &config).await;
    let page = service.page().await;
    let cookie = page.headers["set-cookie"].to_str().expect("text");
    assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn the_page_speaks_three_languages() {
    let service = Fixture::start().await;
    for (locale, word) in
        [("pt-MZ", "Palavra-passe"), ("sw", "Nenosiri"), ("en", "Password"), ("fr", "Password")]
    {
        let page = service.page_with(&[("ui_locales", locale)]).await;
        assert!(page.html.contains(word), "{locale}");
        let query = &service.page().await.query;
        let request = service.http.get(service.url(&format!("/oauth2/authorize?{query}")));
        let response = request.header(header::ACCEPT_LANGUAGE, locale).send().await.expect("an answer");
        assert!(response.text().await.expect("a page").contains(word), "{locale}");
    }
}

#[tokio::test]
async fn a_disabled_user_is_told_nothing_else_than_anybody() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let id = crate::users::id_of(&service, &admin, OFFICER).await;
    let disable = serde_json::json!({"disabled": true});
    service.api(reqwest::Method::PATCH, &format!("/v1/users/{id}"), &admin, Some(disable)).await;
    let page = service.page().await;
    let response = service.type_in(&page, OFFICER, PASSWORD).await;
    assert_eq!(response.status(), 401);
    assert_eq!(service.outcomes("login.fail").await, ["disabled"]);
}

#[tokio::test]
async fn a_posted_body_that_is_no_form_is_refused() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let twice = [("login", OFFICER), ("login", ADMIN), ("password", PASSWORD)];
    assert_eq!(service.submit(&page, &twice).await.status(), 400);
    let binary = service.http.post(service.url(&format!("/oauth2/authorize?{}", page.query)));
    let response = binary.header(header::COOKIE, &page.cookie).body(vec![0xff, 0xfe]).send().await;
    assert_eq!(response.expect("an answer").status(), 400);
}

#[tokio::test]
async fn the_answer_to_a_good_log_in_is_not_kept_by_anybody() {
    let service = Fixture::start().await;
    let page = service.page().await;
    let response = service.type_in(&page, OFFICER, PASSWORD).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (_, answer) = location(&response);
    assert_eq!(answer["code"].len(), 43);
}
