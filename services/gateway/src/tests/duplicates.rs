//! Duplicates: what is live already about the same person or thing is shown to an author, and keeps a release back that states no
//! reason.

use std::{sync::Arc, time::Duration};

use rovuma_envelope::Origin;
use rovuma_schemas::{CaseId, MessageId};
use rovuma_store::FutureExt;
use serde_json::{Value, json};

mod what_counts;

use super::support::{Client, Fixture, Reply, agency, example, motorcycle};
use crate::cases;

const DESPITE: &str = "/v1/messages?despite_duplicates=other_vehicle";

/// An alert about one vehicle with nothing but these members.
fn vehicle(members: Value) -> Value {
    let mut draft = example("alert-stolen-motorcycle");
    draft["body"]["subjects"] = json!({ "vehicles": [members] });
    draft["body"]["subjects"]["vehicles"][0]["type"] = json!("motorcycle");
    draft
}

fn plated(number: &str) -> Value {
    vehicle(json!({ "plate": { "number": number, "country": "MOZ" } }))
}

/// An example with one subject of this kind alone.
fn about(name: &str, kind: &str, subject: Value) -> Value {
    let mut draft = example(name);
    draft["recipients"] = json!(["tz.tpf"]);
    draft["body"]["subjects"] = json!({ kind: [subject] });
    draft
}

fn document(members: Value) -> Value {
    about("alert-stolen-passports", "documents", members)
}

fn person(printed: &str, day: u8) -> Value {
    let mut subject = example("alert-wanted-person")["body"]["subjects"]["persons"][0].take();
    for member in ["aliases", "documents"] {
        subject.as_object_mut().expect("a person").remove(member);
    }
    subject["name"] = json!({ "printed": printed });
    subject["birth"] = json!({ "precision": "day", "year": 1988, "month": 5, "day": day });
    about("alert-wanted-person", "persons", subject)
}

/// Of each kind of identifier: an alert, another that is about the same in another writing, and one that is not.
fn kinds() -> Vec<(&'static str, Value, Value, Value)> {
    let firearm = |number: &str| {
        about("alert-firearm", "firearms", json!({ "type": "assault_rifle", "serial_number": number }))
    };
    let object = |number: &str| {
        let subject = json!({ "type": "telephone", "description": "Simu", "serial_number": number });
        about("alert-stolen-ivory", "objects", subject)
    };
    let engine = |number: &str| {
        about(
            "alert-stolen-dhow",
            "vessels",
            json!({ "type": "dhow", "engine": { "serial_number": number } }),
        )
    };
    let with = |member: &str, number: &str| vehicle(json!({ member: number }));
    let zone =
        ["P<MOZEXEMPLO<<INVENTADA<MARIA<<<<<<<<<<<<<<<", "15EX000421MOZ9002155F2903312<<<<<<<<<<<<<<<6"];
    let passport = |number: &str, issuer: &str| {
        document(json!({ "type": "passport", "number": number, "issuer": issuer, "status": "stolen" }))
    };
    vec![
        ("plate", plated("ABC 103 MP"), plated("ABC-1O3-MP"), plated("ABC 104 MP")),
        (
            "vin",
            with("vin", "MD2A21EZ0EWA00000"),
            with("chassis_number", "md2a-21ez 0ewa.OOOOO"),
            with("chassis_number", "MD2A21EZ0EWA00001"),
        ),
        (
            "chassis_number",
            with("chassis_number", "MD2-0471"),
            with("chassis_number", "md2 o471"),
            with("engine_number", "MD2-0471"),
        ),
        ("engine_number", with("engine_number", "DUZ-0417"), engine("duz 0417"), engine("DUZ-0418")),
        ("firearm_serial", firearm("AK-10417"), firearm("ak/IO417"), object("AK-10417")),
        ("object_serial", object("35-209900-176148"), object("35209900176148"), object("35209900176149")),
        (
            "document",
            document(json!({ "type": "passport", "mrz": zone, "status": "stolen" })),
            passport("15-EX 00042", "MOZ"),
            passport("15EX00042", "TZA"),
        ),
        ("name_and_birth", person("João Mfano", 3), person("MFANO, Joao", 3), person("João Mfano", 4)),
    ]
}

/// An alert of `mz.prm`, released by a second person.
async fn release(fixture: &Fixture, draft: &Value) -> String {
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.create(draft).await.id();
    let path = format!("/v1/drafts/{id}");
    officer.step(&format!("{path}/submit")).await.expect(200);
    second_person(fixture, &path, None).await.expect(200);
    id
}

/// The release of a submitted draft by a supervisor, who states this reason.
async fn second_person(fixture: &Fixture, path: &str, despite: Option<&str>) -> Reply {
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let read = supervisor.get(path).await.expect(200);
    let supervisor = supervisor.with("If-Match", read.headers["etag"].to_str().expect("text"));
    let body = despite.map(|reason| json!({ "despite_duplicates": reason }));
    supervisor.send(reqwest::Method::POST, &format!("{path}/release"), body.as_ref()).await
}

