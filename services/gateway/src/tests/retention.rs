//! Erasure at the end of retention: when, what is left of it, who is told, and what keeps it back.

mod bytes;
mod holds;

use std::{collections::BTreeSet, sync::Arc};

use rovuma_envelope::{Jws, Origin, digest};
use rovuma_schemas::{MessageId, Recipient, Timestamp};
use rovuma_store::FutureExt;
use serde_json::{Value, json};
use sqlx::Row;

use super::support::{Client, Fixture, agency, example, motorcycle};
use crate::{
    cases::project,
    retention::{
        due::{self, DueCase},
        job::{self, Run},
    },
};

/// The last instant at which the alerts of these tests may be kept, and the one after.
const LAST: &str = "2026-12-31T23:59:59.999999Z";
const OVER: &str = "2027-01-01T00:00:00Z";

/// A fixture in which the audit service may be silent for as long as these tests let time pass.
async fn start() -> Fixture {
    Fixture::start_with(|config, _| config.audit.overdue_after_ms = u64::MAX / 1_000_000).await
}

/// An alert that ends by itself on 10 December and may be kept until the end of the year.
fn short(mut draft: Value) -> Value {
    draft["terms"]["retain_until"] = json!("2026-12-31");
    draft["body"]["validity"] = json!({ "until": "2026-12-10T00:00:00Z" });
    draft
}

fn wanted_person() -> Value {
    short(example("alert-wanted-person"))
}

/// The same, about a vehicle, which one officer may send.
fn stolen() -> Value {
    let mut draft = short(motorcycle());
    draft["recipients"] = json!(["tz.tpf"]);
    draft
}

impl Fixture {
    fn at(&self, instant: &str) {
        self.clock.set(instant.parse().expect("RFC 3339"));
    }

    /// Erases what is due, as the job does.
    async fn erase(&self) -> Run {
        let (drafts, shutdown) = (&self.gateway.drafts, &self.context.shutdown);
        job::erase_due(drafts, true, shutdown).await.expect("erases")
    }

    /// What a run would erase now.
    async fn due(&self) -> Vec<DueCase> {
        let mut conn = self.gateway.base.store.read().acquire().await.expect("a connection");
        due::due(&mut conn, self.gateway.base.now(), 100).await.expect("reads")
    }

    /// One alert of `tz.tpf` to both agencies of `mz`: its id and its bytes.
    async fn receive_both(&self, draft: &Value) -> (String, Jws) {
        let (id, now) = (MessageId::draw(self.gateway.base.now()), self.gateway.base.now());
        let jws = self.tz.alert_with(id, ("tz.tpf", "mz.prm", 1), draft, now, |header| {
            let other = Recipient { agency: agency("mz.senami"), ..header.recipients[0].clone() };
            header.recipients.push(other);
        });
        for to in ["mz.prm", "mz.senami"] {
            self.arrive_at(to, jws.clone()).await;
        }
        (id.to_string(), jws)
    }

    async fn arrive_at(&self, to: &str, jws: Jws) {
        self.deliver(to, Origin::Ingress(agency("tz.tpf").country()), jws).await;
    }

    /// A message of `tz.tpf` to `mz.prm` that follows in a case, from an example of its type.
    fn follower(&self, name: &str, (owner, case): (&str, &str), (turn, number): (u64, u64)) -> Value {
        let now = self.gateway.base.now();
        let mut message = example(&format!("message-{name}"));
        let header = &mut message["header"];
        header["id"] = json!(MessageId::draw(now));
        header["created"] = json!(now);
        header["sender"] = json!({ "agency": "tz.tpf" });
        header["recipients"] = json!([{
            "agency": "mz.prm", "lane": "normal", "stream": self.tz.stream(), "number": number
        }]);
        header["case"] = json!({ "kind": "alert", "owner": owner, "id": case });
        header["turn"] = json!(turn);
        header["seen"] = json!({ "mz.prm": 1 });
        header.as_object_mut().expect("a header").remove("in_reply_to");
        message
    }

    fn signed(&self, message: &Value) -> Jws {
        self.tz.sign_bytes(&agency("tz.tpf"), serde_json::to_vec(message).expect("JSON"))
    }

