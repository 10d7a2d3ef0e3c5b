//! Machine clients by API.

use reqwest::Method;
use rovuma_tokens::TokenKey;
use serde_json::{Value, json};

use crate::support::{ADMIN, FOREIGN_ADMIN, Fixture};

fn draft(changes: Value) -> Option<Value> {
    let mut draft = json!({"id": "mz.prm.cad", "name": "CAD", "roles": ["agency_system"]});
    for (name, value) in changes.as_object().expect("an object") {
        draft[name] = value.clone();
    }
    Some(draft)
}

#[tokio::test]
async fn a_machine_client_is_added_listed_and_changed() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let created = service.api(Method::POST, "/v1/clients", &admin, draft(json!({}))).await;
    assert_eq!((created.status.as_u16(), created.text("/client_secret").len()), (201, 43));
    let list = service.api(Method::GET, "/v1/clients", &admin, None).await;
    assert_eq!(list.body["items"][0]["id"], "mz.prm.cad");
    assert_eq!(list.body["items"][0]["authentication"], json!(["client_secret"]));
    let change = Some(json!({"name": "CAD 2", "roles": ["watchlist_service"]}));
    let changed = service.api(Method::PATCH, "/v1/clients/mz.prm.cad", &admin, change).await;
    assert_eq!((changed.text("/name"), &changed.body["roles"]), ("CAD 2", &json!(["watchlist_service"])));
    let read = service.api(Method::GET, "/v1/clients/mz.prm.cad", &admin, None).await;
    assert_eq!(read.body, changed.body);
    assert!(!read.body.to_string().contains("secret\":"), "{read:?}");
    let twice = service.api(Method::POST, "/v1/clients", &admin, draft(json!({}))).await;
    assert_eq!(twice.error(), (409, "client_taken"));
    assert_eq!(service.outcomes("client.create").await, ["success"]);
    assert_eq!(service.outcomes("client.change").await, ["success"]);
}

#[tokio::test]
async fn drafts_that_will_not_do_are_refused() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let key = TokenKey::generate().expect("random");
    for (changes, pointer) in [
        (json!({"id": "cad"}), "/id"),
        (json!({"id": "mz.senami.cad"}), "/id"),
        (json!({"id": "rovumactl"}), "/id"),
        (json!({"name": ""}), "/name"),
        (json!({"roles": ["agency_admin"]}), "/roles/0"),
        (json!({"roles": ["liaison_officer"]}), "/roles/0"),
        (json!({"jwks": {}}), "/jwks"),
        (json!({"jwks": {"keys": []}}), "/jwks"),
        (json!({"jwks": {"keys": [{"kty": "oct", "kid": "a", "k": "AAAA"}]}}), "/jwks"),
        (json!({"jwks": {"keys": [key.public(), key.public()]}}), "/jwks"),
    ] {
        let refused = service.api(Method::POST, "/v1/clients", &admin, draft(changes.clone())).await;
        assert_eq!(refused.error(), (422, "body_faulty"), "{changes}");
        assert_eq!(refused.text("/faults/0/pointer"), pointer, "{changes}");
    }
}

#[tokio::test]
async fn another_agencys_administrator_sees_and_changes_nothing() {
    let service = Fixture::start().await;
    let (admin, foreign) = (service.token(ADMIN).await, service.token(FOREIGN_ADMIN).await);
    service.api(Method::POST, "/v1/clients", &admin, draft(json!({}))).await;
    let list = service.api(Method::GET, "/v1/clients", &foreign, None).await;
    assert_eq!(list.body["items"], json!([]));
    for (method, path, body) in [
        (Method::GET, "/v1/clients/mz.prm.cad", None),
        (Method::PATCH, "/v1/clients/mz.prm.cad", Some(json!({"disabled": true}))),
        (Method::POST, "/v1/clients/mz.prm.cad/secret", None),
    ] {
        let refused = service.api(method, path, &foreign, body).await;
        assert_eq!(refused.error(), (404, "not_found"), "{path}");
        let nobodys = service.api(Method::GET, "/v1/clients/mz.prm.cid", &foreign, None).await;
        let detail = refused.text("/detail");
        assert!(detail.contains("mz.prm.cad") && detail.contains("GET /v1/clients"), "{detail}");
        assert_eq!(detail.replace("mz.prm.cad", "mz.prm.cid"), nobodys.text("/detail"), "they look alike");
    }
    assert_eq!(service.outcomes("access.refuse").await, ["other_agency"; 3]);
}

#[tokio::test]
async fn the_private_half_of_a_key_is_not_kept() {
    let service = Fixture::start().await;
    let admin = service.token(ADMIN).await;
    let key = TokenKey::generate().expect("random");
    let mut jwk = serde_json::to_value(key.public()).expect("JSON");
    jwk["d"] = json!("c2VjcmV0LXNlY3JldC1zZWNyZXQ");
    let created =
        service.api(Method::POST, "/v1/clients", &admin, draft(json!({"jwks": {"keys": [jwk]}}))).await;
    assert_eq!(created.status, 201, "{created:?}");
    let kept = service.rows("SELECT jwks FROM machine").await;
    assert!(!kept[0].contains("c2VjcmV0"), "{kept:?}");
}
