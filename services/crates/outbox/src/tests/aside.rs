//! Copies that can never leave, and what waits behind them.

use std::sync::Arc;

use rovuma_envelope::BUNDLE_BYTES_MAX;
use rovuma_schemas::{Timestamp, VoidReason, VoidedNumber};
use rovuma_store::FutureExt;

use super::world::{Letter, PRM, Put, TISD, TPF, World, agency, at, lane};
use crate::{CopyState, OutboxSettings, RelayHost};

/// When what left at 1 second is due again, its recipient having been heard then.
const DUE: i64 = 62;

fn too_large() -> Letter {
    Letter { bytes: BUNDLE_BYTES_MAX, ..Letter::alert(&[TPF]) }
}

/// Looks at a lane as the relay does. Returns how many of the chosen may leave and how many were set aside.
async fn look(world: &World, now: Timestamp) -> (usize, usize) {
    let host: Arc<dyn RelayHost> = Arc::clone(&world.host) as Arc<dyn RelayHost>;
    let chosen = world.outbox.choose(&lane(TPF), now).await.expect("chooses").positions;
    let loaded = world.outbox.load(&chosen).await.expect("loads");
    let fit = world.outbox.set_unfit_aside(&host, loaded, now).await.expect("set aside");
    assert_eq!(fit.copies.len(), fit.messages.len());
    (fit.copies.len(), fit.set_aside)
}

/// Spoils the stored bytes of a message.
async fn damage(world: &World, put: Put) {
    let work = world.outbox.store().write(move |tx| {
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

async fn outcome(world: &World, put: Put) -> (CopyState, Option<String>) {
    let trace = world.trace(put, TPF).await;
    (trace.state, trace.code)
}

fn void(reason: &str) -> (CopyState, Option<String>) {
    (CopyState::Void, Some(reason.to_owned()))
}

#[tokio::test]
async fn what_no_bundle_holds_is_set_aside_and_the_lane_goes_on() {
    // A window that would never take it.
    let world = World::with(OutboxSettings { window_bytes: 10, ..OutboxSettings::default() }).await;
    let large = world.put(&too_large(), at(0)).await;
    let large_plain = world.put(&Letter { bytes: BUNDLE_BYTES_MAX, ..Letter::receipt(TPF) }, at(0)).await;
    let fine = world.put(&Letter::alert(&[TPF]), at(0)).await;
    assert_eq!([look(&world, at(1)).await, look(&world, at(1)).await], [(0, 1), (0, 1)]);
    assert_eq!(look(&world, at(1)).await, (1, 0));
    assert_eq!(outcome(&world, large).await, void("too_large"));
    assert_eq!(outcome(&world, large_plain).await, void("too_large"));
    let reason = VoidReason::Other("too_large".to_owned());
    assert_eq!(
        *world.host.voided.lock().expect("unpoisoned"),
        [(large.id, reason.clone()), (large_plain.id, reason.clone())]
    );
    assert_eq!(world.depart(TPF, at(2)).await, 1);
    assert_eq!(world.trace(fine, TPF).await.state, CopyState::Queued);
    let heads = world.outbox.heads(&agency(PRM), &agency(TPF), at(2)).await.expect("heads");
    assert_eq!(heads[0].voided, [VoidedNumber { number: 1, reason }]);
}

#[tokio::test]
async fn damaged_bytes_are_set_aside_even_when_they_have_left_before() {
    let world = World::new().await;
    let left = world.put(&Letter::alert(&[TPF]), at(0)).await;
    let beside = world.put(&Letter::alert(&[TPF]), at(0)).await;
    assert_eq!(world.depart(TPF, at(1)).await, 2);
    let waiting = world.put(&Letter::alert(&[TPF]), at(2)).await;
    damage(&world, left).await;
    damage(&world, waiting).await;
    let due = at(DUE);
    world.hear(TPF, at(1)).await;
    assert_eq!(look(&world, due).await, (1, 2));
    assert_eq!(look(&world, due).await, (1, 0), "neither is looked at again");
    assert_eq!(outcome(&world, left).await, void("damaged"));
    assert_eq!(outcome(&world, waiting).await, void("damaged"));
    assert_eq!(world.trace(beside, TPF).await.state, CopyState::Queued);
}

#[tokio::test]
async fn what_a_receipt_has_settled_is_not_made_void() {
    let world = World::new().await;
    let put = world.put(&Letter::alert(&[TPF, TISD]), at(0)).await;
    assert_eq!(world.depart(TPF, at(1)).await, 1);
    let due = at(DUE);
    world.hear(TPF, at(1)).await;
    let chosen = world.outbox.choose(&lane(TPF), due).await.expect("chooses").positions;
    world.deliver(put, TPF, due).await;
    damage(&world, put).await;
    let loaded = world.outbox.load(&chosen).await.expect("loads");
    let host: Arc<dyn RelayHost> = Arc::clone(&world.host) as Arc<dyn RelayHost>;
    let fit = world.outbox.set_unfit_aside(&host, loaded, due).await.expect("looks");
    assert_eq!((chosen.len(), fit.set_aside), (1, 0));
    assert_eq!(world.trace(put, TPF).await.state, CopyState::Delivered);
}
