//! What a partner with a valid key, or somebody who holds its bundles, can make us store, record and sign: bounded.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rovuma_broker::{Delivery, Handler, topology::names};
use rovuma_envelope::{Bundle, Jws, Unverified, seal};
use rovuma_schemas::{
    Body, DeliveredEntry, Digest, Lane, MessageId, Receipts, StoreId, audit::AuditPosition,
    limits::MESSAGE_MAX_BYTES,
};
use serde_json::{Value, json};

use super::support::{Fixture, agency, motorcycle};
use crate::exchange::{inbox::Inbox, known::REJECTED_KEPT_MAX_BYTES, refusals::RECORDED_MAX};

/// The messages of `tz` in one bundle to `mz.prm`, as the broker hands it over.
fn bundle(fixture: &Fixture, messages: &[Jws]) -> Delivery {
    let prm = agency("mz.prm");
    let keys = fixture.gateway.exchange.agencies.get(&prm).expect("served");
    let packed = Bundle::pack(messages).expect("fits");
    Delivery {
        exchange: "ingress.tz".to_owned(),
        routing_key: names::lane_key(&prm, lane_of(&messages[0])),
        message_id: String::new(),
        content_type: String::new(),
        headers: BTreeMap::new(),
        header_fault: None,
        redelivered: false,
        body: seal(&packed, keys.sealing[0].recipient()).expect("sealed"),
    }
}

fn lane_of(message: &Jws) -> Lane {
    Unverified::new(message.clone())
        .unverified_header()
        .map_or(Lane::Normal, |header| header.recipients[0].lane)
}

/// Delivers bundles, at most as many at once as the broker hands over.
async fn deliver(fixture: &Fixture, deliveries: Vec<Delivery>) {
    let inbox = Inbox::of(&fixture.gateway.exchange, Lane::Normal);
    for batch in deliveries.chunks(16) {
        let verdicts = inbox.handle(Arc::from(batch)).await.expect("decided");
        assert_eq!(verdicts.len(), batch.len());
    }
}

/// An alert of `tz.tpf` to `mz.prm` whose payload `change` has changed before it was signed.
fn alert(fixture: &Fixture, number: u64, change: impl FnOnce(&mut Value)) -> (MessageId, Jws) {
    let now = fixture.gateway.base.now();
    let (id, jws) = fixture.tz.alert(("tz.tpf", "mz.prm", number), &motorcycle(), now);
    let mut payload: Value = serde_json::from_slice(jws.unverified_payload()).expect("JSON");
    change(&mut payload);
    (id, fixture.tz.sign_bytes(&agency("tz.tpf"), payload.to_string().into_bytes()))
}

/// An alert that is rejected: its category is no code.
fn rejected(fixture: &Fixture, number: u64) -> (MessageId, Jws) {
    alert(fixture, number, |message| message["body"]["category"] = json!("weather"))
}

/// A receipt of `tz.tpf` about messages that `mz.prm` never sent.
fn false_receipt(fixture: &Fixture, entries: usize) -> Jws {
    let now = fixture.gateway.base.now();
    let entry = |_| DeliveredEntry {
        id: MessageId::draw(now),
        digest: Digest::from_bytes([7; 32]),
        stored_at: now,
        audit: AuditPosition { source: "tz.gateway".to_owned(), epoch: StoreId::draw(), sequence: 1 },
    };
    let body = Body::ReceiptDelivered(Receipts { entries: (0..entries).map(entry).collect() });
    fixture.tz.transport("tz.tpf", "mz.prm", body, now)
}

async fn outgoing(fixture: &Fixture) -> i64 {
    fixture.count("SELECT COUNT(*) FROM outbox_message").await
}

async fn events(fixture: &Fixture) -> i64 {
    fixture.count("SELECT COUNT(*) FROM trail_event").await
}

async fn alarms(fixture: &Fixture, kind: &'static str) -> i64 {
    let sql = match kind {
        "refusals" => "SELECT COUNT(*) FROM alarm WHERE kind = 'refusals'",
        _ => "SELECT CAST(COALESCE(SUM(times), 0) AS BIGINT) FROM alarm WHERE kind = 'conflict'",
    };
    fixture.count(sql).await
}

