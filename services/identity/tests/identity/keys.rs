//! The keys that tokens are signed with, over time.

use std::{collections::BTreeSet, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::support::{Fixture, OFFICER, config};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn published(service: &Fixture) -> BTreeSet<String> {
    let set: Value = service.get("/oauth2/jwks.json").await.json().await.expect("JSON");
    let keys = set["keys"].as_array().expect("keys");
    keys.iter().map(|key| key["kid"].as_str().expect("a name").to_owned()).collect()
}

fn kid(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    header["kid"].as_str().expect("a name").to_owned()
}

fn files(service: &Fixture) -> usize {
    std::fs::read_dir(service.folder.path().join("keys")).expect("the folder").count()
}

#[tokio::test]
async fn the_next_key_is_published_before_it_signs_and_the_last_one_after() {
    let service = Fixture::start().await;
    let first = published(&service).await;
    service.clock.advance(DAY * 89);
    service.running.maintain().await;
    let both = published(&service).await;
    assert!(both.len() == 2 && both.is_superset(&first));
    let before = service.token(OFFICER).await;
    assert!(first.contains(&kid(&before)), "the next key signed too early");

    service.clock.advance(DAY - Duration::from_secs(300));
    let last = service.token(OFFICER).await;
    assert!(first.contains(&kid(&last)));
    service.clock.advance(Duration::from_secs(300));
    service.running.maintain().await;
    let next = service.token(OFFICER).await;
    assert!(!first.contains(&kid(&next)), "the next key does not sign");
    service.check(&last).await;
    service.check(&next).await;
    assert_eq!(files(&service), 1, "the old private key is still there");

    service.clock.advance(DAY);
    service.running.maintain().await;
    assert!(published(&service).await.is_disjoint(&first), "the old key is still published");
    assert_eq!(service.outcomes("key.create").await.len(), 1);
    assert_eq!(service.outcomes("key.rotate").await.len(), 1);
    assert_eq!(service.outcomes("key.revoke").await.len(), 1);
}

#[tokio::test]
async fn keys_outlive_a_restart() {
    let service = Fixture::start().await;
    let before = published(&service).await;
    let token = service.token(OFFICER).await;
    let config = config(service.folder.path());
    let service = service.restart(&config).await;
    assert_eq!(published(&service).await, before);
    service.check(&token).await;
}

#[tokio::test]
async fn a_key_whose_file_was_taken_away_is_withdrawn_at_the_next_start() {
    let service = Fixture::start().await;
    let before = published(&service).await;
    std::fs::remove_dir_all(service.folder.path().join("keys")).expect("removed");
    let config = config(service.folder.path());
    let service = service.restart(&config).await;
    assert!(published(&service).await.is_disjoint(&before));
    let token = service.token(OFFICER).await;
    service.check(&token).await;
    assert_eq!(service.outcomes("key.revoke").await.len(), 1);
}

#[tokio::test]
async fn private_keys_are_the_services_alone() {
    use std::os::unix::fs::PermissionsExt;
    let service = Fixture::start().await;
    let folder = service.folder.path().join("keys");
    let mode = |path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(folder.clone()), 0o700);
    for entry in std::fs::read_dir(folder).expect("the folder") {
        assert_eq!(mode(entry.expect("an entry").path()), 0o600);
    }
}
