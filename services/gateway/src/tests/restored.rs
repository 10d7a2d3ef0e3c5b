//! A gateway whose store was restored from an older copy.

use rovuma_envelope::Origin;
use rovuma_schemas::{Body, Lane, StoreId, StreamSeen, StreamStatus};

use super::support::{Fixture, agency, motorcycle};
use crate::exchange::{self, restored};

impl Fixture {
    /// `tz.tpf` reports to `mz.prm` the last number that it has seen of a stream. Returns the id of our store afterwards.
    async fn report_seen(&self, stream: StoreId, last: u64) -> StoreId {
        // A status message counts only when it is newer than the last one.
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
async fn a_partner_that_has_seen_unused_numbers_reveals_a_restore() {
    let fixture = Fixture::start().await;
    let first = fixture.gateway.base.store.identity();
    assert_eq!(fixture.report_seen(first, 0).await, first, "nothing was given out");
    assert_eq!(fixture.report_seen(StoreId::draw(), 9).await, first, "another stream than our present one");
    let second = fixture.report_seen(first, 1).await;
    assert_ne!(second, first);
    assert_eq!(fixture.audited("store.restore").await.len(), 1);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM alarm WHERE kind = 'store_restored'").await, 2);
    assert_eq!(fixture.report_seen(first, 1).await, second, "it is known by now");
}

#[tokio::test]
async fn a_status_reports_the_numbers_seen_of_a_partners_streams() {
    let fixture = Fixture::start().await;
    fixture.receive("mz.prm", 3, &motorcycle()).await;
    let seen =
        exchange::status::streams_seen(&fixture.gateway.exchange, &agency("mz.prm"), &agency("tz.tpf")).await;
    let seen = seen.expect("reads");
    assert_eq!(seen.iter().map(|seen| seen.last).collect::<Vec<_>>(), [3]);
    let nobody =
        exchange::status::streams_seen(&fixture.gateway.exchange, &agency("mz.senami"), &agency("tz.tpf"))
            .await;
    assert_eq!(nobody.expect("reads"), []);
}

#[tokio::test]
async fn a_restore_is_recorded_once_for_auditors_and_agencies() {
    let fixture = Fixture::start().await;
    let before = fixture.gateway.base.store.identity();
    restored::record_if_restored(&fixture.gateway.exchange).await.expect("looked");
    assert!(fixture.audited("store.restore").await.is_empty(), "nothing was restored");
    let after = fixture.gateway.base.store.renew_identity().await.expect("renamed");
    for _ in 0..2 {
        restored::record_if_restored(&fixture.gateway.exchange).await.expect("told");
    }
    let events = fixture.audited("store.restore").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["details"]["before"], before.to_string());
    assert_eq!((&events[0]["epoch"], &events[0]["sequence"]), (&after.to_string().into(), &1.into()));
    let alarms = "SELECT COUNT(*) FROM alarm WHERE kind = 'store_restored' AND times = 1";
    assert_eq!(fixture.count(alarms).await, 2);
}
