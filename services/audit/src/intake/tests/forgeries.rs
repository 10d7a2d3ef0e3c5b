//! Deliveries that are no verified batch go to the quarantine with their reason, and later deliveries are handled.

use rovuma_broker::{Delivery, topology::names::audit_event_key};
use rovuma_envelope::{Jws, SealingKey, SigningKey, Typ, seal};
use rovuma_schemas::{Epoch, audit::AuditBatch};

use super::super::open::BATCH_MAX_BYTES;
use crate::testing::{Fixture, GATEWAY, IDENTITY, OWN, Producer, delivery};

fn key_of_gateway() -> String {
    audit_event_key(GATEWAY)
}

/// Delivers `bad` between two good batches: both are stored, and `bad` is in the quarantine for `reason`.
async fn quarantined(fixture: &Fixture, gateway: &mut Producer, bad: Delivery, reason: &str) {
    let stored = fixture.events_of(GATEWAY).await.len();
    let (before, after) = (gateway.events(2), gateway.events(2));
    let group = [fixture.delivery(gateway, &before), bad.clone(), fixture.delivery(gateway, &after)];
    assert_eq!(fixture.deliver(group).await.stored, 4, "the lane goes on");
    assert_eq!(fixture.events_of(GATEWAY).await.len(), stored + 4);
    fixture.deliver([bad]).await;
    let known = fixture.quarantine().await;
    assert!(known.contains(&format!("{reason} x2")), "{reason}: {known:?}");
    let own = fixture.events_of(OWN).await;
    let said = own.iter().filter(|event| event.contains(&format!("\"{reason}\""))).count();
    assert_eq!(said, 1, "{reason} is said once: {own:?}");
}

#[tokio::test]
async fn deliveries_that_cannot_be_opened_are_quarantined() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let garbage = delivery(&key_of_gateway(), b"not sealed at all".to_vec());
    quarantined(&fixture, &mut gateway, garbage, "sealed").await;

    let stranger = SealingKey::generate();
    let batch = gateway.sign(&gateway.batch(&[])).to_compact();
    let elsewhere = seal(batch.as_bytes(), stranger.recipient()).expect("sealed");
    fixture.deliver([delivery(&key_of_gateway(), elsewhere), delivery("", Vec::new())]).await;
    assert_eq!(fixture.quarantine().await.len(), 3);
}

#[tokio::test]
async fn deliveries_that_are_no_signed_batch_are_quarantined() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let batch = fixture.sealed(&key_of_gateway(), "eyJ.not.a-jws");
    quarantined(&fixture, &mut gateway, batch, "not_signed").await;

    let events = gateway.events(1);
    let payload = serde_json::to_vec(&gateway.batch(&events)).expect("serialises");
    let as_message = Jws::sign(Typ::MESSAGE, payload.clone(), &gateway.keys[0]).expect("signed");
    let as_ack = Jws::sign(Typ::AUDIT_ACK, payload, &gateway.keys[0]).expect("signed");
    for other in [as_message, as_ack] {
        let outcome = fixture.deliver([fixture.sealed(&key_of_gateway(), &other.to_compact())]).await;
        assert_eq!((outcome.stored, outcome.heads.len()), (0, 0), "a signature for another purpose");
    }
    assert_eq!(fixture.quarantine().await, ["not_signed x2", "not_signed x1", "not_signed x1"]);
}

#[tokio::test]
async fn batches_of_strangers_and_forgers_are_quarantined() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let stranger_key = SigningKey::generate().expect("a key");
    let mut stranger = Producer::with_keys(GATEWAY, vec![stranger_key]);
    let events = stranger.events(1);
    let unknown = fixture.delivery(&stranger, &events);
    quarantined(&fixture, &mut gateway, unknown, "unknown_key").await;

    // The stranger names the gateway's key, and signs with another.
    let genuine = gateway.sign(&gateway.batch(&[]));
    let forged = Jws::from_segments(
        genuine.protected().to_vec(),
        serde_json::to_vec(&stranger.batch(&events)).expect("serialises"),
        *genuine.signature(),
    );
    let forged = fixture.sealed(&key_of_gateway(), &forged.to_compact());
    quarantined(&fixture, &mut gateway, forged, "forged").await;
}

#[tokio::test]
async fn a_signed_batch_with_any_flipped_bit_is_quarantined() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(1);
    let signed = gateway.sign(&gateway.batch(&events));
    for (at, bit) in [(0, 0), (20, 3), (signed.unverified_payload().len() - 1, 1)] {
        let mut payload = signed.unverified_payload().to_vec();
        payload[at] ^= 1 << bit;
        let flipped = Jws::from_segments(signed.protected().to_vec(), payload, *signed.signature());
        let outcome = fixture.deliver([fixture.sealed(&key_of_gateway(), &flipped.to_compact())]).await;
        assert_eq!((outcome.stored, outcome.heads.len()), (0, 0));
    }
    assert_eq!(fixture.quarantine().await, ["forged x1", "forged x1", "forged x1"]);
}