/// A page of blanks packs to nothing: 300 megabytes of them once were a line of 253 KB.
#[tokio::test]
async fn what_is_larger_than_a_message_is_set_aside_before_it_is_believed() {
    let fixture = Fixture::start().await;
    let mut deliveries = Vec::new();
    for number in 1..=30 {
        let (_, jws) = alert(&fixture, number, |_| {});
        let mut payload = jws.unverified_payload().to_vec();
        payload.resize(MESSAGE_MAX_BYTES + 1 + 700_000, b' ');
        deliveries.push(bundle(&fixture, &[fixture.tz.sign_bytes(&agency("tz.tpf"), payload)]));
    }
    deliver(&fixture, deliveries).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received").await, 0);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM quarantine WHERE reason = 'too_large'").await, 30);
    let kept = fixture.count("SELECT kept_bytes FROM quarantine_total").await;
    assert!(kept < 30 * 4096, "{kept} bytes were kept");
    assert_eq!(outgoing(&fixture).await, 0, "nobody is answered");
}

#[tokio::test]
async fn of_a_rejected_message_its_header_is_kept_and_little_else() {
    let fixture = Fixture::start().await;
    let large = |number| {
        alert(&fixture, number, |message| {
            message["body"]["category"] = json!("weather");
            message["body"]["padding"] = json!(" ".repeat(MESSAGE_MAX_BYTES - 16 * 1024));
        })
    };
    let (id, first) = large(1);
    let mut messages = vec![first];
    messages.extend((2..=20).map(|number| large(number).1));
    for message in messages {
        deliver(&fixture, vec![bundle(&fixture, &[message])]).await;
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE disposition = 'rejected'").await, 20);
    let kept = fixture
        .count(
            "SELECT CAST(SUM(LENGTH(COALESCE(jws, header)) + LENGTH(message_type)) AS BIGINT) FROM received",
        )
        .await;
    assert!(kept < 20 * i64::try_from(REJECTED_KEPT_MAX_BYTES).expect("fits"), "{kept} bytes were kept");
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let read = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json;
    assert_eq!((&read["header"]["id"], read.get("payload")), (&json!(id), None));
    assert_eq!(read["received"]["row"]["disposition"], "rejected");
    let originals = officer.get(&format!("/v1/messages/{id}/jws")).await.expect(200).json;
    assert_eq!(originals["messages"], json!([]));
}

#[tokio::test]
async fn a_header_that_no_schema_bounds_is_not_kept() {
    let fixture = Fixture::start().await;
    let long = "x".repeat(100_000);
    let bends: [fn(&mut Value, &str); 4] = [
        |header, long| header["type"] = json!(long),
        |header, long| {
            header["reference"] = json!(long);
            header["version"] = json!("9.0");
        },
        |header, long| {
            header["sender"]["unit"] = json!(long);
            header["version"] = json!("9.0");
        },
        |header, _| {
            let many = (0..9_000).map(|turn| (format!("mz.a{turn}"), json!(turn)));
            header["seen"] = Value::Object(many.collect());
            header["version"] = json!("9.0");
        },
    ];
    for (number, bend) in (1..).zip(bends) {
        let (_, jws) = alert(&fixture, number, |message| bend(&mut message["header"], &long));
        deliver(&fixture, vec![bundle(&fixture, &[jws])]).await;
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received").await, 0);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM quarantine").await, 4);
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let inbox = officer.get("/v1/inbox?limit=200").await.expect(200).json.to_string();
    assert!(inbox.len() < 1_000, "{} bytes", inbox.len());
}

#[tokio::test]
async fn a_bundle_that_comes_again_and_again_is_answered_once_a_minute() {
    let fixture = Fixture::start().await;
    let messages: Vec<Jws> = (1..=5).map(|number| alert(&fixture, number, |_| {}).1).collect();
    let replayed = bundle(&fixture, &messages);
    deliver(&fixture, vec![replayed.clone()]).await;
    let (answers, recorded) = (outgoing(&fixture).await, events(&fixture).await);
    deliver(&fixture, vec![replayed.clone(); 1_000]).await;
    assert_eq!((outgoing(&fixture).await, events(&fixture).await), (answers, recorded));
    // A sender that did not get the receipt gets another.
    fixture.clock.advance(Duration::from_secs(60));
    deliver(&fixture, vec![replayed; 100]).await;
    assert_eq!((outgoing(&fixture).await, events(&fixture).await), (answers + 1, recorded));
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received").await, 5);
}

