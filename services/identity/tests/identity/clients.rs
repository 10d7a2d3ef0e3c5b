//! Machine clients by API.

use reqwest::Method;
use rovuma_tokens::TokenKey;
use serde_json::{Value, json};

use crate::support::{ADMIN, FOREIGN_ADMIN, World};

fn draft(changes: Value) -> Option<Value> {
    let mut draft = json!({"id": "mz.prm.cad", "name": "CAD", "roles": ["agency_system"]});
    for (name, value) in changes.as_object().expect("an object") {
        draft[name] = value.clone();
    }
    Some(draft)
}

#[tokio::test]
async fn a_machine_client_is_added_listed_and_changed() {
    let world = World::start().await;
    let admin = world.token(ADMIN).await;
    let created = world.api(Method::POST, "/v1/clients", &admin, draft(json!({}))).await;
    assert_eq!((created.status.as_u16(), created.text("/client_secret").len()), (201, 43));
    let list = world.api(Method::GET, "/v1/clients", &admin, None).await;
    assert_eq!(list.body["items"][0]["id"], "mz.prm.cad");
    assert_eq!(list.body["items"][0]["authentication"], json!(["client_secret"]));
    let change = Some(json!({"name": "CAD 2", "roles": ["watchlist_service"]}));
    let changed = world.api(Method::PATCH, "/v1/clients/mz.prm.cad", &admin, change).await;
    assert_eq!((changed.text("/name"), &changed.body["roles"]), ("CAD 2", &json!(["watchlist_service"])));
    let read = world.api(Method::GET, "/v1/clients/mz.prm.cad", &admin, None).await;
    assert_eq!(read.body, changed.body);
    assert!(!read.body.to_string().contains("secret\":"), "{read:?}");
    let twice = world.api(Method::POST, "/v1/clients", &admin, draft(json!({}))).await;
    assert_eq!(twice.error(), (409, "client_taken"));
    assert_eq!(world.outcomes("client.create").await, ["success"]);
    assert_eq!(world.outcomes("client.change").await, ["success"]);
}

#[tokio::test]
async fn drafts_that_will_not_do_are_refused() {
    let world = World::start().await;
    let admin = world.token(ADMIN).await;
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
        let refused = world.api(Method::POST, "/v1/clients", &admin, draft(changes.clone())).await;
        assert_eq!(refused.error(), (422, "body_faulty"), "{changes}");
        assert_eq!(refused.text("/faults/0/pointer"), pointer, "{changes}");
    }
}

#[tokio::test]
async fn another_agencys_administrator_sees_and_changes_nothing() {
    let world = World::start().await;
    let (admin, foreign) = (world.token(ADMIN).await, world.token(FOREIGN_ADMIN).await);
    world.api(Method::POST, "/v1/clients", &admin, draft(json!({}))).await;
    let list = world.api(Method::GET, "/v1/clients", &foreign, None).await;
    assert_eq!(list.body["items"], json!([]));
    for (method, path, body) in [
        (Method::GET, "/v1/clients/mz.prm.cad", None),
        (Method::PATCH, "/v1/clients/mz.prm.cad", Some(json!({"disabled": true}))),
        (Method::POST, "/v1/clients/mz.prm.cad/secret", None),
    ] {
        let refused = world.api(method, path, &foreign, body).await;
        assert_eq!(refused.error(), (404, "not_found"), "{path}");
    }
    assert_eq!(world.outcomes("access.refuse").await, ["other_agency"; 3]);
}

#[tokio::test]
async fn the_private_half_of_a_key_is_not_kept() {
    let world = World::start().await;
    let admin = world.token(ADMIN).await;
    let key = TokenKey::generate().expect("random");
    let mut jwk = serde_json::to_value(key.public()).expect("JSON");
    jwk["d"] = json!("c2VjcmV0LXNlY3JldC1zZWNyZXQ");
    let created =
        world.api(Method::POST, "/v1/clients", &admin, draft(json!({"jwks": {"keys": [jwk]}}))).await;
    assert_eq!(created.status, 201, "{created:?}");
    let kept = world.rows("SELECT jwks FROM machine").await;
    assert!(!kept[0].contains("c2VjcmV0"), "{kept:?}");
}
