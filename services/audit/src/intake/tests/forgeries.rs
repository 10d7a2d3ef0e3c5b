//! Deliveries that are nobody's batch: kept aside with their reason, and the lane goes on.

use rovuma_broker::{Delivery, topology::names::audit_event_key};
use rovuma_envelope::{Jws, SealingKey, SigningKey, Typ, seal};
use rovuma_schemas::{Epoch, audit::AuditBatch};

use super::super::open::BATCH_MAX_BYTES;
use crate::testing::{Bench, GATEWAY, IDENTITY, OWN, Producer, delivery};

fn key_of_gateway() -> String {
    audit_event_key(GATEWAY)
}

/// Takes `bad` between two good batches: both are stored, and `bad` is in quarantine for `reason`.
async fn quarantined(bench: &Bench, gateway: &mut Producer, bad: Delivery, reason: &str) {
    let stored = bench.events_of(GATEWAY).await.len();
    let (before, after) = (gateway.events(2), gateway.events(2));
    let group = [bench.delivery(gateway, &before), bad.clone(), bench.delivery(gateway, &after)];
    assert_eq!(bench.take(group).await.stored, 4, "the lane goes on");
    assert_eq!(bench.events_of(GATEWAY).await.len(), stored + 4);
    bench.take([bad]).await;
    let known = bench.quarantine().await;
    assert!(known.contains(&format!("{reason} x2")), "{reason}: {known:?}");
    let own = bench.events_of(OWN).await;
    let said = own.iter().filter(|event| event.contains(&format!("\"{reason}\""))).count();
    assert_eq!(said, 1, "{reason} is said once: {own:?}");
}

#[tokio::test]
async fn what_cannot_be_opened_is_set_aside() {
    let (bench, mut gateway, _) = Bench::new().await;
    let garbage = delivery(&key_of_gateway(), b"not sealed at all".to_vec());
    quarantined(&bench, &mut gateway, garbage, "sealed").await;

    let stranger = SealingKey::generate();
    let batch = gateway.sign(&gateway.batch(&[])).to_compact();
    let elsewhere = seal(batch.as_bytes(), stranger.recipient()).expect("sealed");
    bench.take([delivery(&key_of_gateway(), elsewhere), delivery("", Vec::new())]).await;
    assert_eq!(bench.quarantine().await.len(), 3);
}

#[tokio::test]
async fn what_is_not_a_signed_batch_is_set_aside() {
    let (bench, mut gateway, _) = Bench::new().await;
    let batch = bench.sealed(&key_of_gateway(), "eyJ.not.a-jws");
    quarantined(&bench, &mut gateway, batch, "not_signed").await;

    let events = gateway.events(1);
    let payload = serde_json::to_vec(&gateway.batch(&events)).expect("serialises");
    let as_message = Jws::sign(Typ::MESSAGE, payload.clone(), &gateway.keys[0]).expect("signed");
    let as_ack = Jws::sign(Typ::AUDIT_ACK, payload, &gateway.keys[0]).expect("signed");
    for other in [as_message, as_ack] {
        let taken = bench.take([bench.sealed(&key_of_gateway(), &other.to_compact())]).await;
        assert_eq!((taken.stored, taken.heads.len()), (0, 0), "a signature for another purpose");
    }
    assert_eq!(bench.quarantine().await, ["not_signed x2", "not_signed x1", "not_signed x1"]);
}

#[tokio::test]
async fn a_stranger_and_a_forger_are_set_aside() {
    let (bench, mut gateway, _) = Bench::new().await;
    let stranger_key = SigningKey::generate().expect("a key");
    let mut stranger = Producer::with_keys(GATEWAY, vec![stranger_key]);
    let events = stranger.events(1);
    let unknown = bench.delivery(&stranger, &events);
    quarantined(&bench, &mut gateway, unknown, "unknown_key").await;

    // The stranger names the gateway's key, and signs with another.
    let genuine = gateway.sign(&gateway.batch(&[]));
    let forged = Jws::from_segments(
        genuine.protected().to_vec(),
        serde_json::to_vec(&stranger.batch(&events)).expect("serialises"),
        *genuine.signature(),
    );
    let forged = bench.sealed(&key_of_gateway(), &forged.to_compact());
    quarantined(&bench, &mut gateway, forged, "forged").await;
}

