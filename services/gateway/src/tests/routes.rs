//! Every route of the OpenAPI document, so that tests that try all routes cannot forget a new one.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Client, Reply, motorcycle};

/// One operation of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: String,
}

/// Every operation but that of the document, which needs no token.
pub(super) fn all() -> Vec<Route> {
    let document: Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().filter(|(path, _)| !is_document(path)).flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations").keys();
        methods.map(|method| Route {
            method: method.to_uppercase().parse().expect("a method"),
            path: path.clone(),
        })
    });
    let routes: Vec<Route> = operations.collect();
    assert!(routes.len() >= 22, "the document lost routes: {routes:?}");
    routes
}

/// Whether the path is that of the document itself, which is public.
fn is_document(path: &str) -> bool {
    path == rovuma_api::documented::DOCUMENT_PATH
}

impl Route {
    /// Whether the route is about one draft or message.
    pub(super) fn is_about_one(&self) -> bool {
        self.path.contains("{id}") && !self.is_about_an_alarm()
    }

    /// Whether it is about an alarm, whose id is a number.
    pub(super) fn is_about_an_alarm(&self) -> bool {
        self.path.starts_with("/v1/alarms/{id}")
    }

    /// Whether it is about a draft.
    pub(super) fn is_about_a_draft(&self) -> bool {
        self.path.starts_with("/v1/drafts/{id}")
    }

    /// Whether a data protection officer may call it.
    pub(super) fn is_about_retention(&self) -> bool {
        self.path == "/v1/retention" || self.path.ends_with("/hold")
    }

    /// Whether the watchlist may call it.
    pub(super) fn is_for_the_watchlist(&self) -> bool {
        self.path.starts_with("/v1/screening/") || self.path.starts_with("/v1/events")
    }

    /// Whether it shows only what is public, to whoever has a token.
    pub(super) fn is_public(&self) -> bool {
        self.path == "/v1/codes/{list}"
    }

    /// Calls it, about `id` where it is about one thing.
    pub(super) async fn call(&self, caller: &Client<'_>, id: &str) -> Reply {
        let id = if self.is_about_an_alarm() { "1" } else { id };
        let path = self
            .path
            .replace("{id}", id)
            .replace("{list}", "offences")
            .replace("{country}", "tz")
            .replace("{kind}", "alert")
            .replace("{owner}", "mz.prm");
        assert!(!path.contains('{'), "a parameter that this test does not know: {path}");
        let body = match (self.method.as_str(), self.path.as_str()) {
            (_, "/v1/alarms/{id}/acknowledge") => Some(json!({ "times": 1, "reason": "looked at" })),
            ("PUT", path) if path.ends_with("/hold") => {
                Some(json!({ "ground": "court_order", "reason": "a file", "until": "2036-12-31" }))
            }
            (_, "/v1/drafts/{id}/return") => Some(json!({ "reason": "try again" })),
            ("POST", "/v1/messages") => Some(motorcycle()),
            ("POST", "/v1/screening/listed") => Some(json!({
                "posts": ["namatil"],
                "alerts": [{ "owner": "tz.tpf", "id": id, "version": 1, "since": "2026-11-23T12:00:00Z" }],
            })),
            ("POST" | "PUT", path) if path.starts_with("/v1/drafts") => Some(motorcycle()),
            _ => None,
        };
        caller.with("If-Match", "\"1\"").send(self.method.clone(), &path, body.as_ref()).await
    }
}

#[test]
fn every_route_says_what_it_refuses() {
    let document: Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    let mut ids = std::collections::BTreeSet::new();
    for Route { method, path } in all() {
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        for status in ["400", "401", "403", "503", "507"] {
            let content = &operation["responses"][status]["content"];
            assert!(content.get("application/problem+json").is_some(), "{method} {path} {status}");
        }
        let has_key = operation["parameters"].to_string().contains("Idempotency-Key");
        let does_something = method == Method::POST && path != "/v1/drafts/validate";
        assert_eq!(has_key, does_something, "{method} {path}");
        let has_body = operation.get("requestBody").is_some();
        for (status, applies) in [("408", has_body), ("413", true), ("415", has_body)] {
            assert_eq!(operation["responses"].get(status).is_some(), applies, "{method} {path} {status}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let schema = &parameter["schema"];
            let is_bounded = match schema["type"].as_str() {
                Some("string") => ["pattern", "enum", "format"].iter().any(|word| schema.get(word).is_some()),
                Some("integer") => schema.get("minimum").is_some(),
                _ => true,
            };
            assert!(is_bounded, "{method} {path}: {parameter}");
        }
        assert!(
            ids.insert(operation["operationId"].to_string()),
            "{method} {path}: {}",
            operation["operationId"]
        );
    }
}
