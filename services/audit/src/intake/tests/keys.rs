//! The keys whose batches are accepted.

use super::super::IntakeKeys;
use crate::{
    config::ProducerConfig,
    testing::{Fixture, GATEWAY, IDENTITY, OWN, keys_config},
};

fn producer(source: &str, files: &[std::path::PathBuf]) -> ProducerConfig {
    ProducerConfig { source: source.to_owned(), key_files: files.to_vec() }
}

#[tokio::test]
async fn a_source_signs_with_any_of_its_keys_while_one_replaces_another() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(4);
    fixture.deliver([fixture.delivery(&gateway, &events[..2])]).await;
    gateway.keys.swap(0, 1);
    let outcome = fixture.deliver([fixture.delivery(&gateway, &events[2..])]).await;
    assert_eq!(outcome.stored, 2, "the chain goes on under the other key");
    assert!(fixture.quarantine().await.is_empty());
}

#[tokio::test]
async fn mistakes_in_the_configuration_are_named() {
    let (fixture, _, _) = Fixture::new().await;
    let dir = &fixture.dir;
    let config = keys_config(dir.path());
    let path = |name: &str| dir.path().join(name);
    let (ours, identity) = (path(&format!("{GATEWAY}.0.jwk")), path(&format!("{IDENTITY}.0.jwk")));
    let refusal = |producers: &[ProducerConfig]| {
        IntakeKeys::load(&config, producers, OWN).expect_err("refused").to_string()
    };
    let one = std::slice::from_ref(&ours);
    let shared = [producer(GATEWAY, one), producer(IDENTITY, one)];
    assert!(refusal(&shared).contains("is already a key of mz.gateway.police"));
    assert!(refusal(&[producer(OWN, &[identity])]).contains("the audit service's own name"));
    assert!(refusal(&[producer(GATEWAY, &[])]).contains("key_files is empty"));
    assert!(refusal(&[producer(GATEWAY, &[path("nowhere.jwk")])]).contains("nowhere.jwk"));
    assert!(refusal(&[producer(GATEWAY, &[path("sealing.txt")])]).contains("sealing.txt"));
    assert!(
        IntakeKeys::load(&config, &[producer(GATEWAY, &[ours.clone(), ours])], OWN).is_ok(),
        "the same twice"
    );
}

#[tokio::test]
async fn a_key_that_was_removed_from_the_configuration_writes_nothing_any_more() {
    let (mut fixture, mut gateway, _) = Fixture::new().await;
    let files = [fixture.dir.path().join(format!("{GATEWAY}.1.jwk"))];
    let keys =
        IntakeKeys::load(&keys_config(fixture.dir.path()), &[producer(GATEWAY, &files)], OWN).expect("loads");
    fixture.intake.keys = std::sync::Arc::new(keys);
    let events = gateway.events(1);
    let outcome = fixture.deliver([fixture.delivery(&gateway, &events)]).await;
    assert_eq!(outcome.stored, 0);
    assert_eq!(fixture.quarantine().await, ["unknown_key x1"]);
}