    /// An alert of `mz.prm` that `tz.tpf` has confirmed, and its withdrawal, confirmed as well if `confirmed` says so.
    async fn withdrawn(&self, confirmed: bool) -> (String, String) {
        let officer = self.person("officer-1", "mz.prm", &["liaison_officer", "supervisor"]);
        let alert = officer.issue(&stolen()).await;
        self.delivered("tz.tpf", "mz.prm", &alert).await;
        let mut draft = example("alert-withdraw");
        draft["case"]["id"] = json!(alert);
        draft["terms"]["retain_until"] = json!("2026-12-31");
        let withdrawal = officer.issue(&draft).await;
        if confirmed {
            self.delivered("tz.tpf", "mz.prm", &withdrawal).await;
        }
        (alert, withdrawal)
    }

    /// The compact bytes that wait in the outbox for this recipient, of this type.
    pub(super) async fn outgoing(&self, message_type: &'static str) -> Vec<Value> {
        let rows =
            sqlx::query("SELECT compact FROM outbox_message WHERE message_type = $1 ORDER BY created_at, id")
                .bind(message_type)
                .fetch_all(self.gateway.base.store.read())
                .await
                .expect("reads");
        let payload = |row: &sqlx::any::AnyRow| {
            let jws = crate::exchange::stored_jws(&row.get::<Vec<u8>, _>(0)).expect("a JWS");
            serde_json::from_slice(jws.unverified_payload()).expect("JSON")
        };
        rows.iter().map(payload).collect()
    }
}

async fn code(client: &Client<'_>, path: &str) -> (u16, String) {
    let reply = client.get(path).await;
    (reply.status, reply.code().to_owned())
}

fn erased() -> (u16, String) {
    (410, "erased".to_owned())
}

#[tokio::test]
async fn an_expired_alert_is_erased_at_the_instant_though_nothing_comes_any_more() {
    let fixture = start().await;
    let (id, jws) = fixture.receive_both(&wanted_person()).await;
    fixture.at(LAST);
    assert_eq!(fixture.erase().await.erased, 0, "it may be kept today");
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    officer.get(&format!("/v1/messages/{id}?view=metadata")).await.expect(200);
    let senami = fixture.person("officer-2", "mz.senami", &["data_protection_officer", "liaison_officer"]);
    let held = json!({ "ground": "court_order", "reason": "Processo 17/2026", "until": "2027-06-30" });
    senami.put(&format!("/v1/cases/alert/tz.tpf/{id}/hold"), &held).await.expect(200);

    fixture.at(OVER);
    assert_eq!(fixture.erase().await, Run { erased: 1, left: 0 });
    assert_eq!(fixture.erase().await.erased, 0, "once");
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let message = format!("/v1/messages/{id}");
    for path in [message.clone(), format!("{message}?view=metadata"), format!("{message}/jws")] {
        assert_eq!(code(&officer, &path).await, erased(), "{path}");
    }
    let detail = officer.get(&message).await.json["detail"].to_string();
    assert!(detail.contains(OVER), "{detail}");
    assert!(fixture.outgoing("receipt.read").await.is_empty(), "nobody has read it");

    // That it existed is still shown, and where it came from.
    let row = officer.get("/v1/inbox").await.expect(200).json["items"][0].clone();
    assert_eq!((&row["id"], &row["erased_at"]), (&json!(id), &json!(OVER)), "{row}");
    officer.get(&format!("{message}/trace")).await.expect(200);
    let case = format!("/v1/cases/alert/tz.tpf/{id}");
    let shown = officer.get(&case).await.expect(200).json;
    assert_eq!((&shown["case"]["state"], &shown["case"]["erased_at"]), (&json!("expired"), &json!(OVER)));
    let steps = officer.get(&format!("{case}/timeline")).await.expect(200).json["steps"].clone();
    let types: Vec<&Value> = steps.as_array().expect("steps").iter().map(|step| &step["type"]).collect();
    assert_eq!(types, ["alert.issue", "purge.certify"], "{steps}");

    // The other agency's copy of the same message is whole.
    let senami = fixture.person("officer-2", "mz.senami", &["liaison_officer"]);
    let original = senami.get(&format!("{message}/jws")).await.expect(200).json;
    assert_eq!(original["messages"][0]["jws"], json!(jws.to_compact()));

    // The certificate: by nobody, with the terms of the alert, and with what it had seen.
    let certificates = fixture.outgoing("purge.certify").await;
    let [certificate] = certificates.as_slice() else { panic!("{certificates:?}") };
    assert_eq!(certificate["header"]["sender"], json!({ "agency": "mz.prm" }));
    assert_eq!(certificate["header"]["turn"], 1);
    assert_eq!(certificate["header"]["seen"], json!({ "tz.tpf": 1 }));
    assert_eq!(certificate["header"]["status"], "exercise");
    assert_eq!(certificate["terms"]["purpose"], "prosecution");
    assert_eq!(certificate["terms"]["language"], "sw");
    assert_eq!(certificate["terms"]["handling"], json!({ "code": "H0" }));
    assert_eq!(certificate["body"], json!({ "outcome": "erased" }));

    let events = fixture.audited("erase").await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let details = &event["details"];
    assert_eq!((&event["actor"], &event["agency"]), (&json!("system"), &json!("mz.prm")));
    assert_eq!(event["object"], json!({ "kind": "case", "id": format!("alert/tz.tpf/{id}") }));
    assert_eq!((&details["ground"], &details["messages"]), (&json!("expired"), &json!("1")));
    assert_eq!(details["retain_until"], OVER);
    assert_eq!(details["certificate"], certificate["header"]["id"]);
    let digests = digest(jws.digest().as_bytes());
    assert_eq!(details["digests"], json!(digests), "of the one message");
}

