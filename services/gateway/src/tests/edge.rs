//! What the API takes at its edge: media types, encodings, parameters.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::{
    routes,
    support::{Fixture, motorcycle},
};

#[tokio::test]
async fn bodies_are_taken_as_json_alone() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer", "supervisor"]);
    let id = officer.create(&motorcycle()).await.id();
    let document: Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    let mut tried = 0;
    for routes::Route { method, path } in routes::all() {
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        if operation.get("requestBody").is_none() {
            continue;
        }
        let path = match path.starts_with("/v1/alarms") {
            true => path.replace("{id}", "1"),
            false => path.replace("{id}", &id).replace("{kind}", "alert").replace("{owner}", "mz.prm"),
        };
        let body = motorcycle().to_string();
        let request = || officer.request(method.clone(), &path).body(body.clone());
        for request in [
            request(),
            request().header(header::CONTENT_TYPE, "text/plain"),
            request()
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::CONTENT_ENCODING, "gzip"),
        ] {
            let answer = request.header(header::IF_MATCH, "\"1\"").send().await.expect("answers");
            assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{method} {path}");
            let problem: Value = answer.json().await.expect("a problem");
            assert_eq!(problem["code"], "unsupported_media_type", "{method} {path}");
            tried += 1;
        }
    }
    assert_eq!(tried, 27, "nine routes take a body");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft").await, 1);
}

#[tokio::test]
async fn limits_and_parameters_are_treated_as_documented_at_every_list() {
    let fixture = Fixture::start().await;
    let supervisor = fixture.person("supervisor-1", "mz.prm", &["supervisor"]);
    let watchlist = fixture.machine("watchlist", "mz.prm", &["watchlist_service"]);
    let document: Value = serde_json::from_str(&crate::openapi()).expect("JSON");
    let mut lists = 0;
    for routes::Route { method, path } in routes::all() {
        if method != Method::GET || path.contains('{') || path == "/v1/events/live" {
            continue;
        }
        let caller = if path.starts_with("/v1/screening/") { &watchlist } else { &supervisor };
        let get = async |query: &str| caller.get(&format!("{path}?{query}")).await;
        let refused = get("colour=red").await;
        assert_eq!((refused.status, refused.code()), (400, "query"), "{path}: {refused:?}");
        assert!(refused.json["detail"].as_str().is_some_and(|text| text.contains("colour")), "{refused:?}");
        let parameters = document["paths"][&path]["get"]["parameters"].to_string();
        if !parameters.contains("\"limit\"") {
            continue;
        }
        lists += 1;
        for limit in ["0", "201", "2147483648", "4294967296", "-1", "x", ""] {
            let refused = get(&format!("limit={limit}")).await;
            assert_eq!(refused.status, 400, "{path} {limit}: {refused:?}");
            assert!(!refused.json.to_string().contains("deserialize"), "{refused:?}");
        }
        for limit in ["1", "200"] {
            get(&format!("limit={limit}")).await.expect(200);
        }
    }
    assert_eq!(lists, 11, "the lists in pages");
}

#[tokio::test]
async fn malformed_keys_are_refused_alike_at_every_post() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.create(&motorcycle()).await.id();
    let malformed = officer.with("Idempotency-Key", "two words");
    for route in routes::all().into_iter().filter(|route| route.method == Method::POST) {
        let reply = route.call(&malformed, &id).await;
        assert_eq!((reply.status, reply.code()), (400, "idempotency_key"), "{route:?}");
    }
}

#[tokio::test]
async fn the_document_is_public() {
    let fixture = Fixture::start().await;
    let nobody = super::support::Client::new(&fixture, "no token".to_owned());
    let served = nobody.get("/v1/openapi.json").await.expect(200).json;
    assert_eq!(served, serde_json::from_str::<Value>(&crate::openapi()).expect("JSON"));
    let says = &served["components"]["securitySchemes"]["bearer"]["description"];
    assert!(says.as_str().is_some_and(|text| text.contains("client_credentials")), "{says}");
    assert_eq!(served["paths"]["/v1/openapi.json"]["get"]["security"], json!([]));
}

#[tokio::test]
async fn an_id_that_is_none_is_refused_in_our_words() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    for path in ["/v1/messages/x", "/v1/drafts/018f0000", "/v1/trust/tanzania"] {
        let reply = officer.get(path).await;
        assert_eq!((reply.status, reply.code()), (400, "path"), "{path}");
        assert!(!reply.json.to_string().contains("Invalid URL"), "{reply:?}");
    }
}