fn officer(fixture: &Fixture) -> Client<'_> {
    fixture.person("officer-1", "mz.prm", &["liaison_officer"])
}

/// What a draft with this content is shown; the draft is thrown away again.
async fn shown(caller: &Client<'_>, draft: &Value) -> Value {
    let created = caller.create(draft).await;
    let path = format!("/v1/drafts/{}", created.id());
    let read = caller.get(&path).await.expect(200);
    assert_eq!(read.json["duplicates"], created.json["duplicates"]);
    let changed = caller.with("If-Match", "\"1\"").put(&path, draft).await.expect(200);
    assert_eq!(changed.json["duplicates"], created.json["duplicates"], "a draft is no duplicate of itself");
    caller.send(reqwest::Method::DELETE, &path, None).await.expect(200);
    created.json["duplicates"].clone()
}

/// How many a draft with this content is shown.
async fn count(caller: &Client<'_>, draft: &Value) -> usize {
    shown(caller, draft).await["found"].as_array().expect("a list").len()
}

#[tokio::test]
async fn every_kind_of_identifier_is_found_in_an_own_alert() {
    let fixture = Fixture::start().await;
    for (kind, alert, same, other) in kinds() {
        let id = release(&fixture, &alert).await;
        let found = shown(&officer(&fixture), &same).await;
        let duplicate = &found["found"][0];
        assert_eq!(found["found"].as_array().map(Vec::len), Some(1), "{kind}: {found}");
        assert_eq!(duplicate["case"], format!("alert/mz.prm/{id}"), "{kind}");
        assert_eq!((&duplicate["state"], &duplicate["owner"]), (&json!("active"), &json!("mz.prm")));
        assert_eq!(duplicate["short_reference"].as_str().map(str::len), Some(7));
        let [alike] = duplicate["same"].as_array().expect("a list").as_slice() else { panic!("{found}") };
        assert_eq!(alike["kind"], kind);
        assert!(alike["subject"].as_str().is_some_and(|key| key.ends_with('1')), "{kind}: {found}");
        let pointer = alike["pointer"].as_str().expect("a text");
        assert!(same.pointer(pointer).is_some_and(Value::is_object), "{kind}: {pointer}");
        assert_eq!(count(&officer(&fixture), &other).await, 0, "{kind}");
        // No narrative, no name.
        assert!(!found.to_string().contains("circumstances") && !found.to_string().contains("Mfano"));
    }
}

#[tokio::test]
async fn every_kind_of_identifier_is_found_in_an_own_open_draft() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let colleague = fixture.person("officer-2", "mz.prm", &["liaison_officer"]);
    for (kind, alert, same, other) in kinds() {
        let id = colleague.create(&alert).await.id();
        let found = shown(&officer, &same).await;
        let [duplicate] = found["found"].as_array().expect("a list").as_slice() else {
            panic!("{kind}: {found}")
        };
        assert_eq!((&duplicate["draft"], &duplicate["state"]), (&json!(id), &json!("draft")), "{kind}");
        assert_eq!(duplicate["same"][0]["kind"], kind);
        assert_eq!((duplicate.get("case"), duplicate.get("short_reference")), (None, None));
        assert_eq!(count(&officer, &other).await, 0, "{kind}");
    }
}

#[tokio::test]
async fn every_kind_of_identifier_is_found_in_a_received_alert() {
    let fixture = Fixture::start().await;
    for (number, (kind, alert, same, other)) in (1..).zip(kinds()) {
        let id = fixture.receive("mz.prm", number, &alert).await;
        let found = shown(&officer(&fixture), &same).await;
        let [duplicate] = found["found"].as_array().expect("a list").as_slice() else {
            panic!("{kind}: {found}")
        };
        assert_eq!(duplicate["case"], format!("alert/tz.tpf/{id}"), "{kind}");
        assert_eq!((&duplicate["owner"], &duplicate["same"][0]["kind"]), (&json!("tz.tpf"), &json!(kind)));
        assert_eq!(count(&officer(&fixture), &other).await, 0, "{kind}");
    }
}