#[tokio::test]
async fn no_source_writes_in_the_name_of_another() {
    let (fixture, mut gateway, mut identity) = Fixture::new().await;
    let events = identity.events(1);
    let mut batch = identity.batch(&events);
    batch.source = GATEWAY.to_owned();
    let signed = identity.sign(&batch).to_compact();
    let claimed = fixture.sealed(&audit_event_key(IDENTITY), &signed);
    quarantined(&fixture, &mut gateway, claimed, "wrong_source").await;

    let own_batch = identity.sign(&identity.batch(&events)).to_compact();
    for routing_key in [key_of_gateway(), "event.".to_owned(), "event.#".to_owned(), String::new()] {
        let outcome = fixture.deliver([fixture.sealed(&routing_key, &own_batch)]).await;
        assert_eq!((outcome.stored, outcome.heads.len()), (0, 0), "with the routing key {routing_key:?}");
    }
    let outcome = fixture.deliver([fixture.delivery(&identity, &events)]).await;
    assert_eq!(outcome.stored, 1, "by its own routing key it is stored");
}

#[tokio::test]
async fn a_batch_must_declare_the_events_that_it_has() {
    type Change = fn(&mut AuditBatch);
    let changes: [(&str, Change); 9] = [
        ("empty", |batch| batch.events.clear()),
        ("counts too few", |batch| batch.last -= 1),
        ("counts too many", |batch| batch.last += 1),
        ("counts from elsewhere", |batch| batch.first += 1),
        ("the last number there is", |batch| {
            batch.events.truncate(1);
            (batch.first, batch.last) = (u64::MAX, u64::MAX);
        }),
        ("other epoch", |batch| batch.epoch = Epoch::draw()),
        ("an event twice", |batch| batch.events[1] = batch.events[0].clone()),
        ("events swapped", |batch| batch.events.swap(0, 1)),
        ("no event", |batch| batch.events[1] = "{}".to_owned()),
    ];
    let (fixture, mut gateway, _) = Fixture::new().await;
    let events = gateway.events(2);
    for (name, change) in changes {
        let mut batch = gateway.batch(&events);
        change(&mut batch);
        let signed = gateway.sign(&batch).to_compact();
        let outcome = fixture.deliver([fixture.sealed(&key_of_gateway(), &signed)]).await;
        assert_eq!((outcome.stored, outcome.heads.len()), (0, 0), "{name}");
    }
    assert_eq!(fixture.quarantine().await, vec!["malformed x1"; 9]);
    assert!(fixture.events_of(GATEWAY).await.is_empty());
}

#[tokio::test]
async fn events_must_name_the_batchs_source_epoch_and_sequence() {
    let (fixture, mut gateway, identity) = Fixture::new().await;
    let other_source = gateway.event_with(|event| event.source = IDENTITY.to_owned());
    let mut batch = gateway.batch(std::slice::from_ref(&other_source));
    let outcome =
        fixture.deliver([fixture.sealed(&key_of_gateway(), &gateway.sign(&batch).to_compact())]).await;
    assert_eq!(outcome.stored, 0, "an event of another source");
    batch.events = vec![other_source.replace(IDENTITY, GATEWAY).replace("\"sequence\":1", "\"sequence\":0")];
    let outcome =
        fixture.deliver([fixture.sealed(&key_of_gateway(), &gateway.sign(&batch).to_compact())]).await;
    assert_eq!(outcome.stored, 0, "events count from 1");
    assert!(fixture.events_of(&identity.source).await.is_empty());
}

#[tokio::test]
async fn a_batch_that_opens_too_large_is_quarantined() {
    let (fixture, mut gateway, _) = Fixture::new().await;
    let huge = fixture.sealed(&key_of_gateway(), &"a".repeat(BATCH_MAX_BYTES + 1));
    quarantined(&fixture, &mut gateway, huge, "sealed").await;
}

#[tokio::test]
async fn a_flood_of_garbage_does_not_fill_the_disk() {
    let (fixture, _, _) = Fixture::new().await;
    let flood: Vec<_> = (0..5_u8).map(|n| delivery("event.x", vec![n; 16 * 1024 * 1024])).collect();
    fixture.deliver(flood).await;
    let row =
        sqlx::query("SELECT COUNT(*), COUNT(body) FROM quarantine").fetch_one(fixture.store().read()).await;
    let row = row.expect("reads");
    let (rows, bodies): (i64, i64) = (sqlx::Row::get(&row, 0), sqlx::Row::get(&row, 1));
    assert_eq!((rows, bodies), (5, 4), "the fifth is known by its digest only");
}
