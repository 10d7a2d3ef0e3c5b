//! Requests of a partner for missing numbers.

use std::time::{Duration, Instant};

use rovuma_schemas::{
    Lane, NumberRange, StoreId, StreamGaps, StreamRequest, Timestamp, limits::REQUEST_NUMBERS_MAX,
};
use rovuma_store::FutureExt;

use super::{
    fixture::{Enqueued, Fixture, PRM, TISD, TPF, TestMessage, agency, at},
    window::plan,
};
use crate::{CopyState, RESEND_SETTLED_MAX, ResendOutcome, SettleOutcome, Settlement};

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
    ask_all(fixture, by, vec![gaps], asked_at, now).await
}

async fn ask_all(
    fixture: &Fixture,
    by: &str,
    streams: Vec<StreamGaps>,
    asked_at: Timestamp,
    now: Timestamp,
) -> ResendOutcome {
    let (outbox, by) = (fixture.outbox.clone(), agency(by));
    let work = fixture.outbox.store().write(move |tx| {
        async move {
            let request = StreamRequest { streams };
            outbox.resend(tx, (&agency(PRM), &by), &request, asked_at, now).await
        }
        .boxed()
    });
    work.await.expect("answered")
}

fn resent(resent: u64, settled: u64) -> ResendOutcome {
    ResendOutcome { resent, settled, voided: 0 }
}

/// Puts in so many copies and says that all have left; those that are not `queued` are delivered, at second 0. Rows without
/// bytes are enough to count.
async fn fill(fixture: &Fixture, numbers: std::ops::RangeInclusive<u64>, state: CopyState) {
    let (outbox, last) = (fixture.outbox.clone(), *numbers.end());
    let delivered = (state == CopyState::Delivered).then(|| at(0).as_micros());
    let fill = fixture.outbox.store().write(move |tx| {
        async move {
            outbox.next_stream_position(tx, &agency(PRM), &agency(TPF), Lane::Urgent).await?;
            for number in numbers {
                sqlx::query(
                    "INSERT INTO outbox_copy (message, country, sender, recipient, lane, stream, number, size_bytes,
                                              state, enqueued_at, due_at, delivered_at)
                     SELECT $1, 'tz', 'mz.prm', 'tz.tpf', 'urgent', identity, $2, 1, $3, 0, $4, $5 FROM store",
                )
                .bind(StoreId::draw().as_bytes().to_vec())
                .bind(i64::try_from(number).unwrap_or(0))
                .bind(state.to_column())
                .bind(i64::MAX)
                .bind(delivered)
                .execute(&mut *tx)
                .await?;
            }
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    fill.await.expect("filled");
    let last = i64::try_from(last).unwrap_or(0);
    let numbered = fixture.outbox.store().write(move |tx| {
        async move { sqlx::query("UPDATE outbox_stream SET last = $1").bind(last).execute(tx).await }.boxed()
    });
    numbered.await.expect("numbered");
}

#[tokio::test]
async fn what_is_asked_for_goes_again_at_once_and_stays_settled() {
    let fixture = Fixture::new().await;
    let mut puts = Vec::new();
    for _ in 0..5 {
        puts.push(fixture.put(&TestMessage::alert(&[TPF]), at(0)).await);
    }
    fixture.publish_next(TPF, at(0)).await;
    fixture.deliver(puts[1], TPF, at(1)).await;
    fixture.record_heard(TPF, at(10)).await;
    assert_eq!(ask(&fixture, TPF, &[(2, 3), (5, 5)], at(10)).await, resent(3, 1));
    let lanes = fixture.outbox.lanes_with_work(at(10)).await.expect("looks");
    assert_eq!(lanes, [super::fixture::lane(TPF)]);
    assert_eq!(fixture.trace(puts[1], TPF).await.state, CopyState::Delivered);
    assert_eq!(fixture.publish_next(TPF, at(10)).await, 3);
    let trace = fixture.trace(puts[1], TPF).await;
    assert_eq!((trace.state, trace.attempts, trace.delivered_at), (CopyState::Delivered, 2, Some(at(1))));
    assert_eq!(fixture.publish_next(TPF, at(11)).await, 0, "once");
    assert_eq!(fixture.deliver(puts[1], TPF, at(12)).await, SettleOutcome::Already);
}

#[tokio::test]
async fn a_settled_copy_alone_makes_work_only_while_its_recipient_is_heard() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(0)).await;
    fixture.deliver(put, TPF, at(1)).await;
    assert_eq!(ask(&fixture, TPF, &[(1, 1)], at(10)).await, resent(1, 1));
    assert!(fixture.outbox.lanes_with_work(at(10)).await.expect("looks").is_empty());
    assert_eq!(fixture.publish_next(TPF, at(10)).await, 0);
    fixture.record_heard(TPF, at(20)).await;
    assert_eq!(fixture.outbox.lanes_with_work(at(20)).await.expect("looks").len(), 1);
    assert_eq!(fixture.publish_next(TPF, at(20)).await, 1);
    assert!(fixture.outbox.lanes_with_work(at(20)).await.expect("looks").is_empty());
}

