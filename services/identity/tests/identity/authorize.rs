//! The authorization endpoint: what is not asked for rightly.

use rovuma_tokens::Pkce;

use crate::support::{Fixture, ISSUER, PASSWORD, REDIRECT, location, request_query};

#[tokio::test]
async fn nobody_is_sent_to_a_place_that_is_not_registered() {
    let service = Fixture::start().await;
    for changes in [
        [("redirect_uri", "https://evil.example/callback")],
        [("redirect_uri", "http://127.0.0.1:49152/other")],
        [("redirect_uri", "http://localhost:49152/callback")],
        [("redirect_uri", "https://console.mz.example/back")],
        [("redirect_uri", "")],
        [("client_id", "nobody")],
        [("client_id", "")],
    ] {
        let page = service.page_with(&changes).await;
        assert_eq!(page.status, 400, "{changes:?}");
        assert!(page.headers.get("location").is_none(), "{changes:?}");
        assert!(page.token.is_empty(), "{changes:?}: a form was shown");
    }
}

#[tokio::test]
async fn a_parameter_sent_twice_is_refused() {
    let service = Fixture::start().await;
    let query = request_query(&Pkce::draw().expect("random"), &[]);
    let twice = format!("/oauth2/authorize?{query}&redirect_uri=https%3A%2F%2Fevil.example%2F");
    assert_eq!(service.get(&twice).await.status(), 400);
}

#[tokio::test]
async fn other_faults_go_back_to_the_application_with_state_and_issuer() {
    let service = Fixture::start().await;
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "tooshort"), "invalid_request"),
        (("prompt", "none"), "login_required"),
        (("request", "e30.e30."), "request_not_supported"),
    ] {
        let query = request_query(&Pkce::draw().expect("random"), &[change]);
        let response = service.get(&format!("/oauth2/authorize?{query}")).await;
        let (place, answer) = location(&response);
        assert_eq!((response.status().as_u16(), place.as_str()), (303, REDIRECT), "{change:?}");
        assert_eq!(answer["error"], error, "{change:?}");
        assert_eq!((answer["state"].as_str(), answer["iss"].as_str()), ("state-1", ISSUER));
        assert!(!answer.contains_key("code"));
    }
}

#[tokio::test]
async fn a_request_without_state_is_refused() {
    let service = Fixture::start().await;
    let query = request_query(&Pkce::draw().expect("random"), &[("state", "")]);
    let (_, answer) = location(&service.get(&format!("/oauth2/authorize?{query}")).await);
    assert_eq!(answer["error"], "invalid_request");
    assert!(!answer.contains_key("state"));
}

#[tokio::test]
async fn the_request_is_checked_again_when_the_form_is_posted() {
    let service = Fixture::start().await;
    let mut page = service.page().await;
    page.query = page.query.replace("49152%2Fcallback", "49152%2Felsewhere");
    let response = service.type_in(&page, "ana.tembe", PASSWORD).await;
    assert_eq!(response.status(), 400);
    assert!(response.headers().get("location").is_none());
}
