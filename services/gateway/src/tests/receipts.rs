//! Receipts for messages that we sent: what they settle, and which of their bytes are kept.

use rovuma_envelope::{Jws, Origin, digest};
use rovuma_schemas::{
    Body, DeliveredEntry, Digest, MessageId, ReadEntry, Receipts, StoreId, audit::AuditPosition,
};
use serde_json::json;

use super::support::{Fixture, agency, motorcycle};

/// The statement that a message was stored.
fn stored(fixture: &Fixture, id: MessageId, digest: Digest) -> Body {
    let audit = AuditPosition { source: "tz.gateway".to_owned(), epoch: StoreId::draw(), sequence: 7 };
    let stored_at = fixture.gateway.base.now();
    Body::ReceiptDelivered(Receipts { entries: vec![DeliveredEntry { id, digest, stored_at, audit }] })
}

/// Delivers a receipt of an agency of `tz` to `mz.prm`, under this id. Gives its bytes.
async fn deliver_under(fixture: &Fixture, id: MessageId, from: &str, body: Body) -> Jws {
    let jws = fixture.tz.transport_under(id, (from, "mz.prm"), body, fixture.gateway.base.now());
    fixture.deliver("mz.prm", Origin::Ingress(agency(from).country()), jws.clone()).await;
    jws
}

#[tokio::test]
async fn other_bytes_under_a_receipts_id_settle_nothing_and_are_kept_beside_the_first() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.issue(&motorcycle()).await;
    let message: MessageId = id.parse().expect("an id");
    let sent = fixture.digest_of("mz.prm", &message).await;
    let now = fixture.gateway.base.now();
    let receipt = MessageId::draw(now);

    // The first names a message that nobody sent; the second, under the same id, one that was sent.
    let first = stored(&fixture, MessageId::draw(now), digest(b"nothing"));
    let first = deliver_under(&fixture, receipt, "tz.tpf", first).await;
    let second = deliver_under(&fixture, receipt, "tz.tpf", stored(&fixture, message, sent)).await;
    let read = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json;
    assert_eq!(read["sent"]["receipts"], json!([]), "{read}");
    let alarm = officer.get("/v1/alarms").await.expect(200).json["items"][0].clone();
    assert_eq!((&alarm["kind"], &alarm["subject"]), (&json!("conflict"), &json!(receipt)));
    for named in [first.digest(), second.digest()] {
        assert!(
            alarm["detail"].as_str().is_some_and(|detail| detail.contains(&named.to_string())),
            "{alarm}"
        );
        let kept = sqlx::query("SELECT jws FROM receipt_jws WHERE digest = $1")
            .bind(named.as_bytes().to_vec())
            .fetch_all(fixture.gateway.base.store.read());
        assert_eq!(kept.await.expect("reads").len(), 1, "{named}");
    }
    let refused = fixture.audited("receipt.refuse").await;
    let conflict = refused.iter().find(|event| event["reason"] == "conflict").expect("an event");
    assert_eq!(conflict["object"], json!({ "kind": "receipt", "id": receipt }));
    assert_eq!(conflict["details"]["receipt"], json!(second.digest()));
    assert_eq!(conflict["details"]["first"], json!(first.digest()));

    // More under the same id only count, and the same bytes again do not even that: they cannot fill the store or the audit log.
    deliver_under(&fixture, receipt, "tz.tpf", stored(&fixture, message, sent)).await;
    fixture.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), second).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM receipt_jws").await, 2);
    assert_eq!(fixture.count("SELECT times FROM alarm WHERE kind = 'conflict'").await, 2);
    let refused = fixture.audited("receipt.refuse").await;
    assert_eq!(refused.iter().filter(|event| event["reason"] == "conflict").count(), 1);

    // An honest receipt settles, and its bytes name the message.
    let honest = MessageId::draw(now);
    let third = deliver_under(&fixture, honest, "tz.tpf", stored(&fixture, message, sent)).await;
    let originals = officer.get(&format!("/v1/messages/{id}/jws")).await.expect(200).json;
    assert_eq!(originals["receipts"].as_array().map(Vec::len), Some(1), "{originals}");
    assert_eq!(originals["receipts"][0]["jws"], third.to_compact());
    assert_eq!(originals["receipts"][0]["digest"], json!(third.digest()));
    let accepted = fixture.audited("receipt.accept").await;
    assert_eq!(accepted[0]["details"]["receipt"], json!(third.digest()));
    assert_eq!(accepted[0]["details"]["digest"], json!(sent));
}

#[tokio::test]
async fn two_signers_may_use_one_id_and_each_receipt_is_handed_out_once() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.issue(&motorcycle()).await;
    let message: MessageId = id.parse().expect("an id");
    let (sent, now) = (fixture.digest_of("mz.prm", &message).await, fixture.gateway.base.now());
    let receipt = MessageId::draw(now);
    let mut expected = Vec::new();
    for signer in ["tz.tpf", "tz.tisd"] {
        let jws = deliver_under(&fixture, receipt, signer, stored(&fixture, message, sent)).await;
        // The same bytes once more change nothing.
        fixture.deliver("mz.prm", Origin::Ingress(agency(signer).country()), jws.clone()).await;
        expected.push(json!({
            "receipt": receipt, "signer": signer, "digest": jws.digest(), "jws": jws.to_compact(),
        }));
    }
    let entries = vec![ReadEntry { id: message, digest: sent, read_at: now }];
    let read = Body::ReceiptRead(Receipts { entries });
    let other = MessageId::draw(now);
    let jws = deliver_under(&fixture, other, "tz.tpf", read).await;
    expected.push(
        json!({ "receipt": other, "signer": "tz.tpf", "digest": jws.digest(), "jws": jws.to_compact() }),
    );

    let originals = officer.get(&format!("/v1/messages/{id}/jws")).await.expect(200).json;
    let receipts = originals["receipts"].as_array().expect("receipts");
    assert_eq!(receipts.len(), expected.len(), "{receipts:?}");
    for one in expected {
        assert!(receipts.contains(&one), "{one} is not in {receipts:?}");
    }
    assert_eq!(officer.get("/v1/alarms").await.expect(200).json["items"], json!([]));
}
