//! What a search finds, with its proofs.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use rovuma_schemas::audit::AuditObject;
use rovuma_tlog::{ProofFile, leaf_hash};
use serde_json::{Value, json};

use super::support::Api;

const MESSAGE: &str = "0199c5a1-7b3e-7001-8a10-000000000001";

async fn lines(api: &Api, agency: &str, path: &str) -> Vec<Value> {
    let token = api.person("auditor-1", agency, &["auditor"]);
    let (status, _, body) = api.raw(&token, Request::get(path), Body::empty()).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The proof of a line, which holds.
fn holds(proven: &Value) -> ProofFile {
    let proof = ProofFile::read(proven["proof"].as_str().expect("a proof")).expect("reads");
    let head = proof.checkpoint.unverified_head();
    assert_eq!(head.origin, proven["origin"]);
    head.includes(proof.index, leaf_hash(&proof.unverified_extra), &proof.hashes).expect("it is in the log");
    let leaf: Value = serde_json::from_slice(&proof.unverified_extra).expect("JSON");
    assert_eq!(leaf, proven["entry"]["leaf"]);
    proof
}

#[tokio::test]
async fn every_entry_has_its_proof_against_one_head() {
    let mut api = Api::new().await;
    for number in 0..600 {
        api.store_event(|event| {
            if number % 3 == 0 {
                event.object = Some(AuditObject::new("message", MESSAGE));
            }
        })
        .await;
    }
    let none = api.auditor("/v1/evidence").await;
    assert_eq!((none.0, none.1["code"].as_str()), (StatusCode::CONFLICT, Some("not_yet_witnessed")));
    let size = api.settle().await;
    // What no head vouches for yet is left out, and told.
    for _ in 0..3 {
        api.store_event(|event| event.object = Some(AuditObject::new("message", MESSAGE))).await;
    }
    let found = lines(&api, "mz.prm", &format!("/v1/evidence?message={MESSAGE}&order=oldest")).await;
    let begin = &found[0]["begin"];
    assert_eq!((&begin["count"], &begin["end"]), (&json!(200), &json!(size)));
    assert_eq!(begin["length"], json!(size + 3));
    assert_eq!(begin["uncovered"], json!({ "count": 3, "since": crate::testing::start() }));
    assert_eq!(found.last(), Some(&json!({ "done": { "items": 200, "orders": 0 } })));
    for line in &found[1..=200] {
        assert_eq!(holds(&line["item"]).checkpoint.unverified_head().size, size);
        assert_eq!(line["item"]["entry"]["event"]["object"]["id"], MESSAGE);
    }
    let logged = api.own("export").await;
    assert_eq!(
        (logged[0].details["form"].as_str(), logged[0].details["found"].as_str()),
        ("evidence", "200")
    );
}

#[tokio::test]
async fn what_was_erased_comes_with_its_order_and_others_orders_say_no_more_than_their_leaf() {
    let mut api = Api::new().await;
    api.store_event(|event| event.object = Some(AuditObject::new("message", MESSAGE))).await;
    let order = json!({ "scope": format!("message/{MESSAGE}"), "legal_basis": "Lei n.º 3/2017, art. 63" });
    let officer = api.person("dpo-1", "mz.node", &["data_protection_officer"]);
    let path = "/v1/evidence?action=message.read";
    api.settle().await;
    assert_eq!(api.post(&officer, "/v1/erasures", &order).await.0, StatusCode::OK);
    // No head vouches for the order yet: it would prove nothing.
    let (status, problem) = api.auditor(path).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("not_yet_witnessed")));
    api.settle().await;
    let own = lines(&api, "mz.prm", path).await;
    assert!(own[1]["item"]["entry"]["event"].is_null());
    holds(&own[1]["item"]);
    holds(&own[2]["order"]);
    assert_eq!(own[1]["item"]["entry"]["erased_by"], own[2]["order"]["entry"]["index"]);
    assert_eq!(own[2]["order"]["entry"]["leaf"]["action"], "erase");
    assert!(own[2]["order"]["entry"]["event"].is_null(), "the country's order: {own:?}");
    let national = lines(&api, "mz.node", path).await;
    assert_eq!(national[2]["order"]["entry"]["event"]["details"]["legal_basis"], "Lei n.º 3/2017, art. 63");
    // The order's leaf commits to the list of what it erased, whoever sees no more of it.
    let proof = &own[1]["item"]["erasure"];
    assert_eq!((&proof["index"], &proof["size"], &proof["hashes"]), (&json!(0), &json!(1), &json!([])));
    let leaf = leaf_hash(own[1]["item"]["entry"]["leaf"].to_string().as_bytes());
    let erased = rovuma_schemas::Digest::from_bytes(leaf.0);
    assert_eq!(own[2]["order"]["entry"]["leaf"]["erased"], json!(erased));
    assert!(own[2]["order"]["erasure"].is_null());
    // An order that is itself among what was asked for comes once.
    let both = lines(&api, "mz.node", &format!("/v1/evidence?message={MESSAGE}")).await;
    assert_eq!(both.last(), Some(&json!({ "done": { "items": 2, "orders": 0 } })));
}

/// One order over many entries: each is proved to be on its list.
#[tokio::test]
async fn every_erased_entry_is_proved_to_be_on_the_list_of_its_order() {
    let mut api = Api::new().await;
    for _ in 0..300 {
        api.store_event(|event| event.object = Some(AuditObject::new("message", MESSAGE))).await;
    }
    let order = json!({ "scope": format!("message/{MESSAGE}"), "legal_basis": "Lei n.º 3/2017, art. 63" });
    let officer = api.person("dpo-1", "mz.prm", &["data_protection_officer"]);
    assert_eq!(api.post(&officer, "/v1/erasures", &order).await.0, StatusCode::OK);
    // Later ones are not on it.
    api.store_event(|event| event.object = Some(AuditObject::new("message", MESSAGE))).await;
    api.settle().await;
    let found =
        lines(&api, "mz.prm", &format!("/v1/evidence?message={MESSAGE}&action=message.read&order=oldest"))
            .await;
    let root = &found[302]["order"]["entry"]["leaf"]["erased"];
    let hash = |text: &Value| {
        let digest: rovuma_schemas::Digest = text.as_str().expect("a digest").parse().expect("a digest");
        rovuma_tlog::Hash(*digest.as_bytes())
    };
    for line in &found[1..=300] {
        let (proof, proven) = (&line["item"]["erasure"], holds(&line["item"]));
        let place = (proof["index"].as_u64().expect("a number"), proof["size"].as_u64().expect("a number"));
        let hashes: Vec<_> = proof["hashes"].as_array().expect("hashes").iter().map(hash).collect();
        let leaf = leaf_hash(&proven.unverified_extra);
        rovuma_tlog::HashList::includes(hash(root), place, leaf, &hashes).expect("it is on the list");
        assert_eq!(place.1, 300);
    }
    assert!(found[301]["item"]["erasure"].is_null() && !found[301]["item"]["entry"]["event"].is_null());
}
