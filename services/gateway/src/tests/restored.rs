//! A gateway whose store was restored from an older copy.

use rovuma_envelope::Origin;
use rovuma_schemas::{Body, Lane, StoreId, StreamSeen, StreamStatus};

use super::support::{World, agency, motorcycle};
use crate::exchange::{self, restored};

impl World {
    /// `tz.tpf` tells `mz.prm` how far it has seen a stream; what our store is called then.
    async fn seen(&self, stream: StoreId, last: u64) -> StoreId {
        // A word counts only when it is newer than the last.
        self.clock.advance(std::time::Duration::from_secs(1));
        let received = vec![StreamSeen { lane: Lane::Normal, stream, last }, self.urgent(stream, last)];
        let body = Body::StreamStatus(StreamStatus { streams: Vec::new(), received });
        let jws = self.tz.transport("tz.tpf", "mz.prm", body, self.gateway.base.now());
        self.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), jws).await;
        self.gateway.base.store.refresh_identity().await.expect("reads")
    }

    fn urgent(&self, stream: StoreId, last: u64) -> StreamSeen {
        StreamSeen { lane: Lane::Urgent, stream, last }
    }
}

#[tokio::test]
async fn a_partner_that_has_seen_more_than_we_gave_out_tells_us_of_a_restore() {
    let world = World::start().await;
    let first = world.gateway.base.store.identity();
    assert_eq!(world.seen(first, 0).await, first, "nothing was given out");
    assert_eq!(world.seen(StoreId::draw(), 9).await, first, "another stream than our present one");
    let second = world.seen(first, 1).await;
    assert_ne!(second, first);
    assert_eq!(world.audited("store.restore").await.len(), 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM alarm WHERE kind = 'store_restored'").await, 2);
    assert_eq!(world.seen(first, 1).await, second, "it is known by now");
}

#[tokio::test]
async fn what_was_seen_of_a_partners_streams_is_told() {
    let world = World::start().await;
    world.receive("mz.prm", 3, &motorcycle()).await;
    let seen = exchange::status::seen(&world.gateway.exchange, &agency("mz.prm"), &agency("tz.tpf")).await;
    let seen = seen.expect("reads");
    assert_eq!(seen.iter().map(|seen| seen.last).collect::<Vec<_>>(), [3]);
    let nobody =
        exchange::status::seen(&world.gateway.exchange, &agency("mz.senami"), &agency("tz.tpf")).await;
    assert_eq!(nobody.expect("reads"), []);
}

#[tokio::test]
async fn a_restore_is_told_once_to_auditors_and_agencies() {
    let world = World::start().await;
    let before = world.gateway.base.store.identity();
    restored::record_if_restored(&world.gateway.exchange).await.expect("looked");
    assert!(world.audited("store.restore").await.is_empty(), "nothing was restored");
    let after = world.gateway.base.store.renew_identity().await.expect("renamed");
    for _ in 0..2 {
        restored::record_if_restored(&world.gateway.exchange).await.expect("told");
    }
    let events = world.audited("store.restore").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["details"]["before"], before.to_string());
    assert_eq!((&events[0]["epoch"], &events[0]["sequence"]), (&after.to_string().into(), &1.into()));
    let alarms = "SELECT COUNT(*) FROM alarm WHERE kind = 'store_restored' AND times = 1";
    assert_eq!(world.count(alarms).await, 2);
}
