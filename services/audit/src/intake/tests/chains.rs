//! The rules of a source's chain.

use rovuma_envelope::{Jws, PublicKey, Signer as _, SigningKey, Typ, digest};
use rovuma_schemas::{
    Epoch,
    audit::{AuditAck, AuditEvent, FIRST_PREVIOUS},
};
use rovuma_store::{FutureExt as _, OpenError, Store, StoreConfig};
use sqlx::Row;

use super::super::acknowledge;
use crate::{
    log::{ChainHead, MIGRATIONS, check_edge},
    testing::{Fixture, GATEWAY, OWN, Producer, start},
};

fn head(events: &[String]) -> ChainHead {
    let last = events.last().expect("an event");
    ChainHead { sequence: u64::try_from(events.len()).expect("few"), digest: digest(last.as_bytes()) }
}

fn parsed(events: &[String]) -> Vec<AuditEvent> {
    events.iter().map(|text| serde_json::from_str(text).expect("an event")).collect()
}

/// The reasons in the service's own events about alarms; `-` for an event that closes one.
async fn own_alarms(fixture: &Fixture) -> Vec<String> {
    let events = parsed(&fixture.events_of(OWN).await);
    let alarms = events.into_iter().filter(|event| event.action.as_str() == "audit.alarm");
    alarms.map(|event| event.reason.unwrap_or_else(|| "-".to_owned())).collect()
}

#[tokio::test]
async fn events_are_stored_byte_for_byte_in_order_and_acknowledged() {
    let (fixture, mut gateway, mut identity) = Fixture::new().await;
    let (from_gateway, from_identity) = (gateway.events(5), identity.events(2));
    let outcome = fixture
        .deliver([
            fixture.delivery(&gateway, &from_gateway[..3]),
            fixture.delivery(&identity, &from_identity),
            fixture.delivery(&gateway, &from_gateway[3..]),
        ])
        .await;
    assert_eq!((outcome.stored, outcome.duplicates), (7, 0));
    assert_eq!(outcome.heads[&(gateway.source.clone(), gateway.epoch)], head(&from_gateway));
    assert_eq!(outcome.heads[&(identity.source.clone(), identity.epoch)], head(&from_identity));
    assert_eq!(fixture.events_of(GATEWAY).await, from_gateway);
    assert!(fixture.alarms().await.is_empty());

    let rows = sqlx::query("SELECT entry_index FROM entry ORDER BY entry_index");
    let rows = rows.fetch_all(fixture.store().read()).await.expect("reads");
    let indices: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        indices,
        (0..8).collect::<Vec<_>>(),
        "leaves are numbered from 0 without gaps, that of the log's beginning first"
    );
}

#[tokio::test]
async fn stored_events_are_acknowledged_again_and_not_stored_twice() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(6);
    fixture.deliver([fixture.delivery(&gateway, &events[..4])]).await;
    let again = fixture.deliver([fixture.delivery(&gateway, &events[..4])]).await;
    assert_eq!((again.stored, again.duplicates), (0, 4));
    assert_eq!(again.heads[&(gateway.source.clone(), gateway.epoch)], head(&events[..4]));
    let overlapping = fixture.deliver([fixture.delivery(&gateway, &events[2..])]).await;
    assert_eq!((overlapping.stored, overlapping.duplicates), (2, 2));
    assert_eq!(fixture.events_of(GATEWAY).await, events);
    assert!(fixture.alarms().await.is_empty());
}

#[tokio::test]
async fn nothing_is_stored_after_a_gap_which_is_an_alarm_until_it_closes() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(9);
    fixture.deliver([fixture.delivery(&gateway, &events[..2])]).await;
    let beyond = fixture.deliver([fixture.delivery(&gateway, &events[4..6])]).await;
    assert_eq!(beyond.stored, 0);
    assert_eq!(
        beyond.heads[&(gateway.source.clone(), gateway.epoch)],
        head(&events[..2]),
        "tells where it is"
    );
    assert_eq!(fixture.alarms().await, ["missing 3-4 x1 open"]);
    fixture.deliver([fixture.delivery(&gateway, &events[7..])]).await;
    assert_eq!(fixture.alarms().await, ["missing 3-7 x2 open"]);
    assert_eq!(own_alarms(&fixture).await, ["missing"]);

    fixture.deliver([fixture.delivery(&gateway, &events[2..5])]).await;
    assert_eq!(fixture.alarms().await, ["missing 3-7 x2 open"]);
    fixture.deliver([fixture.delivery(&gateway, &events[5..])]).await;
    assert_eq!(fixture.alarms().await, ["missing 3-7 x2 closed"]);
    assert_eq!(own_alarms(&fixture).await, ["missing", "-"]);
    assert_eq!(fixture.events_of(GATEWAY).await, events);
}

