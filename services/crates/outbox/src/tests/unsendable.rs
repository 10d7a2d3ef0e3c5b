//! Copies that can never leave, and the copies behind them.

use std::sync::Arc;

use rovuma_envelope::BUNDLE_BYTES_MAX;
use rovuma_schemas::{Timestamp, VoidReason, VoidedNumber};
use rovuma_store::FutureExt;

use super::fixture::{Enqueued, Fixture, PRM, TISD, TPF, TestMessage, agency, at, lane};
use crate::{CopyState, OutboxSettings, RelayHost};

/// The second at which copies are due again that left at second 1, when their recipient was heard.
const DUE: i64 = 62;

fn too_large() -> TestMessage {
    TestMessage { bytes: BUNDLE_BYTES_MAX, ..TestMessage::alert(&[TPF]) }
}

/// Chooses and checks copies as the relay does. Returns how many can leave and how many were made void.
async fn check_next(fixture: &Fixture, now: Timestamp) -> (usize, usize) {
    let host: Arc<dyn RelayHost> = Arc::clone(&fixture.host) as Arc<dyn RelayHost>;
    let chosen = fixture.outbox.choose(&lane(TPF), now).await.expect("chooses").positions;
    let loaded = fixture.outbox.load(&chosen).await.expect("loads");
    let sendable = fixture.outbox.void_unsendable(&host, loaded, now).await.expect("made void");
    assert_eq!(sendable.copies.len(), sendable.messages.len());
    (sendable.copies.len(), sendable.voided)
}

/// Spoils the stored bytes of a message.
async fn damage(fixture: &Fixture, put: Enqueued) {
    let work = fixture.outbox.store().write(move |tx| {
        async move {
            sqlx::query("UPDATE outbox_message SET compact = $1 WHERE id = $2")
                .bind(b"damaged".as_slice())
                .bind(put.id.as_bytes().to_vec())
                .execute(tx)
                .await
        }
        .boxed()
    });
    assert_eq!(work.await.expect("written").rows_affected(), 1);
}

async fn outcome(fixture: &Fixture, put: Enqueued) -> (CopyState, Option<String>) {
    let trace = fixture.trace(put, TPF).await;
    (trace.state, trace.code)
}

fn void(reason: &str) -> (CopyState, Option<String>) {
    (CopyState::Void, Some(reason.to_owned()))
}

#[tokio::test]
async fn what_no_bundle_holds_is_voided_and_the_lane_goes_on() {
    // A window that would never take it.
    let fixture = Fixture::with(OutboxSettings { window_bytes: 10, ..OutboxSettings::default() }).await;
    let large = fixture.put(&too_large(), at(0)).await;
    let large_plain =
        fixture.put(&TestMessage { bytes: BUNDLE_BYTES_MAX, ..TestMessage::receipt(TPF) }, at(0)).await;
    let fine = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    assert_eq!([check_next(&fixture, at(1)).await, check_next(&fixture, at(1)).await], [(0, 1), (0, 1)]);
    assert_eq!(check_next(&fixture, at(1)).await, (1, 0));
    assert_eq!(outcome(&fixture, large).await, void("too_large"));
    assert_eq!(outcome(&fixture, large_plain).await, void("too_large"));
    let reason = VoidReason::Other("too_large".to_owned());
    assert_eq!(
        *fixture.host.voided.lock().expect("unpoisoned"),
        [(large.id, reason.clone()), (large_plain.id, reason.clone())]
    );
    assert_eq!(fixture.publish_next(TPF, at(2)).await, 1);
    assert_eq!(fixture.trace(fine, TPF).await.state, CopyState::Queued);
    let stream_ends =
        fixture.outbox.stream_ends(&agency(PRM), &agency(TPF), at(2)).await.expect("ends of streams");
    assert_eq!(stream_ends[0].voided, [VoidedNumber { number: 1, reason }]);
}

#[tokio::test]
async fn damaged_bytes_are_voided_even_when_they_have_left_before() {
    let fixture = Fixture::new().await;
    let left = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    let beside = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    assert_eq!(fixture.publish_next(TPF, at(1)).await, 2);
    let waiting = fixture.put(&TestMessage::alert(&[TPF]), at(2)).await;
    damage(&fixture, left).await;
    damage(&fixture, waiting).await;
    let due = at(DUE);
    fixture.record_heard(TPF, at(1)).await;
    assert_eq!(check_next(&fixture, due).await, (1, 2));
    assert_eq!(check_next(&fixture, due).await, (1, 0), "neither is looked at again");
    assert_eq!(outcome(&fixture, left).await, void("damaged"));
    assert_eq!(outcome(&fixture, waiting).await, void("damaged"));
    assert_eq!(fixture.trace(beside, TPF).await.state, CopyState::Queued);
}

#[tokio::test]
async fn what_a_receipt_has_settled_is_not_made_void() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF, TISD]), at(0)).await;
    assert_eq!(fixture.publish_next(TPF, at(1)).await, 1);
    let due = at(DUE);
    fixture.record_heard(TPF, at(1)).await;
    let chosen = fixture.outbox.choose(&lane(TPF), due).await.expect("chooses").positions;
    fixture.deliver(put, TPF, due).await;
    damage(&fixture, put).await;
    let loaded = fixture.outbox.load(&chosen).await.expect("loads");
    let host: Arc<dyn RelayHost> = Arc::clone(&fixture.host) as Arc<dyn RelayHost>;
    let sendable = fixture.outbox.void_unsendable(&host, loaded, due).await.expect("looks");
    assert_eq!((chosen.len(), sendable.voided), (1, 0));
    assert_eq!(fixture.trace(put, TPF).await.state, CopyState::Delivered);
}

#[tokio::test]
async fn a_settled_copy_that_its_recipient_lacks_and_that_is_damaged_closes_the_gap_as_void() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    assert_eq!(fixture.publish_next(TPF, at(1)).await, 1);
    fixture.deliver(put, TPF, at(2)).await;
    fixture.record_heard(TPF, at(3)).await;
    damage(&fixture, put).await;
    fixture.request_again(TPF, 1, at(4)).await;
    assert_eq!([check_next(&fixture, at(5)).await, check_next(&fixture, at(5)).await], [(0, 1), (0, 0)]);
    assert_eq!(outcome(&fixture, put).await, void("damaged"));
}
