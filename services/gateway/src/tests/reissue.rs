//! Messages that a compromised key signed and no recipient has confirmed are reissued under another key.

use std::{collections::BTreeSet, time::Duration};

use rovuma_envelope::{Jws, Origin, PublicKey, Typ, digest};
use rovuma_outbox::OutgoingMessage;
use rovuma_schemas::{Body, Lane, MessageId, NumberRange, StreamGaps, StreamRequest, StreamStatus};
use rovuma_store::FutureExt;
use serde_json::{Value, json};
use sqlx::Row;

use super::{
    support::{Fixture, agency, motorcycle},
    trust_lists::compromise,
};
use crate::{
    exchange::send,
    messages::sent::{self, Sent},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Fixture {
    /// Issues an alert, a second after the one before: ids and lists are in the order of time.
    async fn issue(&self) -> String {
        self.clock.advance(Duration::from_secs(1));
        self.person("officer-1", "mz.prm", &["liaison_officer"]).issue(&motorcycle()).await
    }

    /// `mz.prm` has a new key, and its country's list calls the old one compromised.
    fn compromise_prm(&mut self) {
        self.clock.advance(Duration::from_secs(1));
        self.mz.revise();
        compromise(&mut self.mz, "mz.prm", &self.gateway);
        self.mz.renew_key(&agency("mz.prm"), self.gateway.base.now());
        self.mz.publish(self.gateway.base.now());
    }

    async fn sent(&self) -> Vec<Value> {
        let officer = self.person("officer-1", "mz.prm", &["liaison_officer"]);
        officer.get("/v1/sent").await.expect(200).json["items"].as_array().expect("rows").clone()
    }

    /// The signed messages that wait in the outbox, in their order.
    async fn waiting(&self) -> Vec<Jws> {
        let rows = sqlx::query(
            "SELECT m.compact FROM outbox_message m
             WHERE EXISTS (SELECT 1 FROM outbox_copy c WHERE c.message = m.id AND c.state = 0) ORDER BY m.id",
        );
        let rows = rows.fetch_all(self.gateway.base.store.read()).await.expect("reads");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("ASCII");
        rows.iter().map(|row| Jws::from_compact(&text(row.get(0))).expect("a JWS")).collect()
    }

    /// A sent message as the store has it.
    async fn stored(&self, id: &str) -> Sent {
        let mut conn = self.gateway.base.store.read().acquire().await.expect("a connection");
        let stored = sent::load(&mut conn, &agency("mz.prm"), &id.parse().expect("an id")).await;
        stored.expect("reads").expect("it is there")
    }

    fn present_key(&self) -> PublicKey {
        let own = self.gateway.exchange.agencies.get(&agency("mz.prm")).expect("served");
        *own.signer.public_key()
    }

    /// Overwrites the stored signed bytes.
    async fn overwrite(&self, id: &str, jws: &Jws) {
        let id: MessageId = id.parse().expect("an id");
        let compact = jws.to_compact().into_bytes();
        let work = self.gateway.base.store.write(move |tx| {
            async move {
                sqlx::query("UPDATE outbox_message SET compact = $1, digest = $2 WHERE id = $3")
                    .bind(compact.clone())
                    .bind(digest(&compact).as_bytes().to_vec())
                    .bind(id.as_bytes().to_vec())
                    .execute(tx)
                    .await
                    .map(|_| ())
            }
            .boxed()
        });
        work.await.expect("overwritten");
    }
}

fn copy<'a>(row: &'a Value, recipient: &str) -> &'a Value {
    let copies = row["copies"].as_array().expect("copies");
    copies.iter().find(|copy| copy["recipient"] == recipient).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn a_message_without_receipt_is_reissued_under_the_new_key_and_names_the_old_one() {
    let mut fixture = Fixture::start().await;
    let old = fixture.issue().await;
    fixture.delivered("tz.tpf", "mz.prm", &old).await;
    fixture.compromise_prm();
    fixture.reload_lists().await;
    assert_eq!(fixture.sent().await.len(), 1, "the present key is the compromised one");

    fixture.restart().await;
    assert_eq!(fixture.sent().await.len(), 1, "no list says yet that the present key is in force");
    for _ in 0..2 {
        fixture.reload_lists().await;
        let rows = fixture.sent().await;
        let [new, before] = rows.as_slice() else { panic!("not done once: {rows:?}") };
        assert_eq!((&new["replaces"], &before["id"]), (&json!(old), &json!(old)));
        assert_eq!((&before["replaced_by"], &new["replaced_by"]), (&new["id"], &Value::Null));
        assert_eq!(copy(before, "tz.tpf")["state"], "delivered");
        let taken_back = copy(before, "tz.tisd");
        assert_eq!((&taken_back["state"], &taken_back["code"]), (&json!("void"), &json!("replaced")));
        assert_eq!(copy(new, "tz.tpf"), &Value::Null, "it has the old one");
        assert_eq!(
            (&copy(new, "tz.tisd")["state"], &copy(new, "tz.tisd")["number"]),
            (&json!("waiting"), &json!(2))
        );
        for fact in ["type", "facet", "status", "lane", "released_by", "expires"] {
            assert_eq!(new[fact], before[fact], "{fact}");
        }
        assert_eq!(fixture.audited("message.reissue").await.len(), 1);
        assert_eq!(fixture.audited("message.void").await.len(), 1);
    }
    let waiting = fixture.waiting().await;
    let [jws] = waiting.as_slice() else { panic!("{waiting:?}") };
    let payload = jws.verify_with(&fixture.present_key(), Typ::MESSAGE).expect("signed with the new key");
    let new: Value = serde_json::from_slice(payload).expect("JSON");
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let before = officer.get(&format!("/v1/messages/{old}")).await.expect(200).json;
    assert_eq!((&new["body"], &new["terms"]), (&before["payload"]["body"], &before["payload"]["terms"]));
    assert_eq!(
        (&new["header"]["id"], &new["header"]["replaces"]),
        (&before["sent"]["replaced_by"], &json!(old))
    );
    let (header, before) = (&new["header"], &before["header"]);
    assert_eq!((&header["case"], &header["turn"]), (&before["case"], &before["turn"]));
    assert_eq!((&header["case"]["id"], &header["turn"]), (&json!(old), &json!(1)));
    assert_eq!((&header["first_created"], before.get("first_created")), (&before["created"], None));
    let id = new["header"]["id"].as_str().expect("an id");
    let stored = fixture.stored(id).await;
    assert_eq!(json!(stored.place.case), header["case"]);
    assert_eq!(
        (json!(stored.place.turn), json!(stored.place.first_created)),
        (json!(1), before["created"].clone())
    );
    let mut both = [old.as_str(), id];
    both.sort_unstable();
    for named in both {
        let mut listed = officer.get(&format!("/v1/sent?case=alert/mz.prm/{named}")).await.expect(200).ids();
        listed.sort();
        assert_eq!(listed, both, "the case is one under either id");
    }
    let trace = officer.get(&format!("/v1/messages/{id}/trace")).await.expect(200).json;
    assert_eq!((&trace["replaces"], &trace["hops"][0]["hop"]), (&json!(old), &json!("reissued")));
    assert_eq!(trace["hops"].as_array().expect("hops").len(), 1, "nobody released it a second time: {trace}");
}

