//! Numbers that will not arrive, and how the partner learns of them.

use std::sync::Arc;

use rovuma_schemas::{Lane, NumberRange, StreamGaps, Timestamp, VoidReason, VoidedNumber};
use rovuma_store::FutureExt;

use super::world::{Letter, PRM, TPF, World, agency, at, lane};
use crate::{CopyState, RelayHost};

const DAY: i64 = 86_400;

async fn void(world: &World, now: Timestamp) -> usize {
    let host: Arc<dyn RelayHost> = Arc::clone(&world.host) as Arc<dyn RelayHost>;
    world.outbox.void_expired(&host, now).await.expect("looks")
}

async fn told(world: &World, now: Timestamp) -> Vec<VoidedNumber> {
    let heads = world.outbox.heads(&agency(PRM), &agency(TPF), now).await.expect("heads");
    heads.into_iter().flat_map(|head| head.voided).collect()
}

fn expiring(seconds: i64) -> Letter {
    Letter { expires: Some(at(seconds)), ..Letter::alert(&[TPF]) }
}

#[tokio::test]
async fn what_expires_unsent_is_void_and_what_has_left_is_not() {
    let world = World::new().await;
    let left = world.put(&expiring(100), at(0)).await;
    world.depart(TPF, at(1)).await;
    let late = world.put(&expiring(100), at(2)).await;
    let lasting = world.put(&Letter::alert(&[TPF]), at(2)).await;
    assert_eq!(void(&world, at(99)).await, 0);
    assert_eq!(void(&world, at(100)).await, 1);
    assert_eq!(world.trace(left, TPF).await.state, CopyState::Queued);
    let trace = world.trace(late, TPF).await;
    assert_eq!((trace.state, trace.voided_at), (CopyState::Void, Some(at(100))));
    assert_eq!(trace.code.as_deref(), Some("expired"));
    assert_eq!(world.trace(lasting, TPF).await.state, CopyState::Waiting);
    assert_eq!(*world.host.voided.lock().expect("unpoisoned"), [(late.id, VoidReason::Expired)]);
    assert_eq!(told(&world, at(100)).await, [VoidedNumber { number: 2, reason: VoidReason::Expired }]);
}

#[tokio::test]
async fn what_has_expired_does_not_leave_even_before_it_is_made_void() {
    let world = World::new().await;
    world.put(&expiring(100), at(0)).await;
    world.put(&Letter::alert(&[TPF]), at(0)).await;
    assert_eq!(world.depart(TPF, at(100)).await, 1);
}

#[tokio::test]
async fn many_are_made_void_in_several_transactions() {
    let world = World::new().await;
    for _ in 0..300 {
        world.put(&expiring(10), at(0)).await;
    }
    assert_eq!(void(&world, at(10)).await, 300);
    assert_eq!(told(&world, at(10)).await.len(), 300);
}

#[tokio::test]
async fn a_partner_is_told_for_a_day_in_which_it_was_heard_and_again_when_it_asks() {
    let world = World::new().await;
    world.put(&expiring(10), at(0)).await;
    void(&world, at(10)).await;
    assert_eq!(told(&world, at(30 * DAY)).await.len(), 1, "it was never heard");
    world.hear(TPF, at(30 * DAY)).await;
    assert!(told(&world, at(30 * DAY)).await.is_empty(), "heard for long enough to know");
    let (outbox, identity) = (world.outbox.clone(), world.outbox.store().identity());
    let gaps =
        StreamGaps { lane: Lane::Urgent, stream: identity, missing: vec![NumberRange { from: 1, to: 1 }] };
    let asked = world.outbox.store().write(move |tx| {
        async move { outbox.resend(tx, &agency(PRM), &agency(TPF), &gaps, at(30 * DAY), at(30 * DAY)).await }.boxed()
    });
    assert_eq!(asked.await.expect("answered").voided, 1);
    assert_eq!(told(&world, at(30 * DAY)).await.len(), 1);
}

#[tokio::test]
async fn what_was_taken_back_stays_so_though_it_has_left() {
    let world = World::new().await;
    let first = world.put(&Letter::alert(&[TPF]), at(0)).await;
    world.depart(TPF, at(1)).await;
    let second = world.put(&Letter::alert(&[TPF]), at(1)).await;
    let receipt = world.put(&Letter::receipt(TPF), at(1)).await;
    let lane = lane(TPF);
    let chosen = world.outbox.choose(&lane, at(2)).await.expect("chooses").positions;
    let leaving = world.outbox.load(&chosen).await.expect("loads");

    let page = world.outbox.unreceipted(&agency(PRM), i64::MIN, 2).await.expect("reads");
    assert_eq!(page.iter().map(|one| one.id).collect::<Vec<_>>(), [first.id, second.id], "a page");
    let rest = world.outbox.unreceipted(&agency(PRM), page[1].position, 2).await.expect("reads");
    assert_eq!(rest.iter().map(|one| one.id).collect::<Vec<_>>(), [receipt.id]);
    for put in [first, second, receipt] {
        assert_eq!(world.take_back(put, at(3)).await, 1);
        assert_eq!(world.take_back(put, at(3)).await, 0, "once");
    }
    assert_eq!(world.outbox.unreceipted(&agency(PRM), i64::MIN, 9).await.expect("reads"), []);
    assert_eq!(world.count("outbox_message").await, 2, "what has no number is gone");

    // The relay was about to send them, and the broker has confirmed them.
    world.mark_loaded(&world.leases, &lane, leaving, at(4)).await.expect("marked");
    let trace = world.trace(second, TPF).await;
    assert_eq!((trace.state, trace.queued_at), (CopyState::Void, Some(at(4))));
    assert_eq!(told(&world, at(5)).await.len(), 2);
    world.deliver(second, TPF, at(6)).await;
    assert_eq!(
        world.trace(second, TPF).await.state,
        CopyState::Delivered,
        "its recipient had taken it before"
    );
}