#[tokio::test]
async fn any_flipped_bit_of_a_signed_batch_is_set_aside() {
    let (bench, mut gateway, _) = Bench::new().await;
    let events = gateway.events(1);
    let signed = gateway.sign(&gateway.batch(&events));
    for (at, bit) in [(0, 0), (20, 3), (signed.unverified_payload().len() - 1, 1)] {
        let mut payload = signed.unverified_payload().to_vec();
        payload[at] ^= 1 << bit;
        let flipped = Jws::from_segments(signed.protected().to_vec(), payload, *signed.signature());
        let taken = bench.take([bench.sealed(&key_of_gateway(), &flipped.to_compact())]).await;
        assert_eq!((taken.stored, taken.heads.len()), (0, 0));
    }
    assert_eq!(bench.quarantine().await, ["forged x1", "forged x1", "forged x1"]);
}

#[tokio::test]
async fn no_source_writes_in_the_name_of_another() {
    let (bench, mut gateway, mut identity) = Bench::new().await;
    let events = identity.events(1);
    let mut batch = identity.batch(&events);
    batch.source = GATEWAY.to_owned();
    let signed = identity.sign(&batch).to_compact();
    let claimed = bench.sealed(&audit_event_key(IDENTITY), &signed);
    quarantined(&bench, &mut gateway, claimed, "wrong_source").await;

    let own_batch = identity.sign(&identity.batch(&events)).to_compact();
    for routing_key in [key_of_gateway(), "event.".to_owned(), "event.#".to_owned(), String::new()] {
        let taken = bench.take([bench.sealed(&routing_key, &own_batch)]).await;
        assert_eq!((taken.stored, taken.heads.len()), (0, 0), "by the way of {routing_key:?}");
    }
    let taken = bench.take([bench.delivery(&identity, &events)]).await;
    assert_eq!(taken.stored, 1, "by its own way it is taken");
}

#[tokio::test]
async fn a_batch_has_to_say_what_it_holds() {
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
    let (bench, mut gateway, _) = Bench::new().await;
    let events = gateway.events(2);
    for (name, change) in changes {
        let mut batch = gateway.batch(&events);
        change(&mut batch);
        let signed = gateway.sign(&batch).to_compact();
        let taken = bench.take([bench.sealed(&key_of_gateway(), &signed)]).await;
        assert_eq!((taken.stored, taken.heads.len()), (0, 0), "{name}");
    }
    assert_eq!(bench.quarantine().await, vec!["malformed x1"; 9]);
    assert!(bench.events_of(GATEWAY).await.is_empty());
}

#[tokio::test]
async fn events_say_their_own_source_epoch_and_number() {
    let (bench, mut gateway, identity) = Bench::new().await;
    let other_source = gateway.event_with(|event| event.source = IDENTITY.to_owned());
    let mut batch = gateway.batch(std::slice::from_ref(&other_source));
    let taken = bench.take([bench.sealed(&key_of_gateway(), &gateway.sign(&batch).to_compact())]).await;
    assert_eq!(taken.stored, 0, "an event of another source");
    batch.events = vec![other_source.replace(IDENTITY, GATEWAY).replace("\"sequence\":1", "\"sequence\":0")];
    let taken = bench.take([bench.sealed(&key_of_gateway(), &gateway.sign(&batch).to_compact())]).await;
    assert_eq!(taken.stored, 0, "events count from 1");
    assert!(bench.events_of(&identity.source).await.is_empty());
}

#[tokio::test]
async fn a_batch_that_unpacks_too_large_is_set_aside() {
    let (bench, mut gateway, _) = Bench::new().await;
    let huge = bench.sealed(&key_of_gateway(), &"a".repeat(BATCH_MAX_BYTES + 1));
    quarantined(&bench, &mut gateway, huge, "sealed").await;
}

#[tokio::test]
async fn a_flood_of_garbage_does_not_fill_the_disk() {
    let (bench, _, _) = Bench::new().await;
    let flood: Vec<_> = (0..5_u8).map(|n| delivery("event.x", vec![n; 16 * 1024 * 1024])).collect();
    bench.take(flood).await;
    let row =
        sqlx::query("SELECT COUNT(*), COUNT(body) FROM quarantine").fetch_one(bench.store().read()).await;
    let row = row.expect("reads");
    let (rows, bodies): (i64, i64) = (sqlx::Row::get(&row, 0), sqlx::Row::get(&row, 1));
    assert_eq!((rows, bodies), (5, 4), "the fifth is known by its digest only");
}
