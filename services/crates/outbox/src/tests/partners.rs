//! The times at which a copy without a receipt leaves again.

use super::fixture::{Fixture, TPF, TestMessage, at};
use crate::CopyState;

#[tokio::test]
async fn a_copy_goes_again_after_a_minute_and_then_ever_later() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(0)).await;
    // A status every minute: the partner is heard.
    let mut left = Vec::new();
    for second in (0..2000).step_by(20) {
        if second % 60 == 0 {
            fixture.record_heard(TPF, at(second)).await;
        }
        if fixture.publish_next(TPF, at(second)).await > 0 {
            left.push(second);
        }
    }
    assert_eq!(left, [60, 180, 420, 900, 1860]);
    assert_eq!(fixture.trace(put, TPF).await.attempts, 6);
    fixture.deliver(put, TPF, at(2000)).await;
    fixture.record_heard(TPF, at(90_000)).await;
    assert_eq!(fixture.publish_next(TPF, at(90_000)).await, 0);
}

#[tokio::test]
async fn nothing_goes_again_to_a_partner_that_is_not_heard() {
    let fixture = Fixture::new().await;
    fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(0)).await;
    assert_eq!(fixture.publish_next(TPF, at(1_000_000)).await, 0, "never heard");
    assert!(fixture.outbox.lanes_with_work(at(1_000_000)).await.expect("looks").is_empty());
    fixture.record_heard(TPF, at(1_000_000)).await;
    assert_eq!(fixture.publish_next(TPF, at(1_000_059)).await, 0, "the timer begins when it is heard");
    assert_eq!(fixture.publish_next(TPF, at(1_000_060)).await, 1);
}

#[tokio::test]
async fn a_silence_stops_the_timer_where_it_stands() {
    let fixture = Fixture::new().await;
    fixture.record_heard(TPF, at(0)).await;
    fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(10)).await;
    fixture.record_heard(TPF, at(50)).await;
    // 40 of 60 seconds have run. Then the line is cut for a day.
    assert_eq!(fixture.publish_next(TPF, at(50 + 86_400)).await, 0);
    fixture.record_heard(TPF, at(50 + 86_400)).await;
    assert_eq!(fixture.publish_next(TPF, at(50 + 86_400 + 19)).await, 0);
    assert_eq!(fixture.publish_next(TPF, at(50 + 86_400 + 20)).await, 1);
}

#[tokio::test]
async fn what_left_during_a_silence_has_its_whole_minute_after_it() {
    let fixture = Fixture::new().await;
    fixture.record_heard(TPF, at(0)).await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(5_000)).await;
    fixture.publish_next(TPF, at(5_000)).await;
    fixture.record_heard(TPF, at(9_000)).await;
    assert_eq!(fixture.publish_next(TPF, at(9_059)).await, 0);
    assert_eq!(fixture.publish_next(TPF, at(9_060)).await, 1);
    assert_eq!(fixture.trace(put, TPF).await.state, CopyState::Queued);
}

#[tokio::test]
async fn an_older_status_does_not_turn_the_clock_back() {
    let fixture = Fixture::new().await;
    fixture.record_heard(TPF, at(500)).await;
    fixture.record_heard(TPF, at(100)).await;
    let heard = fixture.outbox.heard_at(&super::fixture::agency(TPF)).await.expect("reads");
    assert_eq!(heard, Some(at(500)));
}

#[tokio::test]
async fn retransmission_does_not_wait_for_the_window_that_it_opens() {
    let settings = crate::OutboxSettings { window_bundles: 1, ..Default::default() };
    let fixture = Fixture::with(settings).await;
    fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    fixture.publish_next(TPF, at(0)).await;
    fixture.put(&TestMessage::alert(&[TPF]), at(1)).await;
    fixture.record_heard(TPF, at(1)).await;
    assert_eq!(fixture.publish_next(TPF, at(61)).await, 1, "the lost one goes again");
    assert_eq!(fixture.publish_next(TPF, at(61)).await, 0, "the other waits");
}
