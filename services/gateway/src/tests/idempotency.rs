//! A repeated request with the same key gets the first answer again and is not executed again.

use std::time::Duration;

use super::support::{Fixture, motorcycle};

#[tokio::test]
async fn a_repeated_create_gives_the_first_draft_again() {
    let fixture = Fixture::start().await;
    let officer =
        fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    let draft = motorcycle();
    let (first, again) = (officer.create(&draft).await, officer.create(&draft).await);
    assert_eq!(first.json, again.json);
    for header in ["etag", "location", "content-type"] {
        assert_eq!(first.headers[header], again.headers[header], "{header}");
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft").await, 1);
    assert_eq!(fixture.audited("draft.create").await.len(), 1);
}

#[tokio::test]
async fn many_at_once_make_one() {
    let fixture = Fixture::start().await;
    let officer =
        fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    let draft = motorcycle();
    let all = futures::future::join_all((0..8).map(|_| officer.create(&draft))).await;
    assert!(all.iter().all(|reply| reply.json == all[0].json));
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft").await, 1);
}

#[tokio::test]
async fn a_repeated_release_gives_the_first_answer_again() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.create(&motorcycle()).await.id();
    let path = format!("/v1/drafts/{id}/release");
    let keyed = officer.with("Idempotency-Key", "release-1");
    let (first, again) = (keyed.step(&path).await.expect(200), keyed.step(&path).await.expect(200));
    assert_eq!(first.json, again.json);
    assert_eq!(officer.step(&path).await.expect(409).code(), "not_allowed_in_state");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 1);
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_caller() {
    let fixture = Fixture::start().await;
    let officer =
        fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    let first = officer.create(&motorcycle()).await;
    let mut other = motorcycle();
    other["reference"] = "PRM-2".into();
    assert_eq!(officer.post("/v1/drafts", &other).await.expect(422).code(), "idempotency_conflict");
    let submit = format!("/v1/drafts/{}/submit", first.id());
    assert_eq!(officer.step(&submit).await.expect(422).code(), "idempotency_conflict");
    let colleague =
        fixture.person("officer-2", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    assert_ne!(colleague.create(&motorcycle()).await.id(), first.id());
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again_under_its_key() {
    let fixture = Fixture::start().await;
    let officer =
        fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    let draft = motorcycle();
    let mut faulty = draft.clone();
    faulty["body"]["actions"] = serde_json::json!([]);
    officer.post("/v1/messages", &faulty).await.expect(422);
    let sent = officer.post("/v1/messages", &draft).await.expect(201);
    assert_eq!(officer.post("/v1/messages", &draft).await.expect(201).id(), sent.id());
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 1);
    for key in ["", " ", "two words", &"k".repeat(129)] {
        let caller = fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", key);
        assert_eq!(caller.post("/v1/drafts", &motorcycle()).await.expect(400).code(), "idempotency_key");
    }
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let fixture = Fixture::start().await;
    let first = fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    let before = first.create(&motorcycle()).await.id();
    fixture.clock.advance(Duration::from_secs(24 * 60 * 60 + 1));
    let later = fixture.person("officer-1", "mz.prm", &["liaison_officer"]).with("Idempotency-Key", "key-1");
    assert_ne!(later.create(&motorcycle()).await.id(), before);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM idempotency").await, 1);
}
