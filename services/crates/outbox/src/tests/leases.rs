//! One relay a lane.

use rovuma_store::{FutureExt, WriteError};

use super::fixture::{Fixture, TPF, TestMessage, at, lane};
use crate::{
    CopyState,
    relay::{lease, lease::Leases, published::RecordError},
};

#[tokio::test]
async fn a_lane_belongs_to_one_relay_until_its_lease_ends() {
    let fixture = Fixture::new().await;
    let (first, second) = (Leases::new(), Leases::new());
    let store = fixture.outbox.store();
    let hold = async |leases: &Leases, seconds| {
        leases.acquire(store, &lane(TPF), at(seconds)).await.expect("asked").is_some()
    };
    assert!(hold(&first, 0).await);
    assert!(!hold(&second, 10).await);
    assert!(hold(&first, 10).await, "renewed");
    assert!(!hold(&second, 24).await);
    assert!(hold(&second, 40).await, "it was not renewed in time");
    assert!(!hold(&first, 41).await);
    second.release(store).await.expect("released");
    assert!(hold(&first, 42).await);
}

#[tokio::test]
async fn a_relay_that_lost_its_lane_marks_nothing() {
    let fixture = Fixture::new().await;
    let put = fixture.put(&TestMessage::alert(&[TPF]), at(0)).await;
    let chosen = fixture.outbox.choose(&lane(TPF), at(0)).await.expect("chooses").positions;
    let (slow, quick) = (Leases::new(), Leases::new());
    slow.acquire(fixture.outbox.store(), &lane(TPF), at(0)).await.expect("asked").expect("ours");
    // The lease ends while the bundle is on its way, by the clock of another machine.
    fixture.outbox.store().write(|tx| lease::expire(tx, None).boxed()).await.expect("ended");
    quick.acquire(fixture.outbox.store(), &lane(TPF), at(1)).await.expect("asked").expect("taken over");
    let refused =
        fixture.record_published(&slow, &lane(TPF), &chosen, at(2)).await.expect_err("not ours any more");
    assert!(matches!(refused, WriteError::Job(RecordError::LeaseLost(_))), "{refused}");
    assert_eq!(fixture.trace(put, TPF).await.state, CopyState::Waiting);
    fixture.record_published(&quick, &lane(TPF), &chosen, at(3)).await.expect("marked");
    assert_eq!(fixture.trace(put, TPF).await.state, CopyState::Queued);
}
