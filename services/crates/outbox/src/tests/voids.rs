//! Void numbers, and how statuses name them to the partner.

use std::sync::Arc;

use rovuma_schemas::{Lane, NumberRange, StreamGaps, StreamRequest, Timestamp, VoidReason, VoidedNumber};
use rovuma_store::FutureExt;

use super::fixture::{Fixture, PRM, TPF, TestMessage, agency, at, lane};
use crate::{CopyState, RelayHost};

const DAY: i64 = 86_400;

async fn void(fixture: &Fixture, now: Timestamp) -> usize {
    let host: Arc<dyn RelayHost> = Arc::clone(&fixture.host) as Arc<dyn RelayHost>;
    fixture.outbox.void_expired(&host, now).await.expect("looks")
}

async fn told(fixture: &Fixture, now: Timestamp) -> Vec<VoidedNumber> {
    let stream_ends =
        fixture.outbox.stream_ends(&agency(PRM), &agency(TPF), now).await.expect("ends of streams");
    stream_ends.into_iter().flat_map(|end| end.voided).collect()
}

fn expiring(seconds: i64) -> TestMessage {
    TestMessage { expires: Some(at(seconds)), ..TestMessage::alert(&[TPF]) }
}

#[tokio::test]
async fn what_expires_unsent_is_void_and_what_has_left_is_not() {
    let fixture = Fixture::new().await;
    let left = fixture.put(&expiring(100), at(0)).await;
    fixture.publish_next(TPF, at(1)).await;
    let late = fixture.put(&expiring(100), at(2)).await;
    let lasting = fixture.put(&TestMessage::alert(&[TPF]), at(2)).await;
    assert_eq!(void(&fixture, at(99)).await, 0);
    assert_eq!(void(&fixture, at(100)).await, 1);
    assert_eq!(fixture.trace(left, TPF).await.state, CopyState::Queued);
    let trace = fixture.trace(late, TPF).await;
    assert_eq!((trace.state, trace.voided_at), (CopyState::Void, Some(at(100))));
    assert_eq!(trace.code.as_deref(), Some("expired"));
    assert_eq!(fixture.trace(lasting, TPF).await.state, CopyState::Waiting);
    assert_eq!(*fixture.host.voided.lock().expect("unpoisoned"), [(late.id, VoidReason::Expired)]);
    assert_eq!(told(&fixture, at(100)).await, [VoidedNumber { number: 2, reason: VoidReason::Expired }]);
}

#[tokio::test]
async fn what_has_expired_does_not_leave_even_before_it_is_made_void() {
    let fixture = Fixture::new().await;
    fixture.put(&expiring(100), at(0)).await;
    fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    assert_eq!(fixture.publish_next(TPF, at(100)).await, 1);
}

#[tokio::test]
async fn many_are_made_void_in_several_transactions() {
    let fixture = Fixture::new().await;
    for _ in 0..300 {
        fixture.put(&expiring(10), at(0)).await;
    }
    assert_eq!(void(&fixture, at(10)).await, 300);
    assert_eq!(told(&fixture, at(10)).await.len(), 300);
}

#[tokio::test]
async fn a_partner_is_told_for_a_day_in_which_it_was_heard_and_again_when_it_asks() {
    let fixture = Fixture::new().await;
    fixture.put(&expiring(10), at(0)).await;
    void(&fixture, at(10)).await;
    assert_eq!(told(&fixture, at(30 * DAY)).await.len(), 1, "it was never heard");
    fixture.record_heard(TPF, at(30 * DAY)).await;
    assert!(told(&fixture, at(30 * DAY)).await.is_empty(), "heard for long enough to know");
    let (outbox, identity) = (fixture.outbox.clone(), fixture.outbox.store().identity());
    let gaps =
        StreamGaps { lane: Lane::Urgent, stream: identity, missing: vec![NumberRange { from: 1, to: 1 }] };
    let asked = fixture.outbox.store().write(move |tx| {
        async move {
            let (pair, request) = ((&agency(PRM), &agency(TPF)), StreamRequest { streams: vec![gaps] });
            outbox.resend(tx, pair, &request, at(30 * DAY), at(30 * DAY)).await
        }
        .boxed()
    });
    assert_eq!(asked.await.expect("answered").voided, 1);
    assert_eq!(told(&fixture, at(30 * DAY)).await.len(), 1);
}

#[tokio::test]
async fn what_was_taken_back_stays_so_though_it_has_left() {
    let fixture = Fixture::new().await;
    let first = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(1)).await;
    let second = fixture.put(&TestMessage::alert(&[TPF]), at(1)).await;
    let receipt = fixture.put(&TestMessage::receipt(TPF), at(1)).await;
    let lane = lane(TPF);
    let chosen = fixture.outbox.choose(&lane, at(2)).await.expect("chooses").positions;
    let leaving = fixture.outbox.load(&chosen).await.expect("loads");

    let page = fixture.outbox.unreceipted(&agency(PRM), i64::MIN, 2).await.expect("reads");
    assert_eq!(page.iter().map(|one| one.id).collect::<Vec<_>>(), [first.id, second.id], "a page");
    let rest = fixture.outbox.unreceipted(&agency(PRM), page[1].position, 2).await.expect("reads");
    assert_eq!(rest.iter().map(|one| one.id).collect::<Vec<_>>(), [receipt.id]);
    for put in [first, second, receipt] {
        assert_eq!(fixture.take_back(put, at(3)).await, 1);
        assert_eq!(fixture.take_back(put, at(3)).await, 0, "once");
    }
    assert_eq!(fixture.outbox.unreceipted(&agency(PRM), i64::MIN, 9).await.expect("reads"), []);
    assert_eq!(fixture.count("outbox_message").await, 2, "what has no number is gone");

    // The relay was about to send them, and the broker has confirmed them.
    fixture.record_loaded(&fixture.leases, &lane, leaving, at(4)).await.expect("marked");
    let trace = fixture.trace(second, TPF).await;
    assert_eq!((trace.state, trace.queued_at), (CopyState::Void, Some(at(4))));
    assert_eq!(told(&fixture, at(5)).await.len(), 2);
    fixture.deliver(second, TPF, at(6)).await;
    assert_eq!(
        fixture.trace(second, TPF).await.state,
        CopyState::Delivered,
        "its recipient had taken it before"
    );
}