#[tokio::test]
async fn a_release_that_states_no_reason_is_refused_by_both_routes() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let first = officer.issue(&plated("ABC 103 MP")).await;
    let again = plated("ABC-103-MP");
    let path = format!("/v1/drafts/{}", officer.create(&again).await.id());
    for refused in
        [officer.step(&format!("{path}/release")).await, officer.post("/v1/messages", &again).await]
    {
        let refused = refused.expect(409);
        assert_eq!(refused.code(), "duplicate_live");
        let found = refused.json["duplicates"]["found"].as_array().expect("a list");
        assert!(found.iter().any(|one| one["case"] == format!("alert/mz.prm/{first}")), "{found:?}");
    }
    assert_eq!(fixture.count("SELECT COUNT(DISTINCT id) FROM sent").await, 1);
    let refusals: Vec<Value> = fixture
        .audited("draft.release")
        .await
        .into_iter()
        .filter(|act| act["outcome"] == "refused")
        .collect();
    let reasons: Vec<_> =
        refusals.iter().map(|act| (&act["reason"], &act["details"]["duplicates"])).collect();
    // The second route also finds the draft of the first.
    assert_eq!(reasons, [(&json!("duplicate_live"), &json!("1")), (&json!("duplicate_live"), &json!("2"))]);

    for bad in [json!(""), json!("outro veículo"), json!("x".repeat(65)), json!("a\nb")] {
        let body = json!({ "despite_duplicates": bad });
        let refused = officer.post(&format!("{path}/release"), &body).await.expect(400);
        assert_eq!(refused.code(), "despite_duplicates", "{bad}");
    }
    for bad in [json!({ "despite": "x" }), json!([]), json!({ "despite_duplicates": 7 })] {
        assert_eq!(officer.post(&format!("{path}/release"), &bad).await.expect(422).code(), "body_faulty");
    }
    officer.post("/v1/messages?despite_duplicates=outro%20ve", &again).await.expect(400);
    officer.post("/v1/messages?despite=x", &again).await.expect(400);
    assert_eq!(fixture.count("SELECT COUNT(DISTINCT id) FROM sent").await, 1);
}

#[tokio::test]
async fn the_reason_for_a_release_is_audited_and_a_repeated_request_is_answered_again() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    officer.issue(&plated("ABC 103 MP")).await;
    let again = plated("ABC 103 MP");
    let path = format!("/v1/drafts/{}/release", officer.create(&again).await.id());
    let keyed = officer.with("Idempotency-Key", "first");
    keyed.step(&path).await.expect(409);
    // A refusal did nothing, so its key may be used again.
    let body = json!({ "despite_duplicates": "2026/EC-0412.other_vehicle" });
    let released = keyed.post(&path, &body).await.expect(200);
    assert_eq!(keyed.post(&path, &body).await.expect(200).json, released.json);
    assert_eq!(keyed.step(&path).await.expect(422).code(), "idempotency_conflict");
    let sent = officer.with("Idempotency-Key", "second").post(DESPITE, &again).await.expect(201);
    assert_eq!(
        officer.with("Idempotency-Key", "second").post(DESPITE, &again).await.expect(201).json,
        sent.json
    );
    assert_eq!(fixture.count("SELECT COUNT(DISTINCT id) FROM sent").await, 3);

    let details =
        |act: &Value| (act["details"]["despite_duplicates"].clone(), act["details"]["duplicates"].clone());
    let draft = (json!("2026/EC-0412.other_vehicle"), json!("1"));
    let released = fixture.audited("draft.release").await;
    assert_eq!(released.last().map(details), Some(draft.clone()));
    let sent = fixture.audited("message.send").await;
    let expected = [(json!(null), json!(null)), draft, (json!("other_vehicle"), json!("2"))];
    assert_eq!(sent.iter().map(details).collect::<Vec<_>>(), expected);
    // Nothing is wrong with a reason where there is no duplicate.
    officer.post(DESPITE, &plated("ABC 104 MP")).await.expect(201);
    assert_eq!(
        fixture.audited("message.send").await.last().map(details),
        Some((json!("other_vehicle"), json!("0")))
    );
}

#[tokio::test]
async fn a_second_person_states_the_reason() {
    let fixture = Fixture::start().await;
    release(&fixture, &person("João Mfano", 3)).await;
    let path = format!("/v1/drafts/{}", officer(&fixture).create(&person("Mfano João", 3)).await.id());
    officer(&fixture).step(&format!("{path}/submit")).await.expect(200);
    let refused = second_person(&fixture, &path, None).await.expect(409);
    assert_eq!(refused.code(), "duplicate_live");
    second_person(&fixture, &path, Some("twins")).await.expect(200);
    let act = fixture.audited("draft.release").await.pop().expect("an event");
    assert_eq!((&act["actor"], &act["details"]["despite_duplicates"]), (&json!("chief-1"), &json!("twins")));
    // Who may not release it learns nothing by trying.
    let author = officer(&fixture).post("/v1/messages", &person("João Mfano", 3)).await.expect(403);
    assert_eq!((author.code(), author.json.get("duplicates")), ("second_person", None));
}

#[tokio::test]
async fn of_two_releases_at_the_same_time_the_second_finds_the_first() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let (draft, path) = (plated("ABC 103 MP"), "/v1/messages");
    let (first, second) = tokio::join!(officer.post(path, &draft), officer.post(path, &draft));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}
