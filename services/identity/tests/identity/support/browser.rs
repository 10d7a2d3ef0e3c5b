//! What a browser does: opens the log-in page, keeps the cookie, posts the form, follows the redirect.

use std::collections::HashMap;

use reqwest::{Response, StatusCode, Url, header};
use rovuma_tokens::Pkce;

use super::{Fixture, ISSUER, PASSWORD, REDIRECT, fixture::ApiResponse};

/// A log-in page as a browser holds it.
pub(crate) struct LoginPage {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) html: String,
    pub(crate) query: String,
    pub(crate) cookie: String,
    pub(crate) token: String,
    pub(crate) pkce: Pkce,
    /// Where the requests seem to come from.
    pub(crate) address: &'static str,
}

/// The query of a good authorization request, with some parameters put in another way; an empty one is
/// left out.
pub(crate) fn request_query(pkce: &Pkce, changes: &[(&str, &str)]) -> String {
    let mut params = vec![
        ("client_id", "rovumactl"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("state", "state-1"),
        ("nonce", "nonce-1"),
        ("code_challenge_method", "S256"),
        ("code_challenge", &pkce.challenge),
    ];
    for (name, value) in changes {
        params.retain(|(known, _)| known != name);
        if !value.is_empty() {
            params.push((name, value));
        }
    }
    let url = Url::parse_with_params("http://x/", params).expect("a URL");
    url.query().unwrap_or_default().to_owned()
}

/// The parameters in the address that a redirect leads to.
pub(crate) fn location(response: &Response) -> (String, HashMap<String, String>) {
    let location = response.headers().get(header::LOCATION).expect("a redirect").to_str().expect("text");
    let url = Url::parse(location).expect("a URL");
    let place = format!("{}{}", url.origin().ascii_serialization(), url.path());
    (place, url.query_pairs().into_owned().collect())
}

impl Fixture {
    /// Opens the log-in page.
    pub(crate) async fn page(&self) -> LoginPage {
        self.page_with(&[]).await
    }

    /// Opens the log-in page by a request with some parameters put in another way.
    pub(crate) async fn page_with(&self, changes: &[(&str, &str)]) -> LoginPage {
        let pkce = Pkce::draw().expect("random bytes");
        let query = request_query(&pkce, changes);
        let response = self.get(&format!("/oauth2/authorize?{query}")).await;
        LoginPage::read(response, query, pkce).await
    }

    /// Posts the form.
    pub(crate) async fn submit(&self, page: &LoginPage, fields: &[(&str, &str)]) -> Response {
        let mut form = vec![("form", page.token.as_str())];
        form.extend_from_slice(fields);
        let request = self.http.post(self.url(&format!("/oauth2/authorize?{}", page.query)));
        let request = request.header(header::COOKIE, &page.cookie).header("x-forwarded-for", page.address);
        request.form(&form).send().await.expect("an answer")
    }

    /// Types a name and a password.
    pub(crate) async fn type_in(&self, page: &LoginPage, login: &str, password: &str) -> Response {
        self.submit(page, &[("login", login), ("password", password)]).await
    }

    /// Logs somebody in; gives the page and the code.
    pub(crate) async fn log_in(&self, login: &str) -> (LoginPage, String) {
        let page = self.page().await;
        let response = self.type_in(&page, login, PASSWORD).await;
        let (place, answer) = location(&response);
        assert_eq!((response.status().as_u16(), place.as_str()), (303, REDIRECT));
        assert_eq!((answer["state"].as_str(), answer["iss"].as_str()), ("state-1", ISSUER));
        (page, answer["code"].clone())
    }

    /// Redeems a code, with some fields put in another way; an empty one is left out.
    pub(crate) async fn redeem(&self, page: &LoginPage, code: &str, changes: &[(&str, &str)]) -> ApiResponse {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "rovumactl"),
            ("redirect_uri", REDIRECT),
            ("code", code),
            ("code_verifier", &page.pkce.verifier),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            if !value.is_empty() {
                fields.push((name, value));
            }
        }
        self.form("/oauth2/token", &fields).await
    }

    /// Somebody's access token.
    pub(crate) async fn token(&self, login: &str) -> String {
        let (page, code) = self.log_in(login).await;
        self.redeem(&page, &code, &[]).await.text("/access_token").to_owned()
    }
}

impl LoginPage {
    async fn read(response: Response, query: String, pkce: Pkce) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let html = response.text().await.expect("a page");
        let cookie = headers.get(header::SET_COOKIE).and_then(|value| value.to_str().ok());
        let cookie = cookie.and_then(|value| value.split(';').next()).unwrap_or_default().to_owned();
        let token = between(&html, "name=\"form\" value=\"", "\"").unwrap_or_default();
        Self { status, headers, html, query, cookie, token, pkce, address: "10.0.0.1" }
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(rest[..rest.find(after)?].to_owned())
}
