//! Whether the log is whole.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::support::Api;
use crate::testing::{GATEWAY, IDENTITY, OWN, Producer, delivery};

fn source<'a>(state: &'a Value, name: &str) -> &'a Value {
    let sources = state["sources"].as_array().expect("sources");
    sources.iter().find(|source| source["source"] == name).expect("the source")
}

#[tokio::test]
async fn every_source_shows_how_far_it_came_and_what_is_missing() {
    let mut api = Api::new().await;
    let events = api.gateway.events(6);
    api.store(&events[..2]).await;
    api.bench.deliver([api.bench.delivery(&api.gateway, &events[4..])]).await;
    let (status, state) = api.auditor("/v1/sources").await;
    assert_eq!(status, StatusCode::OK);
    let gateway = source(&state, GATEWAY);
    assert_eq!(gateway["epochs"][0]["last_sequence"], 2);
    let since = &gateway["epochs"][0]["missing"]["since"];
    assert_eq!(gateway["epochs"][0]["missing"], json!({"first": 3, "last": 4, "since": since}));
    assert_eq!(gateway["alarms"][0]["kind"], "missing");
    assert_eq!(gateway["alarms"][0]["level"], "alarm");
    assert_eq!(source(&state, IDENTITY)["epochs"], json!([]), "a source that never wrote is shown");
    assert_eq!(source(&state, OWN)["configured"], true);

    api.store(&events[2..]).await;
    let (_, state) = api.national("/v1/sources").await;
    let gateway = source(&state, GATEWAY);
    assert!(gateway["epochs"][0]["missing"].is_null());
    assert!(gateway["alarms"][0]["closed_at"].is_string());
    assert_eq!(gateway["epochs"][0]["last_sequence"], 6);
    assert_eq!(api.own("audit.read").await.len(), 2, "looking is written down");
}

#[tokio::test]
async fn conflicts_new_epochs_and_the_quarantine_are_shown() {
    let mut api = Api::new().await;
    let events = api.gateway.events(1);
    api.store(&events).await;
    let rewritten = [events[0].replace("officer-1", "officer-2")];
    api.bench.deliver([api.bench.delivery(&api.gateway, &rewritten), delivery("event.x", vec![1])]).await;
    let mut restored = Producer::with_keys(GATEWAY, std::mem::take(&mut api.gateway.keys));
    let anew = restored.events(1);
    api.bench.deliver([api.bench.delivery(&restored, &anew)]).await;

    let (_, state) = api.auditor("/v1/sources").await;
    let gateway = source(&state, GATEWAY);
    let epochs: Vec<_> =
        gateway["epochs"].as_array().expect("epochs").iter().map(|epoch| &epoch["epoch"]).collect();
    assert_eq!(epochs, [&json!(restored.epoch), &json!(api.gateway.epoch)], "the latest first");
    let alarms: Vec<_> = gateway["alarms"]
        .as_array()
        .expect("alarms")
        .iter()
        .map(|alarm| (alarm["kind"].as_str(), alarm["level"].as_str(), alarm["digest"].is_string()))
        .collect();
    assert_eq!(alarms, [(Some("new_epoch"), Some("info"), false), (Some("conflict"), Some("alarm"), true)]);
    assert_eq!(state["quarantine"][0]["reason"], "sealed");
    assert_eq!(state["quarantine"][0]["deliveries"], 1);
}