/// Two recipients in one country lost their store after they had receipted the alert, and request it one after the other.
#[tokio::test]
async fn what_a_restored_partner_requests_is_reissued_once_for_each_recipient() {
    let mut fixture = Fixture::start().await;
    let old = fixture.issue().await;
    for recipient in ["tz.tpf", "tz.tisd"] {
        fixture.delivered(recipient, "mz.prm", &old).await;
    }
    let stream = |row: &Value, recipient: &str| {
        let position = copy(row, recipient);
        (position["lane"].clone(), position["stream"].clone(), position["number"].clone())
    };
    let request = async |fixture: &Fixture, recipient: &str, id: &str| {
        fixture.clock.advance(Duration::from_secs(11));
        let rows = fixture.sent().await;
        let row = rows.iter().find(|row| row["id"] == id).expect("sent");
        let (lane, stream, number) = stream(row, recipient);
        let number = number.as_u64().expect("a number");
        let gaps = StreamGaps {
            lane: serde_json::from_value(lane).expect("a lane"),
            stream: serde_json::from_value(stream).expect("a stream"),
            missing: vec![NumberRange { from: number, to: number }],
        };
        let body = Body::StreamRequest(StreamRequest { streams: vec![gaps] });
        let jws = fixture.tz.transport(recipient, "mz.prm", body, fixture.gateway.base.now());
        fixture.deliver("mz.prm", Origin::Ingress(agency(recipient).country()), jws).await;
        fixture.sent().await
    };
    let rows = request(&fixture, "tz.tpf", &old).await;
    assert_eq!(rows.len(), 1, "the key that signed it is in force: the same bytes leave again");
    fixture.execute("UPDATE outbox_copy SET again_at = NULL").await;

    fixture.compromise_prm();
    fixture.restart().await;
    fixture.reload_lists().await;
    assert_eq!(fixture.sent().await.len(), 1, "everybody has it");
    let rows = request(&fixture, "tz.tpf", &old).await;
    let [first, before] = rows.as_slice() else { panic!("not reissued once: {rows:?}") };
    assert_eq!((&first["replaces"], &copy(first, "tz.tpf")["number"]), (&json!(old), &json!(2)));
    assert_eq!(
        (&copy(before, "tz.tpf")["state"], &copy(before, "tz.tpf")["code"]),
        (&json!("void"), &json!("replaced"))
    );
    assert_eq!(
        (&copy(before, "tz.tisd")["state"], copy(first, "tz.tisd")),
        (&json!("delivered"), &Value::Null)
    );
    assert_eq!(request(&fixture, "tz.tpf", &old).await.len(), 2, "its number is void");
    let id = first["id"].as_str().expect("an id").to_owned();
    assert_eq!(request(&fixture, "tz.tpf", &id).await.len(), 2, "the present key signed it");

    let rows = request(&fixture, "tz.tisd", &old).await;
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0]["replaces"], copy(&rows[0], "tz.tpf")), (&json!(old), &Value::Null));
    for jws in fixture.waiting().await {
        jws.verify_with(&fixture.present_key(), Typ::MESSAGE).expect("signed with the new key");
    }
    // One message in one place of the case, however often it was signed.
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let case = officer.get(&format!("/v1/cases/alert/mz.prm/{old}")).await.expect(200).json;
    assert_eq!(case["case"]["state"], "active", "{case}");
    let alarms = officer.get("/v1/alarms").await.expect(200).json;
    assert!(!alarms.to_string().contains("case_turn_reused"), "{alarms}");
    assert_eq!(fixture.audited("message.reissue").await.len(), 2);
}