#[tokio::test]
async fn a_refused_receipt_is_one_audit_event_however_often_it_comes() {
    let fixture = Fixture::start().await;
    let before = (events(&fixture).await, outgoing(&fixture).await);
    let replayed = bundle(&fixture, &[false_receipt(&fixture, 64)]);
    // A receipt is urgent: the lane's name makes no difference to the inbox, only to what was signed.
    deliver(&fixture, vec![replayed; 1_000]).await;
    assert_eq!((events(&fixture).await, outgoing(&fixture).await), (before.0 + 1, before.1));
    let refused = fixture.audited("receipt.refuse").await;
    assert_eq!(refused[0]["details"]["entries"], json!("64"), "{refused:?}");
}

/// Receipts about messages that we never sent, each signed for the first time.
#[tokio::test]
async fn receipts_that_settle_nothing_are_kept_up_to_a_number() {
    let fixture = Fixture::start().await;
    let bound = i64::try_from(RECORDED_MAX).expect("fits");
    let receipts: Vec<Jws> = (0..2 * RECORDED_MAX).map(|_| false_receipt(&fixture, 1)).collect();
    deliver(&fixture, receipts.chunks(64).map(|some| bundle(&fixture, some)).collect()).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM receipt_jws").await, bound);
    assert_eq!(alarms(&fixture, "refusals").await, 1);
}

#[tokio::test]
async fn a_conflict_is_news_once() {
    let fixture = Fixture::start().await;
    let now = fixture.gateway.base.now();
    let id = MessageId::draw(now);
    let under = |number| fixture.tz.alert_under(id, ("tz.tpf", "mz.prm", number), &motorcycle(), now);
    deliver(&fixture, vec![bundle(&fixture, &[under(1)])]).await;
    let conflict = bundle(&fixture, &[under(2)]);
    deliver(&fixture, vec![conflict.clone()]).await;
    let after_one = (events(&fixture).await, outgoing(&fixture).await, alarms(&fixture, "conflict").await);
    assert_eq!(after_one.2, 1);
    deliver(&fixture, vec![conflict.clone(); 1_000]).await;
    let after_many = (events(&fixture).await, outgoing(&fixture).await, alarms(&fixture, "conflict").await);
    assert_eq!(after_many, after_one);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM conflict").await, 1, "its signed bytes are kept");
    fixture.clock.advance(Duration::from_secs(60));
    deliver(&fixture, vec![conflict; 10]).await;
    assert_eq!(outgoing(&fixture).await, after_one.1 + 1, "its sender may not have got the answer");
}

#[tokio::test]
async fn beyond_a_number_an_hour_refusals_are_counted_only() {
    let fixture = Fixture::start().await;
    let bound = i64::try_from(RECORDED_MAX).expect("fits");
    let recorded = async || {
        let rows = fixture.count("SELECT COUNT(*) FROM received WHERE disposition = 'rejected'").await;
        (rows, i64::try_from(fixture.audited("message.reject").await.len()).expect("fits"))
    };
    let mut number = 0;
    let mut flood = async |count: u64| {
        let messages: Vec<Jws> = (0..count)
            .map(|_| {
                number += 1;
                rejected(&fixture, number).1
            })
            .collect();
        deliver(&fixture, messages.chunks(64).map(|chunk| bundle(&fixture, chunk)).collect()).await;
    };
    flood(RECORDED_MAX).await;
    assert_eq!(recorded().await, (bound, bound));
    flood(500).await;
    assert_eq!(recorded().await, (bound, bound + 1), "the first beyond is audited, with the number");
    assert_eq!(alarms(&fixture, "refusals").await, 1);
    // An honest message of the same agency is taken all the while.
    let (_, honest) = alert(&fixture, 1_000, |_| {});
    deliver(&fixture, vec![bundle(&fixture, &[honest])]).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE disposition = 'operative'").await, 1);
    // The next hour begins anew.
    fixture.clock.advance(Duration::from_secs(60 * 60 + 1));
    flood(1).await;
    assert_eq!(recorded().await, (bound + 1, bound + 2));
}
