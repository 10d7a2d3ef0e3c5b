//! A caller of the API.

use reqwest::{Method, StatusCode, header};
use serde_json::Value;

use super::Fixture;

/// A caller with a token of its own.
pub(in crate::tests) struct Client<'w> {
    fixture: &'w Fixture,
    token: String,
    headers: Vec<(&'static str, String)>,
}

/// An answer of the API.
#[derive(Debug)]
pub(in crate::tests) struct Reply {
    pub(in crate::tests) status: u16,
    pub(in crate::tests) headers: header::HeaderMap,
    pub(in crate::tests) json: Value,
}

impl Reply {
    /// The problem's stable code.
    pub(in crate::tests) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// The `id` of the created object.
    pub(in crate::tests) fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }

    /// The ids of a page's rows.
    pub(in crate::tests) fn ids(&self) -> Vec<String> {
        let items = self.json["items"].as_array().unwrap_or_else(|| panic!("no page: {self:?}"));
        items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// The same reply, after checking its status.
    #[track_caller]
    pub(in crate::tests) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:#}", self.json);
        self
    }
}

impl<'w> Client<'w> {
    pub(in crate::tests) fn new(fixture: &'w Fixture, token: String) -> Self {
        Self { fixture, token, headers: Vec::new() }
    }

    /// The same caller, with a header on every request.
    pub(in crate::tests) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name, value.to_owned()));
        Self { fixture: self.fixture, token: self.token.clone(), headers }
    }

    pub(in crate::tests) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.fixture.http.request(method, format!("{}{path}", self.fixture.base));
        let request = request.bearer_auth(&self.token);
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    pub(in crate::tests) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        assert!(json != Value::Null || status == StatusCode::NO_CONTENT, "{status}: {text}");
        Reply { status: status.as_u16(), headers, json }
    }

    pub(in crate::tests) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(in crate::tests) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(in crate::tests) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// A step that takes no body.
    pub(in crate::tests) async fn step(&self, path: &str) -> Reply {
        self.send(Method::POST, path, None).await
    }

    /// A new draft with this content.
    pub(in crate::tests) async fn create(&self, draft: &Value) -> Reply {
        self.post("/v1/drafts", draft).await.expect(201)
    }

    /// A draft with this content, released by its author: the message's id.
    pub(in crate::tests) async fn issue(&self, draft: &Value) -> String {
        let id = self.create(draft).await.id();
        self.step(&format!("/v1/drafts/{id}/release")).await.expect(200);
        id
    }
}