/// The request came before the list that calls the key compromised, and the copy has not left again yet.
#[tokio::test]
async fn what_waits_to_leave_again_when_its_key_is_compromised_is_reissued() {
    let mut fixture = Fixture::start().await;
    let old = fixture.issue().await;
    for recipient in ["tz.tpf", "tz.tisd"] {
        fixture.delivered(recipient, "mz.prm", &old).await;
    }
    fixture.execute("UPDATE outbox_copy SET again_at = 1 WHERE recipient = 'tz.tpf'").await;
    fixture.compromise_prm();
    fixture.restart().await;
    fixture.reload_lists().await;
    let rows = fixture.sent().await;
    let [new, before] = rows.as_slice() else { panic!("not reissued once: {rows:?}") };
    assert_eq!(
        (&copy(before, "tz.tisd")["state"], copy(new, "tz.tisd")),
        (&json!("delivered"), &Value::Null)
    );
    assert_eq!(copy(new, "tz.tpf")["state"], "waiting");
}

#[tokio::test]
async fn a_key_that_is_replaced_for_another_reason_leaves_everything_as_it_is() {
    let mut fixture = Fixture::start().await;
    fixture.issue().await;
    fixture.mz.revise();
    fixture.mz.renew_key(&agency("mz.prm"), fixture.gateway.base.now());
    fixture.mz.publish(fixture.gateway.base.now());
    fixture.restart().await;
    fixture.reload_lists().await;
    assert_eq!((fixture.sent().await.len(), fixture.waiting().await.len()), (1, 1));
}

#[tokio::test]
async fn nothing_is_reissued_before_the_new_key_is_valid() {
    let mut fixture = Fixture::start().await;
    fixture.issue().await;
    fixture.mz.revise();
    compromise(&mut fixture.mz, "mz.prm", &fixture.gateway);
    fixture.mz.renew_key_from(&agency("mz.prm"), fixture.gateway.base.now().plus(DAY));
    fixture.mz.publish(fixture.gateway.base.now());
    fixture.restart().await;
    fixture.reload_lists().await;
    assert_eq!(fixture.sent().await.len(), 1);
    fixture.clock.advance(DAY);
    fixture.reload_lists().await;
    assert_eq!(fixture.sent().await.len(), 2, "no new list was needed");
}

