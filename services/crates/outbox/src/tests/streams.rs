//! Requests of a partner for missing numbers.

use rovuma_schemas::{Lane, NumberRange, StoreId, StreamGaps, Timestamp};
use rovuma_store::FutureExt;

use super::fixture::{Fixture, PRM, TISD, TPF, TestMessage, agency, at};
use crate::{CopyState, RESEND_MAX, ResendOutcome};

async fn ask(fixture: &Fixture, by: &str, missing: &[(u64, u64)], now: Timestamp) -> ResendOutcome {
    ask_late(fixture, by, missing, now, now).await
}

/// A request that was made at `asked_at` and arrives `now`.
async fn ask_late(
    fixture: &Fixture,
    by: &str,
    missing: &[(u64, u64)],
    asked_at: Timestamp,
    now: Timestamp,
) -> ResendOutcome {
    let missing = missing.iter().map(|(from, to)| NumberRange { from: *from, to: *to }).collect();
    let gaps = StreamGaps { lane: Lane::Urgent, stream: fixture.outbox.store().identity(), missing };
    let (outbox, by) = (fixture.outbox.clone(), agency(by));
    let work = fixture.outbox.store().write(move |tx| {
        async move { outbox.resend(tx, &agency(PRM), &by, &gaps, asked_at, now).await }.boxed()
    });
    work.await.expect("answered")
}

#[tokio::test]
async fn what_is_asked_for_goes_again_at_once_even_if_it_was_settled() {
    let fixture = Fixture::new().await;
    let mut puts = Vec::new();
    for _ in 0..5 {
        puts.push(fixture.put(&TestMessage::alert(&[TPF]), at(0)).await);
    }
    fixture.publish_next(TPF, at(0)).await;
    fixture.deliver(puts[1], TPF, at(1)).await;
    fixture.record_heard(TPF, at(10)).await;
    assert_eq!(ask(&fixture, TPF, &[(2, 3), (5, 5)], at(10)).await, ResendOutcome { resent: 3, voided: 0 });
    assert_eq!(fixture.publish_next(TPF, at(10)).await, 3);
    let trace = fixture.trace(puts[1], TPF).await;
    assert_eq!((trace.state, trace.attempts, trace.delivered_at), (CopyState::Queued, 2, Some(at(1))));
    fixture.deliver(puts[1], TPF, at(12)).await;
    let trace = fixture.trace(puts[1], TPF).await;
    assert_eq!((trace.state, trace.delivered_at), (CopyState::Delivered, Some(at(1))));
}

#[tokio::test]
async fn a_request_that_its_copies_overtook_calls_none_of_them_back() {
    let fixture = Fixture::new().await;
    let (first, second) = (
        fixture.put(&TestMessage::alert(&[TPF]), at(0)).await,
        fixture.put(&TestMessage::alert(&[TPF]), at(0)).await,
    );
    fixture.publish_next(TPF, at(0)).await;
    fixture.deliver(first, TPF, at(5)).await;
    assert_eq!(
        ask_late(&fixture, TPF, &[(1, 2)], at(4), at(20)).await.resent,
        1,
        "the second was not delivered"
    );
    assert_eq!(fixture.trace(first, TPF).await.state, CopyState::Delivered);
    assert_eq!(fixture.trace(second, TPF).await.state, CopyState::Queued);
    assert_eq!(ask_late(&fixture, TPF, &[(1, 1)], at(6), at(20)).await.resent, 1, "it was lost after that");
}

#[tokio::test]
async fn nobody_calls_back_what_was_not_for_them_or_has_not_left() {
    let fixture = Fixture::new().await;
    fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    assert_eq!(
        ask(&fixture, TPF, &[(1, 1)], at(1)).await,
        ResendOutcome::default(),
        "it waits and will leave anyway"
    );
    fixture.publish_next(TPF, at(1)).await;
    assert_eq!(ask(&fixture, TISD, &[(1, 9)], at(2)).await, ResendOutcome::default());
    assert_eq!(ask(&fixture, TPF, &[(2, u64::MAX)], at(2)).await, ResendOutcome::default());
}

#[tokio::test]
async fn one_request_calls_back_a_bounded_number() {
    let fixture = Fixture::new().await;
    let total = u64::from(RESEND_MAX) + 10;
    let outbox = fixture.outbox.clone();
    // As if so many had left: rows without bytes are enough to count.
    let fill = fixture.outbox.store().write(move |tx| {
        async move {
            outbox.next_stream_position(tx, &agency(PRM), &agency(TPF), Lane::Urgent).await?;
            for number in 1..=i64::try_from(total).unwrap_or(0) {
                sqlx::query(
                    "INSERT INTO outbox_copy (message, country, sender, recipient, lane, stream, number, size_bytes,
                                              state, enqueued_at)
                     SELECT $1, 'tz', 'mz.prm', 'tz.tpf', 'urgent', identity, $2, 1, 1, 0 FROM store",
                )
                .bind(StoreId::draw().as_bytes().to_vec())
                .bind(number)
                .execute(&mut *tx)
                .await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    fill.await.expect("filled");
    let resent = ask(&fixture, TPF, &[(1, 5), (6, u64::MAX)], at(1)).await;
    assert_eq!(resent.resent, u64::from(RESEND_MAX));
}