#[tokio::test]
async fn batches_in_the_wrong_order_end_complete() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(6);
    let (first, second) =
        (fixture.delivery(&gateway, &events[..3]), fixture.delivery(&gateway, &events[3..]));
    fixture.deliver([second.clone(), first.clone(), second, first]).await;
    assert_eq!(fixture.events_of(GATEWAY).await, events);
    assert_eq!(fixture.alarms().await, ["missing 1-3 x1 closed"]);
}

#[tokio::test]
async fn an_event_that_does_not_continue_the_chain_stops_it() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let mut events = gateway.events(4);
    let genuine = events.clone();
    // Somebody with the source's key rewrites the third event: the fourth still names the genuine one.
    events[2] = events[2].replace("officer-1", "officer-2");
    let outcome = fixture.deliver([fixture.delivery(&gateway, &events)]).await;
    assert_eq!(outcome.stored, 3, "up to the rewritten one it is a chain");
    assert_eq!(fixture.alarms().await, ["altered 4-4 x1 open"]);

    let later = fixture.deliver([fixture.delivery(&gateway, &genuine)]).await;
    assert_eq!((later.stored, later.heads.len()), (0, 0), "a source whose history differs is told nothing");
    assert_eq!(fixture.alarms().await, ["altered 4-4 x1 open", "conflict 3-3 x1 open"]);
    assert_eq!(fixture.events_of(GATEWAY).await, events[..3], "nothing was overwritten");
}

#[tokio::test]
async fn the_first_event_of_an_epoch_has_nothing_before_it() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let event = gateway.event_with(|event| event.previous = digest(b"something before"));
    let outcome = fixture.deliver([fixture.delivery(&gateway, &[event])]).await;
    assert_eq!((outcome.stored, outcome.heads.len()), (0, 0));
    assert_eq!(fixture.alarms().await, ["altered 1-1 x1 open"]);
}

#[tokio::test]
async fn the_same_event_with_other_bytes_is_a_conflict_with_evidence() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(3);
    fixture.deliver([fixture.delivery(&gateway, &events)]).await;
    let rewritten = [events[1].replace("officer-1", "officer-2")];
    for _ in 0..3 {
        let outcome = fixture.deliver([fixture.delivery(&gateway, &rewritten)]).await;
        assert_eq!((outcome.stored, outcome.duplicates, outcome.heads.len()), (0, 0, 0));
    }
    assert_eq!(fixture.alarms().await, ["conflict 2-2 x3 open"]);
    assert_eq!(own_alarms(&fixture).await, ["conflict"], "said once");
    assert_eq!(fixture.events_of(GATEWAY).await, events, "nothing was overwritten");

    let row = sqlx::query("SELECT digest, evidence FROM alarm").fetch_one(fixture.store().read()).await;
    let row = row.expect("the alarm");
    assert_eq!(row.get::<Vec<u8>, _>("digest"), digest(rewritten[0].as_bytes()).as_bytes());
    let evidence = String::from_utf8(row.get("evidence")).expect("text");
    let evidence = Jws::from_compact(&evidence).expect("a JWS");
    let payload =
        evidence.verify_with(gateway.keys[0].public_key(), Typ::AUDIT).expect("proves who signed it");
    assert!(String::from_utf8_lossy(payload).contains("officer-2"));
}

#[tokio::test]
async fn a_new_epoch_of_a_known_source_is_shown() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(2);
    fixture.deliver([fixture.delivery(&gateway, &events)]).await;
    assert!(fixture.alarms().await.is_empty(), "the first epoch is no news");
    let mut restored = Producer::with_keys(GATEWAY, std::mem::take(&mut gateway.keys));
    let events = restored.events(5);
    fixture.deliver([fixture.delivery(&restored, &events[3..])]).await;
    assert_eq!(fixture.alarms().await, ["new_epoch 0-0 x1 open", "missing 1-3 x1 open"]);
    let outcome = fixture.deliver([fixture.delivery(&restored, &events)]).await;
    assert_eq!(outcome.heads[&(GATEWAY.to_owned(), restored.epoch)], head(&events));
    assert_eq!(fixture.alarms().await, ["new_epoch 0-0 x1 open", "missing 1-3 x1 closed"]);
    assert_eq!(own_alarms(&fixture).await, ["new_epoch", "missing", "-"]);
}

