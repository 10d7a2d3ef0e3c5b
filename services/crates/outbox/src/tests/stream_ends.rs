//! The ends that a status names, also of streams of the store's former identities.

use std::sync::Arc;

use rovuma_schemas::{
    StoreId, StreamEnd, StreamId, Timestamp, VoidReason, VoidedNumber, limits::STREAMS_PER_LANE_MAX,
};
use rovuma_store::FutureExt;

use super::{
    fixture::{Enqueued, Fixture, PRM, TPF, TestMessage, agency, at},
    window::plan,
};
use crate::RelayHost;

const DAY: i64 = 86_400;

async fn stream_ends(fixture: &Fixture, now: Timestamp) -> Vec<StreamEnd> {
    fixture.outbox.stream_ends(&agency(PRM), &agency(TPF), now).await.expect("ends of streams")
}

async fn streams(fixture: &Fixture, now: Timestamp) -> Vec<(StreamId, u64)> {
    stream_ends(fixture, now).await.iter().map(|end| (end.stream, end.last)).collect()
}

/// Puts an alert in, and says in which stream.
async fn put(fixture: &Fixture, message: &TestMessage) -> (Enqueued, StreamId) {
    (fixture.put(message, at(0)).await, fixture.outbox.store().identity())
}

async fn renew(fixture: &Fixture) {
    fixture.outbox.store().renew_identity().await.expect("renamed");
}

#[tokio::test]
async fn a_former_stream_is_told_of_until_all_of_it_is_settled() {
    let fixture = Fixture::new().await;
    let (first, old) = put(&fixture, &TestMessage::alert(&[TPF])).await;
    renew(&fixture).await;
    assert_eq!(streams(&fixture, at(1)).await, [(old, 1)], "it waits");
    let (_, new) = put(&fixture, &TestMessage::alert(&[TPF])).await;
    assert_eq!(streams(&fixture, at(1)).await, [(new, 1), (old, 1)]);
    fixture.publish_next(TPF, at(2)).await;
    assert_eq!(streams(&fixture, at(3)).await, [(new, 1), (old, 1)], "it has no receipt");
    fixture.deliver(first, TPF, at(4)).await;
    assert_eq!(streams(&fixture, at(5)).await, [(new, 1)]);
}

#[tokio::test]
async fn numbers_of_a_former_stream_made_void_after_it_are_told_for_as_long_as_others() {
    let fixture = Fixture::new().await;
    let (_, old) = put(&fixture, &TestMessage { expires: Some(at(10)), ..TestMessage::alert(&[TPF]) }).await;
    renew(&fixture).await;
    let (_, new) = put(&fixture, &TestMessage::alert(&[TPF])).await;
    let host: Arc<dyn RelayHost> = Arc::clone(&fixture.host) as Arc<dyn RelayHost>;
    assert_eq!(fixture.outbox.void_expired(&host, at(10)).await.expect("looks"), 1);
    let told = stream_ends(&fixture, at(11)).await;
    assert_eq!(told.iter().map(|end| end.stream).collect::<Vec<_>>(), [new, old]);
    assert!(told[0].voided.is_empty());
    assert_eq!(told[1].voided, [VoidedNumber { number: 1, reason: VoidReason::Expired }]);
    fixture.record_heard(TPF, at(30 * DAY)).await;
    assert_eq!(streams(&fixture, at(30 * DAY)).await, [(new, 1)]);
}

#[tokio::test]
async fn however_often_a_store_was_renamed_a_status_names_so_many_streams_and_the_present_one_first() {
    let fixture = Fixture::new().await;
    let mut drawn = Vec::new();
    for _ in 0..STREAMS_PER_LANE_MAX + 3 {
        drawn.insert(0, put(&fixture, &TestMessage::alert(&[TPF])).await.1);
        renew(&fixture).await;
    }
    // Nothing was put in under the last name: the latest former ones are named.
    let named = |told: Vec<(StreamId, u64)>| told.into_iter().map(|(stream, _)| stream).collect::<Vec<_>>();
    assert_eq!(named(streams(&fixture, at(1)).await), drawn[..STREAMS_PER_LANE_MAX]);
    drawn.insert(0, put(&fixture, &TestMessage::alert(&[TPF])).await.1);
    assert_eq!(named(streams(&fixture, at(1)).await), drawn[..STREAMS_PER_LANE_MAX]);
}

#[tokio::test]
async fn a_status_fits_a_message_however_many_numbers_are_void() {
    let fixture = Fixture::new().await;
    for _ in 0..4 {
        put(&fixture, &TestMessage::alert(&[TPF])).await;
        // As if so many had expired: rows without bytes are enough to be told of.
        let fill = fixture.outbox.store().write(move |tx| {
            async move {
                for number in 2_i64..=1100 {
                    sqlx::query(
                        "INSERT INTO outbox_copy (message, country, sender, recipient, lane, stream, number,
                                                  size_bytes, state, enqueued_at, code, voided_at, named_from)
                         SELECT $1, 'tz', 'mz.prm', 'tz.tpf', 'urgent', identity, $2, 1, 4, 0, 'expired', $3, $3
                         FROM store",
                    )
                    .bind(StoreId::draw().as_bytes().to_vec())
                    .bind(number)
                    .bind(at(0).as_micros())
                    .execute(&mut *tx)
                    .await?;
                }
                Ok::<_, sqlx::Error>(())
            }
            .boxed()
        });
        fill.await.expect("filled");
        renew(&fixture).await;
    }
    let told: Vec<usize> = stream_ends(&fixture, at(1)).await.iter().map(|end| end.voided.len()).collect();
    assert_eq!(told, [1024, 1024, 1024, 0]);
}

#[tokio::test]
async fn what_is_settled_is_not_looked_at() {
    if rovuma_lab::postgres::tests_use_postgres() {
        return;
    }
    let fixture = Fixture::new().await;
    for query in [crate::stream_ends::LIVE, crate::stream_ends::VOIDED] {
        let mut steps = plan(&fixture, query).await;
        steps.retain(|step| step.contains("outbox_copy") || step.contains(" c "));
        assert!(!steps.is_empty());
        for step in steps {
            // A step to the one number that was the last.
            let seeks_latest =
                step.contains("COVERING INDEX outbox_copy_numbered") && step.contains("number>?");
            assert!(seeks_latest || !step.contains("outbox_copy_numbered"), "{step}");
            assert!(step.contains("INDEX outbox_copy_"), "{step}");
        }
    }
}