/// A recipient that says one thing, asks for the copy again, and then says the opposite.
#[tokio::test]
async fn a_request_lets_no_receipt_turn_the_first_one_round() {
    let fixture = Fixture::new().await;
    let rejected =
        |second| Settlement::Rejected { at: at(second), code: rovuma_schemas::RejectionCode::Expired };
    let delivered = |second| Settlement::Delivered { at: at(second) };
    let read = |second| Settlement::Read { at: at(second) };
    let settle =
        async |put: Enqueued, settlement, second| fixture.settle(put, TPF, settlement, at(second)).await;
    let (taken, refused) = (
        fixture.put(&TestMessage::alert(&[TPF]), at(0)).await,
        fixture.put(&TestMessage::alert(&[TPF]), at(0)).await,
    );
    fixture.publish_next(TPF, at(0)).await;
    assert_eq!(settle(taken, delivered(1), 1).await, SettleOutcome::Now);
    assert_eq!(settle(refused, rejected(1), 1).await, SettleOutcome::Now);
    fixture.record_heard(TPF, at(10)).await;
    assert_eq!(ask(&fixture, TPF, &[(1, 2)], at(10)).await, resent(2, 2));
    // Before and after they have left again.
    for second in [11, 13] {
        assert_eq!(settle(taken, rejected(second), second).await, SettleOutcome::Contradiction);
        assert_eq!(settle(refused, delivered(second), second).await, SettleOutcome::Contradiction);
        assert_eq!(settle(refused, read(second), second).await, SettleOutcome::Contradiction);
        fixture.publish_next(TPF, at(12)).await;
    }
    let (taken, refused) = (fixture.trace(taken, TPF).await, fixture.trace(refused, TPF).await);
    assert_eq!((taken.state, taken.rejected_at, taken.code), (CopyState::Delivered, None, None));
    assert_eq!((refused.state, refused.delivered_at, refused.read_at), (CopyState::Rejected, None, None));
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
    let overtaken = ask_late(&fixture, TPF, &[(1, 2)], at(4), at(20)).await;
    assert_eq!(overtaken, resent(1, 0), "the second was not delivered");
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
    let stream = StoreId::draw();
    let invented = StreamGaps { lane: Lane::Urgent, stream, missing: vec![NumberRange { from: 1, to: 9 }] };
    assert_eq!(ask_all(&fixture, TPF, vec![invented], at(2), at(2)).await, ResendOutcome::default());
}

#[tokio::test]
async fn one_request_calls_back_a_bounded_number() {
    let fixture = Fixture::new().await;
    fill(&fixture, 1..=REQUEST_NUMBERS_MAX + 10, CopyState::Queued).await;
    let outcome = ask(&fixture, TPF, &[(1, 5), (6, u64::MAX)], at(1)).await;
    assert_eq!(outcome, resent(REQUEST_NUMBERS_MAX, 0));
    // The bound is one over all streams and ranges, whatever the request names.
    let twice = StreamGaps {
        lane: Lane::Urgent,
        stream: fixture.outbox.store().identity(),
        missing: vec![NumberRange { from: 1, to: 3000 }],
    };
    let outcome = ask_all(&fixture, TPF, vec![twice.clone(), twice], at(1), at(1)).await;
    assert_eq!(outcome, resent(REQUEST_NUMBERS_MAX, 0));
}

#[tokio::test]
async fn one_request_calls_back_few_settled_copies_and_the_next_one_goes_on() {
    let fixture = Fixture::new().await;
    fill(&fixture, 1..=2000, CopyState::Delivered).await;
    let first = ask(&fixture, TPF, &[(1, 2000)], at(1)).await;
    assert_eq!(first, resent(RESEND_SETTLED_MAX, RESEND_SETTLED_MAX));
    let ranges: Vec<(u64, u64)> = (0..40).map(|step| (step * 50 + 1, step * 50 + 50)).collect();
    assert_eq!(ask(&fixture, TPF, &ranges, at(1)).await.settled, RESEND_SETTLED_MAX, "however it is cut");
    assert_eq!(
        ask(&fixture, TPF, &[(RESEND_SETTLED_MAX + 1, 2000)], at(2)).await.settled,
        RESEND_SETTLED_MAX
    );
}

/// Thousands of ranges over a stream of 20,000 delivered copies, as no gateway would let them in: the bound holds here too.
#[tokio::test]
async fn a_request_of_many_ranges_ends_soon() {
    let fixture = Fixture::new().await;
    fill(&fixture, 1..=20_000, CopyState::Delivered).await;
    let missing = vec![NumberRange { from: 1, to: 99_999 }; 1024];
    let gaps = StreamGaps { lane: Lane::Urgent, stream: fixture.outbox.store().identity(), missing };
    let begun = Instant::now();
    let outcome = ask_all(&fixture, TPF, vec![gaps; 11], at(1), at(1)).await;
    assert_eq!(outcome, resent(RESEND_SETTLED_MAX, RESEND_SETTLED_MAX));
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn every_part_of_an_answer_goes_by_an_index_of_its_own() {
    let fixture = Fixture::new().await;
    let expected = [
        (
            crate::resend::UNSETTLED_AGAIN,
            "outbox_copy_numbered (sender=? AND recipient=? AND lane=? AND stream=? AND number>?",
        ),
        (
            crate::resend::SETTLED_AGAIN,
            "outbox_copy_numbered (sender=? AND recipient=? AND lane=? AND stream=? AND number>?",
        ),
        (
            crate::resend::NAME_VOIDS_AGAIN,
            "outbox_copy_void_number (sender=? AND recipient=? AND lane=? AND stream=? AND number>?",
        ),
        (crate::take_back::REQUESTED_AGAIN, "outbox_copy_again (recipient=?)"),
        (crate::take_back::UNRECEIPTED, "outbox_copy_again"),
    ];
    for (query, index) in expected {
        let steps = plan(&fixture, query).await;
        let uses = steps.iter().any(|step| step.contains(index));
        assert!(uses || rovuma_lab::postgres::tests_use_postgres(), "{query}: {steps:#?}");
    }
}
