//! When a copy without a receipt goes again.

use super::world::{Letter, TPF, World, at};
use crate::CopyState;

#[tokio::test]
async fn a_copy_goes_again_after_a_minute_and_then_ever_later() {
    let world = World::new().await;
    let put = world.put(&Letter::alert(&[TPF]), at(0)).await;
    world.depart(TPF, at(0)).await;
    // A status every minute: the partner is heard.
    let mut left = Vec::new();
    for second in (0..2000).step_by(20) {
        if second % 60 == 0 {
            world.hear(TPF, at(second)).await;
        }
        if world.depart(TPF, at(second)).await > 0 {
            left.push(second);
        }
    }
    assert_eq!(left, [60, 180, 420, 900, 1860]);
    assert_eq!(world.trace(put, TPF).await.attempts, 6);
    world.deliver(put, TPF, at(2000)).await;
    world.hear(TPF, at(90_000)).await;
    assert_eq!(world.depart(TPF, at(90_000)).await, 0);
}

#[tokio::test]
async fn nothing_goes_again_to_a_partner_that_is_not_heard() {
    let world = World::new().await;
    world.put(&Letter::alert(&[TPF]), at(0)).await;
    world.depart(TPF, at(0)).await;
    assert_eq!(world.depart(TPF, at(1_000_000)).await, 0, "never heard");
    assert!(world.outbox.lanes_with_work(at(1_000_000)).await.expect("looks").is_empty());
    world.hear(TPF, at(1_000_000)).await;
    assert_eq!(world.depart(TPF, at(1_000_059)).await, 0, "the timer begins when it is heard");
    assert_eq!(world.depart(TPF, at(1_000_060)).await, 1);
}

#[tokio::test]
async fn a_silence_stops_the_timer_where_it_stands() {
    let world = World::new().await;
    world.hear(TPF, at(0)).await;
    world.put(&Letter::alert(&[TPF]), at(0)).await;
    world.depart(TPF, at(10)).await;
    world.hear(TPF, at(50)).await;
    // 40 of 60 seconds have run. Then the line is cut for a day.
    assert_eq!(world.depart(TPF, at(50 + 86_400)).await, 0);
    world.hear(TPF, at(50 + 86_400)).await;
    assert_eq!(world.depart(TPF, at(50 + 86_400 + 19)).await, 0);
    assert_eq!(world.depart(TPF, at(50 + 86_400 + 20)).await, 1);
}

#[tokio::test]
async fn what_left_during_a_silence_has_its_whole_minute_after_it() {
    let world = World::new().await;
    world.hear(TPF, at(0)).await;
    let put = world.put(&Letter::alert(&[TPF]), at(5_000)).await;
    world.depart(TPF, at(5_000)).await;
    world.hear(TPF, at(9_000)).await;
    assert_eq!(world.depart(TPF, at(9_059)).await, 0);
    assert_eq!(world.depart(TPF, at(9_060)).await, 1);
    assert_eq!(world.trace(put, TPF).await.state, CopyState::Queued);
}

#[tokio::test]
async fn an_older_status_does_not_turn_the_clock_back() {
    let world = World::new().await;
    world.hear(TPF, at(500)).await;
    world.hear(TPF, at(100)).await;
    let heard = world.outbox.heard_at(&super::world::agency(TPF)).await.expect("reads");
    assert_eq!(heard, Some(at(500)));
}

#[tokio::test]
async fn retransmission_does_not_wait_for_the_window_that_it_opens() {
    let settings = crate::OutboxSettings { window_bundles: 1, ..Default::default() };
    let world = World::with(settings).await;
    world.put(&Letter::alert(&[TPF]), at(0)).await;
    world.depart(TPF, at(0)).await;
    world.put(&Letter::alert(&[TPF]), at(1)).await;
    world.hear(TPF, at(1)).await;
    assert_eq!(world.depart(TPF, at(61)).await, 1, "the lost one goes again");
    assert_eq!(world.depart(TPF, at(61)).await, 0, "the other waits");
}
