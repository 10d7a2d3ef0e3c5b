//! Searches under a name.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use serde_json::{Value, json};

use super::support::Api;

async fn send(api: &Api, who: &str, method: Method, path: &str, body: &Value) -> StatusCode {
    let token = api.person(who, "mz.prm", &["auditor"]);
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    api.raw(&token, request, Body::from(body.to_string())).await.0
}

#[tokio::test]
async fn a_search_is_kept_for_its_owner_alone_and_not_in_clear() {
    let api = Api::new().await;
    let filter = json!({ "reference": "Caso Abdul Saide", "action": "message.read", "order": "oldest" });
    let path = "/v1/queries/Abdul%20Saide";
    assert_eq!(send(&api, "auditor-1", Method::PUT, path, &filter).await, StatusCode::NO_CONTENT);
    let (_, kept) = api.auditor("/v1/queries").await;
    assert_eq!((&kept["items"][0]["name"], &kept["items"][0]["filter"]), (&json!("Abdul Saide"), &filter));
    let other = api.get(&api.person("auditor-2", "mz.prm", &["auditor"]), "/v1/queries").await.1;
    assert_eq!(other["items"], json!([]));
    assert_eq!(send(&api, "auditor-2", Method::DELETE, path, &json!(null)).await, StatusCode::NOT_FOUND);
    let row =
        sqlx::query("SELECT name_key, sealed FROM saved_query").fetch_one(api.bench.store().read()).await;
    let row = row.expect("a row");
    for column in ["name_key", "sealed"] {
        let bytes: Vec<u8> = sqlx::Row::get(&row, column);
        assert!(!bytes.windows(5).any(|window| window == b"Abdul" || window == b"ABDUL"), "{column}");
    }
    let logged = api.own("audit.read").await;
    assert_eq!(logged[0].details["view"], "saved");
    assert!(!format!("{logged:?}").contains("Saide"), "what it is called and searches for is nobody else's");
    // Saved again it is another one under the same name.
    assert_eq!(send(&api, "auditor-1", Method::PUT, path, &json!({})).await, StatusCode::NO_CONTENT);
    let (_, kept) = api.auditor("/v1/queries").await;
    assert_eq!(kept["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(send(&api, "auditor-1", Method::DELETE, path, &json!(null)).await, StatusCode::NO_CONTENT);
    assert_eq!(api.auditor("/v1/queries").await.1["items"], json!([]));
}

#[tokio::test]
async fn a_search_that_must_be_new_replaces_none() {
    let api = Api::new().await;
    let token = api.person("auditor-1", "mz.prm", &["auditor"]);
    let put = async |condition: &str, action: &str| {
        let request = Request::put("/v1/queries/sent").header("content-type", "application/json");
        let body = Body::from(json!({ "action": action }).to_string());
        api.raw(&token, request.header("if-none-match", condition), body).await
    };
    assert_eq!(put("*", "message.send").await.0, StatusCode::NO_CONTENT);
    let (status, _, text) = put("*", "message.read").await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{text}");
    assert!(text.contains("already_there") && text.contains("sent"), "{text}");
    assert_eq!(put("\"1\"", "message.read").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(api.auditor("/v1/queries").await.1["items"][0]["filter"]["action"], "message.send");
    // The same name of another auditor is another search.
    assert_eq!(
        send(&api, "auditor-2", Method::PUT, "/v1/queries/sent", &json!({})).await,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn what_is_no_search_or_one_too_many_is_refused() {
    let api = Api::new().await;
    for (name, filter) in [
        ("x", json!({ "actr": "officer-1" })),
        ("x", json!({ "limit": 5 })),
        ("x", json!({ "from": "yesterday" })),
        ("x%0Ay", json!({})),
        (&"x".repeat(65), json!({})),
    ] {
        let path = format!("/v1/queries/{name}");
        assert_eq!(
            send(&api, "auditor-1", Method::PUT, &path, &filter).await,
            StatusCode::BAD_REQUEST,
            "{filter}"
        );
    }
    for number in 0..100 {
        let path = format!("/v1/queries/{number}");
        assert_eq!(send(&api, "auditor-1", Method::PUT, &path, &json!({})).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(
        send(&api, "auditor-1", Method::PUT, "/v1/queries/more", &json!({})).await,
        StatusCode::CONFLICT
    );
    assert_eq!(
        send(&api, "auditor-1", Method::PUT, "/v1/queries/7", &json!({})).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(api.auditor("/v1/queries").await.1["items"].as_array().map(Vec::len), Some(100));
}
