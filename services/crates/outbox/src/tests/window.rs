//! The window of bundles without a receipt, and the copies that need no room in it.

use super::fixture::{Fixture, TISD, TPF, TestMessage, at, lane};
use crate::{CopyState, OutboxSettings};

fn two_bundles() -> OutboxSettings {
    OutboxSettings { window_bundles: 2, ..OutboxSettings::default() }
}

#[tokio::test]
async fn a_full_window_holds_back_until_a_bundle_is_answered_whole() {
    let fixture = Fixture::with(two_bundles()).await;
    let first = [
        fixture.put(&TestMessage::alert(&[TPF]), at(0)).await,
        fixture.put(&TestMessage::alert(&[TPF]), at(0)).await,
    ];
    assert_eq!(fixture.publish_next(TPF, at(1)).await, 2);
    fixture.put(&TestMessage::alert(&[TPF]), at(2)).await;
    assert_eq!(fixture.publish_next(TPF, at(2)).await, 1);
    fixture.put(&TestMessage::alert(&[TPF]), at(3)).await;
    assert_eq!(fixture.publish_next(TPF, at(3)).await, 0, "two bundles are out");
    fixture.deliver(first[0], TPF, at(4)).await;
    assert_eq!(fixture.publish_next(TPF, at(4)).await, 0, "half a bundle is out still");
    fixture.deliver(first[1], TPF, at(5)).await;
    assert_eq!(fixture.publish_next(TPF, at(5)).await, 1);
}

#[tokio::test]
async fn bytes_count_as_well_and_an_empty_window_takes_one_bundle_however_small_it_is() {
    let fixture = Fixture::with(OutboxSettings { window_bytes: 10, ..OutboxSettings::default() }).await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    assert_eq!(fixture.publish_next(TPF, at(1)).await, 1);
    fixture.put(&TestMessage::alert(&[TPF]), at(2)).await;
    assert_eq!(fixture.publish_next(TPF, at(2)).await, 0);
    fixture.deliver(put, TPF, at(3)).await;
    assert_eq!(fixture.publish_next(TPF, at(3)).await, 1);
}

#[tokio::test]
async fn receipts_pass_a_full_window_and_are_gone_once_they_left() {
    let fixture = Fixture::with(OutboxSettings { window_bundles: 1, ..OutboxSettings::default() }).await;
    fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(1)).await;
    fixture.put(&TestMessage::alert(&[TPF]), at(2)).await;
    let receipt = fixture.put(&TestMessage::receipt(TPF), at(2)).await;
    assert_eq!(fixture.publish_next(TPF, at(3)).await, 1);
    assert!(fixture.outbox.copies_of(receipt.id).await.expect("traces").is_empty());
    assert_eq!((fixture.count("outbox_copy").await, fixture.count("outbox_message").await), (2, 2));
}

#[tokio::test]
async fn bytes_of_a_message_stay_while_a_copy_needs_them() {
    let fixture = Fixture::new().await;
    fixture.put(&TestMessage { to: vec![TPF, TISD], ..TestMessage::receipt(TPF) }, at(0)).await;
    fixture.publish_next(TPF, at(1)).await;
    assert_eq!((fixture.count("outbox_copy").await, fixture.count("outbox_message").await), (1, 1));
    fixture.publish_next(TISD, at(1)).await;
    assert_eq!((fixture.count("outbox_copy").await, fixture.count("outbox_message").await), (0, 0));
}

#[tokio::test]
async fn a_bundle_is_bounded_and_a_backlog_leaves_in_order() {
    let fixture = Fixture::new().await;
    let large = TestMessage { bytes: 240 * 1024, ..TestMessage::alert(&[TPF]) };
    let mut puts = Vec::new();
    for _ in 0..6 {
        puts.push(fixture.put(&large, at(0)).await);
    }
    assert_eq!(fixture.publish_next(TPF, at(1)).await, 4, "1 MiB holds four of them");
    for (index, put) in puts.iter().enumerate() {
        let expected = if index < 4 { CopyState::Queued } else { CopyState::Waiting };
        assert_eq!(fixture.trace(*put, TPF).await.state, expected);
    }
    for _ in 0..100 {
        fixture.put(&TestMessage::alert(&[TISD]), at(0)).await;
    }
    assert_eq!([fixture.publish_next(TISD, at(1)).await, fixture.publish_next(TISD, at(1)).await], [64, 36]);
}

#[tokio::test]
async fn little_waits_for_company_and_much_does_not() {
    let fixture = Fixture::new().await;
    fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    let choice = fixture.outbox.choose(&lane(TPF), at(0)).await.expect("chooses");
    assert!(choice.is_all);
    for _ in 0..63 {
        fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    }
    let choice = fixture.outbox.choose(&lane(TPF), at(0)).await.expect("chooses");
    assert_eq!((choice.positions.len(), choice.is_all), (64, false));
}

#[tokio::test]
async fn what_waits_is_counted_without_reading_the_whole_table() {
    let fixture = Fixture::new().await;
    fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(5)).await;
    fixture.put(&TestMessage::alert(&[TPF, TISD]), at(7)).await;
    let stats = fixture.outbox.stats().await.expect("counts");
    let seen: Vec<_> = stats
        .iter()
        .map(|lane| {
            (lane.recipient.as_str(), lane.waiting, lane.queued, lane.oldest_waiting, lane.oldest_queued)
        })
        .collect();
    assert_eq!(seen, [(TISD, 1, 0, Some(at(7)), None), (TPF, 1, 1, Some(at(7)), Some(at(5)))]);
    for step in plan(&fixture, crate::stats::UNSETTLED).await {
        assert!(!step.contains("SCAN outbox_copy") || step.contains("INDEX outbox_copy_"), "{step}");
    }
}

/// SQLite's plan for a query. Empty with PostgreSQL, which makes new plans as tables grow.
pub(super) async fn plan(fixture: &Fixture, query: &'static str) -> Vec<String> {
    if rovuma_lab::postgres::tests_use_postgres() {
        return Vec::new();
    }
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
    let rows = sqlx::query(explain).fetch_all(fixture.outbox.store().read()).await.expect("explains");
    rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect()
}