#[tokio::test]
async fn what_comes_again_after_the_erasure_is_a_duplicate_and_gets_the_same_receipt() {
    let fixture = start().await;
    let (id, jws) = fixture.receive_both(&wanted_person()).await;
    fixture.at(OVER);
    assert_eq!(fixture.erase().await.erased, 2);
    fixture.arrive_at("mz.prm", jws.clone()).await;
    let mut receipts = fixture.outgoing("receipt.delivered").await;
    receipts.retain(|receipt| receipt["header"]["sender"]["agency"] == "mz.prm");
    let [first, again] = receipts.as_slice() else { panic!("{receipts:?}") };
    assert_eq!(first["body"]["entries"][0]["digest"], json!(jws.digest()));
    assert_eq!(again["body"], first["body"]);
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    assert_eq!(code(&officer, &format!("/v1/messages/{id}")).await, erased(), "it stays erased");
    assert_eq!(fixture.audited("message.receive").await.len(), 2);
}

#[tokio::test]
async fn the_issuers_own_copy_goes_once_all_is_confirmed_and_nobody_certifies_it() {
    let fixture = start().await;
    let (alert, withdrawal) = fixture.withdrawn(false).await;
    fixture.at(OVER);
    assert_eq!(fixture.erase().await.erased, 0, "the withdrawal must still arrive");
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let waits = supervisor.get("/v1/retention?days=0").await.expect(200).json;
    assert_eq!(
        (&waits["upcoming"][0]["unsettled"], &waits["upcoming"][0]["due"]),
        (&json!(true), &json!(false))
    );

    fixture.delivered("tz.tpf", "mz.prm", &withdrawal).await;
    assert_eq!(fixture.erase().await.erased, 1);
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer", "supervisor"]);
    for id in [&alert, &withdrawal] {
        for path in
            [format!("/v1/messages/{id}"), format!("/v1/messages/{id}/jws"), format!("/v1/drafts/{id}")]
        {
            assert_eq!(code(&officer, &path).await, erased(), "{path}");
        }
    }
    let rows = officer.get("/v1/sent").await.expect(200).json["items"].clone();
    assert_eq!((&rows[0]["erased_at"], &rows[1]["erased_at"]), (&json!(OVER), &json!(OVER)), "{rows}");
    assert_eq!(rows[0]["copies"][0]["state"], "delivered");
    assert!(fixture.outgoing("purge.certify").await.is_empty());
    assert_eq!(fixture.audited("erase").await[0]["details"]["ground"], "withdrawn");
    assert_eq!(fixture.audited("erase").await[0]["details"]["drafts"], "2");
    assert_eq!(
        fixture.count("SELECT COUNT(*) FROM receipt_jws WHERE LENGTH(jws) > 0").await,
        2,
        "receipts stay"
    );

    // The recipient's certificate comes afterwards. It is proof and stays, and the case stays erased.
    let mut certificate = fixture.follower("purge.certify", ("mz.prm", &alert), (1, 1));
    certificate["body"].as_object_mut().expect("a body").remove("note");
    let jws = fixture.signed(&certificate);
    fixture.arrive_at("mz.prm", jws.clone()).await;
    let case = officer.get(&format!("/v1/cases/alert/mz.prm/{alert}")).await.expect(200).json;
    assert_eq!(case["case"]["erased_at"], OVER);
    let recipient = &case["alert"]["recipients"][0];
    assert_eq!(
        (&recipient["agency"], &recipient["state"]),
        (&json!("tz.tpf"), &json!("certified")),
        "{case}"
    );
    assert_eq!(recipient["certificate"], "erased");
    fixture.at("2027-01-02T00:00:00Z");
    assert_eq!(fixture.erase().await.erased, 0);
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = certificate["header"]["id"].as_str().expect("an id");
    let kept = officer.get(&format!("/v1/messages/{id}/jws")).await.expect(200).json;
    assert_eq!(kept["messages"][0]["jws"], json!(jws.to_compact()));
}

