//! Messages of several agencies under one id: ids are the senders' to draw, and one may use another's.

use rovuma_envelope::Origin;
use rovuma_schemas::MessageId;
use serde_json::json;

use super::support::{Client, Fixture, agency, motorcycle};

/// The agency that each route answers about, once the sender is named.
async fn signers(officer: &Client<'_>, id: &str, sender: &str) -> [serde_json::Value; 3] {
    let read = officer.get(&format!("/v1/messages/{id}?sender={sender}")).await.expect(200).json;
    let metadata =
        officer.get(&format!("/v1/messages/{id}?view=metadata&sender={sender}")).await.expect(200).json;
    let jws = officer.get(&format!("/v1/messages/{id}/jws?sender={sender}")).await.expect(200).json;
    let header = |view: &serde_json::Value| view["header"]["sender"]["agency"].clone();
    [header(&read), header(&metadata), jws["signer"].clone()]
}

/// Every route of one message answers that the id is ambiguous, and names the senders.
async fn are_ambiguous(officer: &Client<'_>, id: &str, senders: [&str; 2]) {
    let path = format!("/v1/messages/{id}");
    let replies = [
        officer.get(&path).await,
        officer.get(&format!("{path}?view=metadata")).await,
        officer.get(&format!("{path}/jws")).await,
        officer.get(&format!("{path}/trace")).await,
        officer.step(&format!("{path}/read")).await,
    ];
    for reply in replies {
        let reply = reply.expect(409);
        let detail = reply.json["detail"].as_str().expect("a detail");
        assert_eq!(reply.code(), "ambiguous_id");
        assert!(senders.iter().all(|sender| detail.contains(sender)), "{detail}");
    }
}

#[tokio::test]
async fn two_senders_under_one_id_are_distinguished() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    fixture.receive_under(&id, "tz.tisd", "mz.prm", &motorcycle()).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received").await, 2);
    are_ambiguous(&officer, &id, ["tz.tpf", "tz.tisd"]).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE read_at IS NOT NULL").await, 0);

    for sender in ["tz.tpf", "tz.tisd"] {
        officer.get(&format!("/v1/messages/{id}/trace?sender={sender}")).await.expect(200);
        officer.step(&format!("/v1/messages/{id}/read?sender={sender}")).await.expect(200);
        assert_eq!(signers(&officer, &id, sender).await, [json!(sender), json!(sender), json!(sender)]);
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE read_at IS NOT NULL").await, 2);
    officer.get(&format!("/v1/messages/{id}?sender=mz.prm")).await.expect(404);
    officer.get(&format!("/v1/messages/{id}?sender=nobody")).await.expect(400);
}

/// The message is rejected under its first number and not stored, so the second number does not make it a duplicate.
#[tokio::test]
async fn one_id_under_two_used_numbers_is_refused_twice_within_a_transaction() {
    let fixture = Fixture::start().await;
    fixture.receive("mz.prm", 5, &motorcycle()).await;
    fixture.receive("mz.prm", 6, &motorcycle()).await;
    let id = MessageId::draw(fixture.gateway.base.now());
    let under = |number| {
        fixture.tz.alert_under(id, ("tz.tpf", "mz.prm", number), &motorcycle(), fixture.gateway.base.now())
    };
    let origin = Origin::Ingress(agency("tz.tpf").country());
    fixture.deliver_together("mz.prm", origin, vec![under(5), under(6)]).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received").await, 2);
    assert_eq!(
        fixture.count("SELECT CAST(SUM(times) AS BIGINT) FROM alarm WHERE kind = 'number_reused'").await,
        2
    );
}

#[tokio::test]
async fn what_was_sent_does_not_hide_what_was_received_under_its_id() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.issue(&motorcycle()).await;
    fixture.receive_under(&id, "tz.tpf", "mz.prm", &motorcycle()).await;
    are_ambiguous(&officer, &id, ["mz.prm", "tz.tpf"]).await;
    for sender in ["mz.prm", "tz.tpf"] {
        assert_eq!(signers(&officer, &id, sender).await, [json!(sender), json!(sender), json!(sender)]);
    }
    let trace = |sender: &str| format!("/v1/messages/{id}/trace?sender={sender}");
    assert_eq!(officer.get(&trace("mz.prm")).await.expect(200).json["direction"], "sent");
    assert_eq!(officer.get(&trace("tz.tpf")).await.expect(200).json["direction"], "received");
    let read = |sender: &str| format!("/v1/messages/{id}/read?sender={sender}");
    assert_eq!(officer.step(&read("mz.prm")).await.expect(409).code(), "not_received");
    officer.step(&read("tz.tpf")).await.expect(200);
}

#[tokio::test]
async fn a_caller_who_may_not_read_does_not_learn_the_senders() {
    let fixture = Fixture::start().await;
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    fixture.receive_under(&id, "tz.tisd", "mz.prm", &motorcycle()).await;
    let path = format!("/v1/messages/{id}");
    let nobody = fixture.person("officer-1", "mz.prm", &[]);
    let refused = nobody.get(&path).await.expect(403);
    assert!(!refused.json.to_string().contains("tz."), "{refused:?}");
    let other = fixture.person("officer-2", "mz.senami", &["liaison_officer"]);
    other.get(&path).await.expect(404);
    other.get(&format!("{path}?sender=tz.tpf")).await.expect(404);
    assert_eq!(fixture.audited("access.refuse").await.len(), 3);
}