#[tokio::test]
async fn the_services_own_events_are_a_chain_like_any_other() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(8);
    for at in [2, 4, 6] {
        fixture.deliver([fixture.delivery(&gateway, &events[at..])]).await;
        fixture.deliver([fixture.delivery(&gateway, &events[..at])]).await;
    }
    let own = fixture.events_of(OWN).await;
    assert!(own.len() >= 2, "{own:?}");
    let mut previous = FIRST_PREVIOUS;
    for (text, number) in own.iter().zip(1..) {
        let event: AuditEvent = serde_json::from_str(text).expect("an event");
        assert_eq!((event.sequence, event.previous), (number, previous));
        assert_eq!(event.epoch, fixture.store().identity());
        previous = digest(text.as_bytes());
    }
}

#[tokio::test]
async fn the_log_refuses_to_be_changed() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(2);
    fixture.deliver([fixture.delivery(&gateway, &events)]).await;
    for statement in
        ["UPDATE entry SET sequence = 9", "DELETE FROM entry", "DELETE FROM entry WHERE entry_index = 1"]
    {
        let refused = fixture
            .store()
            .write(move |tx| Box::pin(async move { sqlx::query(statement).execute(tx).await }));
        assert!(refused.await.expect_err("refused").to_string().contains("only appended"), "{statement}");
    }
    assert_eq!(fixture.events_of(GATEWAY).await, events);
}

#[tokio::test]
async fn a_log_that_was_changed_outside_is_noticed_at_start() {
    for (tampering, word) in [
        ("UPDATE payload SET sealed = key_salt FROM payload_scope", "cannot be opened"),
        ("UPDATE entry SET leaf = digest WHERE sequence = 3", "do not give the right edge"),
        (
            "UPDATE entry SET digest = (SELECT digest FROM entry WHERE sequence = 1 ORDER BY entry_index LIMIT 1) WHERE sequence = 3",
            "was changed",
        ),
        ("UPDATE tree SET size = 1", "the log's key did not sign its head"),
        ("UPDATE tree SET size = 3", "edge"),
        ("UPDATE tree SET checkpoint = edge", "the log's key did not sign its head"),
        (
            "UPDATE tree SET edge = (SELECT digest FROM entry WHERE sequence = 1 ORDER BY entry_index LIMIT 1), size = 4",
            "the log's key did not sign its head",
        ),
        ("UPDATE tree SET first_index = 1", "do not give the right edge"),
        ("DELETE FROM payload; DELETE FROM entry WHERE sequence = 3", "should be the last stored, but 2 is"),
        ("DELETE FROM payload; DELETE FROM entry", "should be the last stored, but is missing"),
        (
            "UPDATE lineage SET last_sequence = 2 WHERE last_sequence = 3",
            "should be the last stored, but 3 is",
        ),
    ] {
        let (fixture, mut gateway, _) = Fixture::new().await;
        let events = gateway.events(3);
        fixture.deliver([fixture.delivery(&gateway, &events)]).await;
        check_edge(fixture.store().read(), &fixture.intake.sequencer).await.expect("it holds before");
        let tamper = fixture.store().write(move |tx| {
            Box::pin(async move {
                let disarm: &[&str] = if rovuma_lab::postgres::tests_use_postgres() {
                    &["DROP TRIGGER entry_is_never_changed ON entry"]
                } else {
                    &["DROP TRIGGER entry_is_never_changed", "DROP TRIGGER entry_is_never_deleted"]
                };
                for &sql in disarm.iter().chain(&["DELETE FROM entry_search", tampering]) {
                    for step in sql.split(';') {
                        sqlx::query(step).execute(&mut *tx).await?;
                    }
                }
                Ok::<_, sqlx::Error>(())
            })
        });
        tamper.await.expect("tampered");
        let fault = check_edge(fixture.store().read(), &fixture.intake.sequencer)
            .await
            .expect_err(tampering)
            .to_string();
        assert!(fault.contains(word), "{tampering}: {fault}");
    }
}

