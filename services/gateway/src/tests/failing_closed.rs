//! When nothing may be sent: the audit service does not acknowledge events, or the disk is full.

use std::{sync::Arc, time::Duration};

use rovuma_schemas::Timestamp;
use rovuma_store::FutureExt;

use super::support::{Fixture, motorcycle};
use crate::drafts::{Refusal, overdue};

#[tokio::test]
async fn nothing_is_sent_while_the_audit_service_does_not_acknowledge() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.create(&motorcycle()).await.id();
    fixture.clock.advance(fixture.gateway.drafts.overdue.after() + Duration::from_secs(1));
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let refused = officer.step(&format!("/v1/drafts/{id}/release")).await.expect(503);
    assert_eq!(refused.code(), "audit_overdue");
    assert!(refused.json["detail"].as_str().expect("a detail").contains("since 2026-11-23T18:00:00Z"));
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 0);
    officer.create(&motorcycle()).await;
    officer.get("/v1/inbox").await.expect(200);
}

#[tokio::test]
async fn a_result_is_cached_only_until_an_event_can_be_overdue() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let is_current = async |now| fixture.check_overdue(now).await.is_ok();
    let (start, limit) = (fixture.gateway.base.now(), fixture.gateway.drafts.overdue.after());
    let late = start.plus(limit + Duration::from_secs(1));
    officer.create(&motorcycle()).await;
    assert!(is_current(start).await);
    assert!(is_current(start.plus(limit)).await);
    assert!(!is_current(late).await);
    assert!(is_current(start.plus(limit / 2)).await);
    assert!(!is_current(late).await);
}

#[tokio::test]
async fn a_clock_that_was_put_back_hides_nothing() {
    let fixture = Fixture::start().await;
    let (start, limit) = (fixture.gateway.base.now(), fixture.gateway.drafts.overdue.after());
    let acknowledged = fixture.gateway.base.store.write(|tx| {
        async move { sqlx::query("DELETE FROM trail_event").execute(tx).await.map(|_| ()) }.boxed()
    });
    acknowledged.await.expect("acknowledged");
    fixture.check_overdue(start.plus(100 * limit)).await.expect("nothing waits");
    fixture.person("officer-1", "mz.prm", &["liaison_officer"]).create(&motorcycle()).await;
    let late = start.plus(limit + Duration::from_secs(1));
    fixture.check_overdue(late).await.expect_err("it is overdue by the right clock");
}

#[tokio::test]
async fn the_alarm_is_raised_for_every_agency() {
    let fixture = Fixture::start().await;
    fixture.person("officer-1", "mz.prm", &["liaison_officer"]).create(&motorcycle()).await;
    fixture.clock.advance(fixture.gateway.drafts.overdue.after() + Duration::from_secs(1));
    fixture.context.shutdown.begin();
    // It checks once, then sees the shutdown.
    overdue::watch(Arc::clone(&fixture.gateway.drafts), fixture.context.shutdown.clone()).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM alarm WHERE kind = 'audit_overdue'").await, 2);
}

#[tokio::test]
async fn a_full_disk_has_its_own_code_and_loses_nothing() {
    if rovuma_lab::postgres::tests_use_postgres() {
        // A server's disk cannot be limited from a session.
        return;
    }
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut drafts = Vec::new();
    for _ in 0..32 {
        drafts.push(officer.create(&motorcycle()).await.id());
    }
    limit_pages(&fixture, "PRAGMA max_page_count = 1").await;
    // The free space in the existing pages takes a few releases.
    let mut released = 0;
    let refused = loop {
        let id = drafts.pop().expect("the pages are full before the drafts are all released");
        let reply = officer.step(&format!("/v1/drafts/{id}/release")).await;
        match reply.status {
            200 => released += 1,
            _ => break (id, reply.expect(507)),
        }
    };
    assert_eq!(refused.1.code(), "storage_full");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, released);
    let states = "SELECT COUNT(*) FROM draft WHERE state = 'released'";
    assert_eq!(fixture.count(states).await, released, "nothing half done");
    limit_pages(&fixture, "PRAGMA max_page_count = 1000000").await;
    officer.step(&format!("/v1/drafts/{}/release", refused.0)).await.expect(200);
}

#[tokio::test]
async fn content_is_not_shown_unless_the_read_is_recorded() {
    if rovuma_lab::postgres::tests_use_postgres() {
        // A server's disk cannot be limited from a session.
        return;
    }
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let path = format!("/v1/messages/{}", fixture.receive("mz.prm", 1, &motorcycle()).await);
    limit_pages(&fixture, "PRAGMA max_page_count = 1").await;
    // The free space in the existing pages takes some reads.
    let mut shown = 0;
    let refused = loop {
        let reply = officer.get(&path).await;
        match reply.status {
            200 => shown += 1,
            _ => break reply.expect(507),
        }
        assert!(shown < 1000, "the pages never fill");
    };
    assert_eq!(refused.code(), "storage_full");
    assert!(refused.json.get("payload").is_none(), "{}", refused.json);
    assert_eq!(fixture.audited("message.read").await.len(), shown, "each that was shown, and no other");
    limit_pages(&fixture, "PRAGMA max_page_count = 1000000").await;
    officer.get(&path).await.expect(200);
}

/// SQLite's own limit gives the error that a full disk gives.
async fn limit_pages(fixture: &Fixture, pragma: &'static str) {
    let limited = fixture
        .gateway
        .base
        .store
        .write(move |tx| async move { sqlx::query(pragma).execute(tx).await.map(|_| ()) }.boxed());
    limited.await.expect("limited");
}

impl Fixture {
    async fn check_overdue(&self, now: Timestamp) -> Result<(), Refusal> {
        self.gateway.drafts.overdue.check(&self.gateway.base.trail, now).await
    }
}