#[tokio::test]
async fn a_certificate_with_words_of_its_own_is_content_and_goes_with_the_next_run() {
    let fixture = start().await;
    let (alert, _) = fixture.withdrawn(true).await;
    fixture.at(OVER);
    assert_eq!(fixture.erase().await.erased, 1);
    let certificate = fixture.follower("purge.certify", ("mz.prm", &alert), (1, 1));
    fixture.arrive_at("mz.prm", fixture.signed(&certificate)).await;
    // Not before a week has passed since it came.
    fixture.at("2027-01-02T00:00:00Z");
    assert_eq!(fixture.erase().await.erased, 0);
    fixture.at("2027-01-09T00:00:00Z");
    assert_eq!(fixture.erase().await.erased, 1);
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = certificate["header"]["id"].as_str().expect("an id");
    assert_eq!(code(&officer, &format!("/v1/messages/{id}")).await, erased());
    let case = officer.get(&format!("/v1/cases/alert/mz.prm/{alert}")).await.expect(200).json;
    assert_eq!(case["alert"]["recipients"][0]["certificate"], "erased", "what it says is known: {case}");
}

#[tokio::test]
async fn a_withdrawal_brings_the_end_of_retention_forward_and_a_late_message_is_erased_as_well() {
    let fixture = start().await;
    let mut long = motorcycle();
    long["terms"]["retain_until"] = json!("2036-12-31");
    let alert = fixture.receive("mz.prm", 1, &long).await;
    let mut withdrawal = fixture.follower("alert.withdraw", ("tz.tpf", &alert), (3, 3));
    withdrawal["terms"]["retain_until"] = json!("2026-12-31");
    fixture.arrive_at("mz.prm", fixture.signed(&withdrawal)).await;
    fixture.at(OVER);
    assert_eq!(fixture.erase().await.erased, 1);
    assert_eq!(fixture.audited("erase").await[0]["details"]["messages"], "2");
    let certificates = fixture.outgoing("purge.certify").await;
    let [certificate] = certificates.as_slice() else { panic!("{certificates:?}") };
    let certificate = certificate["header"]["id"].as_str().expect("an id");
    fixture.delivered("tz.tpf", "mz.prm", certificate).await;

    // Version 2 was on the way all the time.
    let mut late = fixture.follower("alert.update", ("tz.tpf", &alert), (2, 2));
    late["terms"]["retain_until"] = json!("2036-12-31");
    let id = late["header"]["id"].as_str().expect("an id").to_owned();
    fixture.arrive_at("mz.prm", fixture.signed(&late)).await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    officer.get(&format!("/v1/messages/{id}?view=metadata")).await.expect(200);
    // Not before a week has passed since it came.
    fixture.at("2027-01-02T00:00:00Z");
    assert_eq!(fixture.erase().await.erased, 0);
    fixture.at("2027-01-09T00:00:00Z");
    assert_eq!(fixture.erase().await.erased, 1, "it makes the case due again");
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    assert_eq!(code(&officer, &format!("/v1/messages/{id}")).await, erased());
    let turns: Vec<Value> =
        fixture.outgoing("purge.certify").await.iter().map(|one| one["header"]["turn"].clone()).collect();
    assert_eq!(turns, [1, 2]);
}

