//! A gateway whose store was restored from an older copy.

use super::support::World;
use crate::restored;

#[tokio::test]
async fn a_restore_is_told_once_to_auditors_and_agencies() {
    let world = World::start().await;
    let before = world.gateway.store.identity();
    restored::look(&world.gateway).await.expect("looked");
    assert!(world.audited("store.restore").await.is_empty(), "nothing was restored");
    let after = world.gateway.store.renew_identity().await.expect("renamed");
    for _ in 0..2 {
        restored::look(&world.gateway).await.expect("told");
    }
    let events = world.audited("store.restore").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["details"]["before"], before.to_string());
    assert_eq!((&events[0]["epoch"], &events[0]["sequence"]), (&after.to_string().into(), &1.into()));
    let alarms = "SELECT COUNT(*) FROM alarm WHERE kind = 'store_restored' AND times = 1";
    assert_eq!(world.count(alarms).await, 2);
}
