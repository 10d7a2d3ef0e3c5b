//! Whose keys are taken.

use super::super::Keys;
use crate::{
    config::ProducerConfig,
    testing::{Bench, GATEWAY, IDENTITY, OWN, keys_config},
};

fn producer(source: &str, files: &[std::path::PathBuf]) -> ProducerConfig {
    ProducerConfig { source: source.to_owned(), key_files: files.to_vec() }
}

#[tokio::test]
async fn a_source_signs_with_any_of_its_keys_while_one_takes_over() {
    let (bench, mut gateway, _) = Bench::new().await;
    let events = gateway.events(4);
    bench.take([bench.delivery(&gateway, &events[..2])]).await;
    gateway.keys.swap(0, 1);
    let taken = bench.take([bench.delivery(&gateway, &events[2..])]).await;
    assert_eq!(taken.stored, 2, "the chain goes on under the other key");
    assert!(bench.quarantine().await.is_empty());
}

#[tokio::test]
async fn mistakes_in_the_configuration_are_named() {
    let (bench, _, _) = Bench::new().await;
    let dir = &bench.dir;
    let config = keys_config(dir.path());
    let path = |name: &str| dir.path().join(name);
    let (ours, identity) = (path(&format!("{GATEWAY}.0.jwk")), path(&format!("{IDENTITY}.0.jwk")));
    let refusal =
        |producers: &[ProducerConfig]| Keys::load(&config, producers, OWN).expect_err("refused").to_string();
    let one = std::slice::from_ref(&ours);
    let shared = [producer(GATEWAY, one), producer(IDENTITY, one)];
    assert!(refusal(&shared).contains("belongs to mz.gateway.police already"));
    assert!(refusal(&[producer(OWN, &[identity])]).contains("writes its own events itself"));
    assert!(refusal(&[producer(GATEWAY, &[])]).contains("key_files is empty"));
    assert!(refusal(&[producer(GATEWAY, &[path("nowhere.jwk")])]).contains("nowhere.jwk"));
    assert!(refusal(&[producer(GATEWAY, &[path("sealing.txt")])]).contains("sealing.txt"));
    assert!(Keys::load(&config, &[producer(GATEWAY, &[ours.clone(), ours])], OWN).is_ok(), "the same twice");
}

#[tokio::test]
async fn a_key_that_was_taken_off_the_list_writes_nothing_any_more() {
    let (mut bench, mut gateway, _) = Bench::new().await;
    let files = [bench.dir.path().join(format!("{GATEWAY}.1.jwk"))];
    let keys = Keys::load(&keys_config(bench.dir.path()), &[producer(GATEWAY, &files)], OWN).expect("loads");
    bench.intake.keys = std::sync::Arc::new(keys);
    let events = gateway.events(1);
    let taken = bench.take([bench.delivery(&gateway, &events)]).await;
    assert_eq!(taken.stored, 0);
    assert_eq!(bench.quarantine().await, ["unknown_key x1"]);
}