#[tokio::test]
async fn an_expired_message_is_void_and_not_reissued() {
    let mut fixture = Fixture::start().await;
    fixture.issue().await;
    let expires = fixture.sent().await[0]["expires"].as_str().expect("a time").parse().expect("RFC 3339");
    fixture.compromise_prm();
    fixture.restart().await;
    fixture.clock.set(expires);
    fixture.reload_lists().await;
    let rows = fixture.sent().await;
    assert_eq!(rows.len(), 1);
    for recipient in ["tz.tpf", "tz.tisd"] {
        assert_eq!(copy(&rows[0], recipient)["code"], "expired");
    }
    assert!(fixture.audited("message.reissue").await.is_empty());
}

#[tokio::test]
async fn bytes_that_were_altered_in_the_store_are_not_signed_again() {
    let mut fixture = Fixture::start().await;
    let (first, second, third) = (fixture.issue().await, fixture.issue().await, fixture.issue().await);
    let signed = fixture.waiting().await;
    let mut payload = signed[0].unverified_payload().to_vec();
    let index = payload.windows(7).position(|text| text == b"vehicle").expect("it is about one");
    payload[index] = b'V';
    fixture
        .overwrite(
            &first,
            &Jws::from_segments(signed[0].protected().to_vec(), payload, *signed[0].signature()),
        )
        .await;
    fixture.overwrite(&second, &signed[2]).await;
    fixture.compromise_prm();
    fixture.restart().await;
    fixture.reload_lists().await;
    let replaced: BTreeSet<String> =
        fixture.sent().await.iter().filter_map(|row| row["replaces"].as_str().map(str::to_owned)).collect();
    assert_eq!(replaced, BTreeSet::from([third]), "the first is not what was signed, the second is another");
}

#[tokio::test]
async fn receipts_are_reissued_and_stream_messages_are_not() {
    let mut fixture = Fixture::start().await;
    fixture.receive("mz.prm", 1, &motorcycle()).await;
    let (gateway, now) = (std::sync::Arc::clone(&fixture.gateway), fixture.gateway.base.now());
    let body = Body::StreamStatus(StreamStatus { streams: Vec::new(), received: Vec::new() });
    let status: OutgoingMessage =
        send::transport(&gateway.exchange, &agency("mz.prm"), &agency("tz.tpf"), Lane::Urgent, body, now)
            .expect("signed");
    let work = fixture.gateway.base.store.write(move |tx| {
        async move {
            gateway.exchange.outbox.enqueue(tx, &status, now);
            Ok::<_, sqlx::Error>(())
        }
        .boxed()
    });
    work.await.expect("put in");
    assert_eq!(fixture.waiting().await.len(), 2);
    fixture.compromise_prm();
    fixture.restart().await;
    fixture.reload_lists().await;
    let waiting = fixture.waiting().await;
    let [receipt] = waiting.as_slice() else { panic!("{waiting:?}") };
    let payload = receipt.verify_with(&fixture.present_key(), Typ::MESSAGE).expect("signed with the new key");
    let receipt: Value = serde_json::from_slice(payload).expect("JSON");
    assert_eq!(receipt["header"]["type"], "receipt.delivered");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM outbox_message").await, 1, "the old bytes are gone");
    assert!(fixture.sent().await.is_empty(), "receipts are no messages of an officer");
}

#[tokio::test]
async fn a_recipient_sees_which_message_replaces_which() {
    let fixture = Fixture::start().await;
    let now = fixture.gateway.base.now();
    let old = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let replaces = Some(old.parse::<MessageId>().expect("an id"));
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let row = |rows: &Value, id: &str| {
        let rows = rows["items"].as_array().expect("rows").clone();
        rows.into_iter().find(|row| row["id"] == id).expect("a row")
    };
    for (from, number) in [("tz.tisd", 1), ("tz.tpf", 2)] {
        let before = officer.get("/v1/inbox").await.expect(200).json;
        assert_eq!(row(&before, &old).get("replaced_by"), None, "no other agency replaces it");
        let id = MessageId::draw(now);
        let jws = fixture.tz.alert_replacing(replaces, id, (from, "mz.prm", number), &motorcycle(), now);
        fixture.deliver("mz.prm", Origin::Ingress(agency(from).country()), jws).await;
        let after = officer.get("/v1/inbox").await.expect(200).json;
        assert_eq!(row(&after, &id.to_string())["replaces"], json!(old));
        if from == "tz.tpf" {
            assert_eq!(row(&after, &old)["replaced_by"], json!(id));
        }
    }
}
