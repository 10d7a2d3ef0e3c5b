//! Messages that arrive in another lane than the one that their sender signed.

use rovuma_envelope::{Jws, Origin};
use rovuma_schemas::Lane;

use super::support::{Fixture, agency, motorcycle};
use crate::exchange::open::{DeliveryVerifier, OpenedMessage, check_lane};

/// The lanes in which a message is not quarantined.
fn lanes_of(fixture: &Fixture, jws: &Jws) -> Vec<Lane> {
    let (agencies, trust) = (&fixture.gateway.exchange.agencies, fixture.gateway.exchange.trust.current());
    let verifier = DeliveryVerifier { agencies, trust: &trust, now: fixture.gateway.base.now() };
    let is_taken = |lane: &Lane| {
        let origin = Origin::Ingress(agency("tz.tpf").country());
        let message = verifier.verify_message(jws.clone(), origin, &agency("mz.prm"));
        !matches!(check_lane(message, Some(*lane)), OpenedMessage::Quarantined { .. })
    };
    Lane::ALL.into_iter().filter(is_taken).collect()
}

#[tokio::test]
async fn accepted_and_rejected_messages_keep_the_lane_that_was_signed() {
    let fixture = Fixture::start().await;
    let now = fixture.gateway.base.now();
    let (_, accepted) = fixture.tz.alert(("tz.tpf", "mz.prm", 1), &motorcycle(), now);
    let payload = String::from_utf8(accepted.unverified_payload().to_vec()).expect("text");
    let signed = Lane::ALL.into_iter().find(|lane| payload.contains(&format!("\"lane\":\"{lane}\"")));
    let rejected = payload.replace("},\"terms\":", ",\"x\":1,\"x\":2},\"terms\":");
    let rejected = fixture.tz.sign_bytes(&agency("tz.tpf"), rejected.into_bytes());
    for jws in [accepted, rejected] {
        assert_eq!(lanes_of(&fixture, &jws), [signed.expect("a lane was signed")]);
    }
}