#[tokio::test]
async fn a_case_that_is_folded_again_stays_erased() {
    let fixture = start().await;
    fixture.receive("mz.prm", 1, &wanted_person()).await;
    fixture.at(OVER);
    let key = fixture.due().await.remove(0).key;
    assert_eq!(fixture.erase().await.erased, 1);
    let (base, now) = (fixture.gateway.base.clone(), fixture.gateway.base.now());
    let work = fixture
        .gateway
        .base
        .store
        .write(move |tx| async move { project::again(tx, &base, &key, now).await }.boxed());
    work.await.expect("folded");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM case_file WHERE erased_at IS NOT NULL").await, 1);
}

#[tokio::test]
async fn a_conflicting_message_under_an_id_of_the_case_goes_with_it() {
    let fixture = start().await;
    let alert = fixture.receive("mz.prm", 1, &wanted_person()).await;
    fixture.receive_under(&alert, "tz.tpf", "mz.prm", &stolen()).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM conflict WHERE LENGTH(jws) > 0").await, 1);
    fixture.at(OVER);
    assert_eq!(fixture.erase().await.erased, 1);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM conflict WHERE LENGTH(jws) > 0").await, 0);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM conflict").await, 1, "that it came stays known");
}

#[tokio::test]
async fn where_the_agency_may_not_certify_its_data_go_all_the_same_and_somebody_is_told() {
    let mut fixture = start().await;
    let alert = fixture.receive("mz.prm", 1, &wanted_person()).await;
    fixture.at(OVER);
    fixture.mz.revise();
    let mut content = fixture.mz.list.content().clone();
    for listed in &mut content.agencies {
        listed.may_send = vec!["alert.issue".parse().expect("a pattern")];
    }
    fixture.mz.list = rovuma_envelope::TrustListDraft::resume(content);
    fixture.mz.publish(fixture.gateway.base.now());
    fixture.reload_lists().await;
    assert_eq!(fixture.erase().await.erased, 1);
    assert!(fixture.outgoing("purge.certify").await.is_empty());
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let alarms = officer.get("/v1/alarms").await.expect(200).json["items"].clone();
    let alarm = alarms.as_array().expect("alarms").iter().find(|alarm| alarm["kind"] == "certificate_unsent");
    let alarm = alarm.unwrap_or_else(|| panic!("{alarms}"));
    assert_eq!(alarm["subject"], json!(format!("alert/tz.tpf/{alert}")));
}

#[tokio::test]
async fn a_run_that_ends_between_two_cases_is_finished_by_the_next_one() {
    let mut fixture = start().await;
    for number in 1..=5 {
        fixture.receive("mz.prm", number, &wanted_person()).await;
    }
    fixture.at(OVER);
    let planned = fixture.due().await;
    assert_eq!(planned.len(), 5);
    for case in &planned[..2] {
        assert!(job::erase_case(&fixture.gateway.drafts, case.clone()).await.expect("erased"));
    }
    let certified = fixture.outgoing("purge.certify").await.len();
    assert_eq!((fixture.audited("erase").await.len(), certified), (2, 2), "neither is without the other");
    fixture.restart().await;
    fixture.reload_lists().await;
    assert_eq!(fixture.due().await, planned[2..]);
    assert!(!job::erase_case(&fixture.gateway.drafts, planned[0].clone()).await.expect("tried"), "not twice");
    assert_eq!(fixture.erase().await.erased, 3);
    let events = fixture.audited("erase").await;
    let cases: BTreeSet<String> = events.iter().map(|event| event["object"]["id"].to_string()).collect();
    assert_eq!((events.len(), cases.len()), (5, 5));
    assert_eq!(fixture.outgoing("purge.certify").await.len(), 5);
    assert_eq!(
        fixture.count("SELECT COUNT(*) FROM retention_run WHERE job = 'rewrite'").await,
        0,
        "rewritten"
    );
}