#[tokio::test]
async fn a_log_continues_after_a_restart() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(4);
    fixture.deliver([fixture.delivery(&gateway, &events[..2])]).await;
    let fixture = fixture.restarted().await;
    check_edge(fixture.store().read(), &fixture.intake.sequencer).await.expect("it holds");
    let outcome = fixture.deliver([fixture.delivery(&gateway, &events[2..])]).await;
    assert_eq!(outcome.heads[&(gateway.source.clone(), gateway.epoch)], head(&events));
}

#[tokio::test]
async fn an_acknowledgement_names_the_head_and_is_signed() {
    let key = SigningKey::generate().expect("a key");
    let (epoch, now) = (Epoch::draw(), start());
    let ends = ChainHead { sequence: 7, digest: digest(b"the seventh") };
    let signed = acknowledge::sign(GATEWAY, epoch, ends, &key, now).expect("signed");
    let payload = signed.verify_with(key.public_key(), Typ::AUDIT_ACK).expect("holds");
    let ack: AuditAck = serde_json::from_slice(payload).expect("an acknowledgement");
    let expected = AuditAck {
        source: GATEWAY.to_owned(),
        epoch,
        sequence: 7,
        digest: ends.digest,
        acknowledged_at: now,
    };
    assert_eq!(ack, expected);
    assert!(signed.verify_with(key.public_key(), Typ::AUDIT).is_err(), "never taken for a batch");
    let other: PublicKey = *SigningKey::generate().expect("a key").public_key();
    assert!(signed.verify_with(&other, Typ::AUDIT_ACK).is_err());
}

#[tokio::test]
async fn a_second_service_on_the_same_store_is_refused() {
    let (fixture, ..) = Fixture::new().await;
    let url = rovuma_lab::postgres::test_store(fixture.dir.path(), "log").expect("a store");
    let refused = Store::open(&StoreConfig::at(url), &[MIGRATIONS]).await.expect_err("the first has it");
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
}

#[tokio::test]
async fn pruned_events_that_come_again_are_acknowledged_and_not_stored() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(4);
    fixture.deliver([fixture.delivery(&gateway, &events[..3])]).await;
    let prune = fixture.store().write(|tx| {
        async move {
            for text in [
                "UPDATE tree SET prune_below = 4, pruned_below = 4",
                "UPDATE lineage SET pruned_through = 3 WHERE source = 'mz.gateway.police'",
                "DELETE FROM payload WHERE entry_index < 4",
                "DELETE FROM entry_search WHERE entry_index < 4",
                "DELETE FROM entry WHERE entry_index < 4",
            ] {
                sqlx::query(text).execute(&mut *tx).await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    prune.await.expect("pruned");
    let outcome = fixture.deliver([fixture.delivery(&gateway, &events)]).await;
    assert_eq!((outcome.duplicates, outcome.stored), (3, 1));
    assert_eq!(fixture.alarms().await, [""; 0]);
}

/// SQLite's own limit gives the error that a full disk gives.
async fn limit_pages(fixture: &Fixture, pragma: &'static str) {
    let limit = fixture
        .store()
        .write(move |tx| async move { sqlx::query(pragma).execute(tx).await.map(|_| ()) }.boxed());
    limit.await.expect("limited");
}

#[tokio::test]
async fn on_a_full_disk_nothing_of_a_batch_is_stored_and_all_of_it_once_there_is_room() {
    if rovuma_lab::postgres::tests_use_postgres() {
        // A server's disk cannot be limited from a session.
        return;
    }
    let (fixture, mut gateway, _) = Fixture::new().await;
    let first = gateway.events(3);
    fixture.deliver([fixture.delivery(&gateway, &first)]).await;
    limit_pages(&fixture, "PRAGMA max_page_count = 1").await;
    // This batch needs more pages than are left.
    let events = gateway.events(400);
    let refused = fixture.intake.store_deliveries(vec![fixture.delivery(&gateway, &events)].into()).await;
    assert!(refused.is_err(), "the broker keeps it and delivers it again");
    assert_eq!(fixture.events_of(GATEWAY).await.len(), 3, "nothing half taken");
    check_edge(fixture.store().read(), &fixture.intake.sequencer).await.expect("what is there holds");
    limit_pages(&fixture, "PRAGMA max_page_count = 1000000").await;
    let outcome = fixture.deliver([fixture.delivery(&gateway, &events)]).await;
    assert_eq!((outcome.stored, outcome.duplicates), (400, 0));
    check_edge(fixture.store().read(), &fixture.intake.sequencer).await.expect("it holds");
    assert_eq!(fixture.alarms().await, [""; 0]);
}
