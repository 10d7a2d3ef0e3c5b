//! Streams have no gaps.

use futures::future::join_all;
use rovuma_schemas::Lane;
use rovuma_store::{FutureExt, WriteError};

use super::fixture::{Fixture, PRM, TISD, TPF, TestMessage, agency, at};
use crate::StreamPosition;

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("refused on purpose")]
    OnPurpose,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Draws a number in a transaction that every third time is taken back.
async fn draw(fixture: &Fixture, n: u64) -> Option<StreamPosition> {
    let outbox = fixture.outbox.clone();
    let work = fixture.outbox.store().write(move |tx| {
        async move {
            let position = outbox.next_stream_position(tx, &agency(PRM), &agency(TPF), Lane::Urgent).await?;
            if n.is_multiple_of(3) { Err(Refused::OnPurpose) } else { Ok(position) }
        }
        .boxed()
    });
    match work.await {
        Ok(position) => Some(position),
        Err(WriteError::Job(Refused::OnPurpose)) => None,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn numbers_drawn_at_once_have_no_gap_though_some_are_taken_back() {
    let fixture = Fixture::new().await;
    let drawn = join_all((1..=150).map(|n| draw(&fixture, n))).await;
    let mut numbers: Vec<u64> = drawn.into_iter().flatten().map(|position| position.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<u64>>());
    let stream_ends =
        fixture.outbox.stream_ends(&agency(PRM), &agency(TPF), at(0)).await.expect("ends of streams");
    assert_eq!(
        stream_ends.iter().map(|end| end.last).collect::<Vec<_>>(),
        [100],
        "the store knows where they end"
    );
}

/// Draws twice, with another name of the store in between.
async fn draw_across_a_renaming(fixture: &Fixture, keep: bool) -> Option<[StreamPosition; 2]> {
    let outbox = fixture.outbox.clone();
    let work = fixture.outbox.store().write(move |tx| {
        async move {
            let before = outbox.next_stream_position(tx, &agency(PRM), &agency(TPF), Lane::Urgent).await?;
            rovuma_store::renew_identity(tx).await?;
            let after = outbox.next_stream_position(tx, &agency(PRM), &agency(TPF), Lane::Urgent).await?;
            if keep { Ok([before, after]) } else { Err(Refused::OnPurpose) }
        }
        .boxed()
    });
    match work.await {
        Ok(positions) => Some(positions),
        Err(WriteError::Job(Refused::OnPurpose)) => None,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_renaming_within_a_transaction_begins_new_streams_and_one_taken_back_does_not() {
    let fixture = Fixture::new().await;
    let before = fixture.outbox.store().commit_count();
    // The transaction is open until all of them wait for it.
    let gate = std::sync::Arc::new(tokio::sync::Notify::new());
    let held = gate.clone();
    let first = fixture.outbox.store().write(move |_tx| {
        async move {
            held.notified().await;
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    // Polled in order: each stands in the queue before the gate opens.
    let opened = async { gate.notify_one() };
    let (_, one, taken_back, two, across, last, ()) = futures::join!(
        first,
        draw(&fixture, 1),
        draw_across_a_renaming(&fixture, false),
        draw(&fixture, 1),
        draw_across_a_renaming(&fixture, true),
        draw(&fixture, 1),
        opened
    );
    assert_eq!(fixture.outbox.store().commit_count() - before, 1, "they are one transaction");
    assert!(taken_back.is_none());
    let (one, two, last) = (one.expect("a position"), two.expect("a position"), last.expect("a position"));
    let [three, renamed] = across.expect("two positions");
    assert_eq!([one.number, two.number, three.number], [1, 2, 3]);
    assert!(one.stream == two.stream && two.stream == three.stream);
    assert_eq!([renamed.number, last.number], [1, 2]);
    assert!(renamed.stream == last.stream && renamed.stream != three.stream);
    let stream_ends =
        fixture.outbox.stream_ends(&agency(PRM), &agency(TPF), at(0)).await.expect("ends of streams");
    assert_eq!(stream_ends.iter().map(|end| (end.stream, end.last)).collect::<Vec<_>>(), [(last.stream, 2)]);
    let again = draw(&fixture, 1).await.expect("a position");
    assert_eq!(again, StreamPosition { stream: last.stream, number: 3 });
}

#[tokio::test]
async fn a_transaction_in_which_somebody_else_moves_a_stream_gives_out_nothing() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox.clone();
    let work = fixture.outbox.store().write(move |tx| {
        async move {
            for _ in 0..2 {
                outbox.next_stream_position(tx, &agency(PRM), &agency(TPF), Lane::Urgent).await?;
            }
            sqlx::query("UPDATE outbox_stream SET last = 7").execute(&mut *tx).await?;
            Ok::<_, Refused>(())
        }
        .boxed()
    });
    let refused = work.await.expect_err("two messages would have one number");
    assert!(!matches!(refused, WriteError::Job(_)), "{refused}");
    assert_eq!(draw(&fixture, 1).await.expect("a position").number, 1);
}

#[tokio::test]
async fn each_recipient_and_lane_counts_for_itself() {
    let fixture = Fixture::new().await;
    let both = fixture.put(&TestMessage::alert(&[TPF, TISD]), at(0)).await;
    let one = fixture.put(&TestMessage::alert(&[TISD]), at(0)).await;
    let bulk = fixture.put(&TestMessage { lane: Lane::Bulk, ..TestMessage::alert(&[TISD]) }, at(0)).await;
    let mut numbers = Vec::new();
    for (put, to) in [(both, TPF), (both, TISD), (one, TISD), (bulk, TISD)] {
        numbers.push(fixture.trace(put, to).await.position.expect("a position").number);
    }
    assert_eq!(numbers, [1, 1, 2, 1]);
    assert_eq!(fixture.count("outbox_message").await, 3, "bytes are kept once however many recipients");
}

#[tokio::test]
async fn a_renamed_store_begins_new_streams() {
    let fixture = Fixture::new().await;
    let before = draw(&fixture, 1).await.expect("a number");
    let renamed = fixture.outbox.store().renew_identity().await.expect("renamed");
    let after = draw(&fixture, 1).await.expect("a number");
    assert!(before.stream != renamed && after == StreamPosition { stream: renamed, number: 1 });
    let stream_ends =
        fixture.outbox.stream_ends(&agency(PRM), &agency(TPF), at(0)).await.expect("ends of streams");
    assert_eq!(stream_ends.iter().map(|end| (end.stream, end.last)).collect::<Vec<_>>(), [(renamed, 1)]);
}