#[tokio::test]
async fn the_trail_of_what_was_erased_still_verifies() {
    let fixture = start().await;
    let (id, jws) = fixture.receive_both(&wanted_person()).await;
    fixture.at(OVER);
    assert_eq!(fixture.erase().await.erased, 2);
    let rows = sqlx::query("SELECT body FROM trail_event ORDER BY sequence")
        .fetch_all(fixture.gateway.base.store.read())
        .await
        .expect("reads");
    let bodies: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let events: Vec<Value> = bodies.iter().map(|body| serde_json::from_str(body).expect("JSON")).collect();
    for (before, after) in bodies.iter().zip(&events[1..]) {
        assert_eq!(after["previous"], json!(digest(before.as_bytes())), "the chain of events is whole");
    }
    let arrivals = events.iter().filter(|event| event["action"] == "message.receive");
    let digests: Vec<&Value> = arrivals.map(|event| &event["details"]["digest"]).collect();
    assert_eq!(digests, [&json!(jws.digest()); 2], "and names what arrived");
    let row = sqlx::query("SELECT digest FROM received WHERE id = $1 LIMIT 1")
        .bind(id.parse::<MessageId>().expect("an id").as_bytes().to_vec())
        .fetch_one(fixture.gateway.base.store.read())
        .await
        .expect("reads");
    assert_eq!(row.get::<Vec<u8>, _>(0), jws.digest().as_bytes(), "whoever has the bytes can prove that");
}

#[tokio::test]
async fn states_that_changed_by_time_alone_are_moved_on_and_told_once() {
    let fixture = start().await;
    let id = fixture.receive("mz.prm", 1, &wanted_person()).await;
    let events = "SELECT COUNT(*) FROM domain_event WHERE event = 'case.changed'";
    let stored = "SELECT COUNT(*) FROM case_file WHERE state = 'expired' AND until_at > 9000000000000000000";
    for (now, moved) in
        [("2026-12-09T23:59:59Z", 0), ("2026-12-10T00:00:00Z", 1), ("2026-12-11T00:00:00Z", 1)]
    {
        fixture.at(now);
        job::move_on(&fixture.gateway.drafts, fixture.gateway.base.now()).await.expect("moved on");
        assert_eq!((fixture.count(events).await, fixture.count(stored).await), (1 + moved, moved), "{now}");
    }
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let case = officer.get(&format!("/v1/cases/alert/tz.tpf/{id}")).await.expect(200).json;
    assert_eq!(case["case"]["state"], "expired");
}

/// The job itself: at its start and on every new day, with short intervals.
#[tokio::test]
async fn the_job_erases_at_its_start_and_on_each_new_day() {
    let fixture = start().await;
    fixture.receive("mz.prm", 1, &wanted_person()).await;
    let settings = crate::RetentionConfig { every_ms: 10, states_every_ms: 10, ..Default::default() };
    let task = job::run(Arc::clone(&fixture.gateway.drafts), settings, fixture.context.shutdown.clone());
    fixture.at(OVER);
    let task = tokio::spawn(task);
    let patience = std::time::Instant::now();
    while fixture.audited("erase").await.is_empty() {
        assert!(patience.elapsed().as_secs() < 30, "nothing was erased");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    fixture.context.shutdown.begin();
    task.await.expect("ends");
    let ran = sqlx::query("SELECT ran_at FROM retention_run WHERE job = 'erase'")
        .fetch_all(fixture.gateway.base.store.read())
        .await
        .expect("reads");
    let over: Timestamp = OVER.parse().expect("RFC 3339");
    assert!(ran.iter().all(|row| row.get::<i64, _>(0) == over.as_micros()));
}

#[tokio::test]
async fn nothing_is_erased_while_it_could_not_be_audited() {
    let fixture = Fixture::start().await;
    fixture.receive("mz.prm", 1, &wanted_person()).await;
    fixture.at(OVER);
    assert_eq!(fixture.erase().await, Run::default());
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received WHERE jws IS NOT NULL").await, 1);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM retention_run").await, 0, "the run is still owed");
    fixture.execute("DELETE FROM trail_event").await;
    assert_eq!(fixture.erase().await.erased, 1, "all is acknowledged");
}
