//! Duplicates: what is live already about the same person or thing is shown to an author, and keeps a release back that states no
//! reason.

use std::{sync::Arc, time::Duration};

use rovuma_envelope::Origin;
use rovuma_schemas::{CaseId, MessageId};
use rovuma_store::FutureExt;
use serde_json::{Value, json};

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

fn withdrawal(id: &str, owner: &str) -> Value {
    let mut draft = example("alert-withdraw");
    draft["case"] = json!({ "kind": "alert", "owner": owner, "id": id });
    draft
}

#[tokio::test]
async fn what_is_withdrawn_is_no_duplicate() {
    let fixture = Fixture::start().await;
    let (own, received) = (plated("ABC 103 MP"), plated("ABC 104 MP"));
    let id = officer(&fixture).issue(&own).await;
    let theirs = fixture.receive("mz.prm", 1, &received).await;
    assert_eq!((count(&officer(&fixture), &own).await, count(&officer(&fixture), &received).await), (1, 1));

    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    supervisor.post("/v1/messages", &withdrawal(&id, "mz.prm")).await.expect(201);
    let (now, case) = (fixture.gateway.base.now(), theirs.parse::<MessageId>().expect("an id"));
    let withdrawn = withdrawal(&theirs, "tz.tpf");
    let jws =
        fixture.tz.alert_with(MessageId::draw(now), ("tz.tpf", "mz.prm", 2), &withdrawn, now, |header| {
            header.case = Some(CaseId { kind: "alert".to_owned(), owner: agency("tz.tpf"), id: case });
            header.turn = Some(2);
        });
    fixture.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), jws).await;
    assert_eq!((count(&officer(&fixture), &own).await, count(&officer(&fixture), &received).await), (0, 0));
    officer(&fixture).issue(&own).await;
}

#[tokio::test]
async fn what_has_expired_is_no_duplicate() {
    let fixture = Fixture::start().await;
    let mut own = plated("ABC 103 MP");
    own["body"]["validity"] = json!({ "until": "2026-11-23T20:00:00Z" });
    let mut received = plated("ABC 104 MP");
    received["body"]["validity"] = json!({ "until": "2026-11-23T20:00:00Z" });
    officer(&fixture).issue(&own).await;
    fixture.receive("mz.prm", 1, &received).await;
    let again = |plate: &str| plated(plate);
    assert_eq!(count(&officer(&fixture), &again("ABC 103 MP")).await, 1);
    assert_eq!(count(&officer(&fixture), &again("ABC 104 MP")).await, 1);
    fixture.clock.advance(Duration::from_secs(2 * 60 * 60));
    assert_eq!(count(&officer(&fixture), &again("ABC 103 MP")).await, 0);
    assert_eq!(count(&officer(&fixture), &again("ABC 104 MP")).await, 0);
}

/// Nobody acts on it until it is confirmed, but it may be at any moment.
#[tokio::test]
async fn what_is_suspended_is_a_duplicate() {
    let fixture = Fixture::start().await;
    let mut draft = person("João Mfano", 3);
    draft["terms"]["emergency"] = json!({ "reason": "Ameonekana mpakani." });
    officer(&fixture).issue(&draft).await;
    fixture.clock.advance(Duration::from_secs(13 * 60 * 60));
    let found = shown(&officer(&fixture), &person("João Mfano", 3)).await;
    assert_eq!(found["found"][0]["state"], "suspended", "{found}");
}

#[tokio::test]
async fn an_exercise_is_no_duplicate_of_what_is_in_earnest() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    for (at, status) in ["actual", "exercise", "test"].into_iter().enumerate() {
        let mut draft = plated("ABC 103 MP");
        draft["status"] = json!(status);
        assert_eq!(count(&officer, &draft).await, 0, "{status}");
        officer.post("/v1/messages", &draft).await.expect(201);
        officer.create(&draft).await;
        assert_eq!(count(&officer, &draft).await, 2, "{status}");
        fixture.receive("mz.prm", at as u64 + 1, &draft).await;
        assert_eq!(count(&officer, &draft).await, 3, "{status}");
    }
    let mut unsaid = plated("ABC 103 MP");
    unsaid.as_object_mut().expect("a draft").remove("status");
    assert_eq!(count(&officer, &unsaid).await, 0, "it says not yet what it is");
}

#[tokio::test]
async fn what_another_agency_has_is_not_shown() {
    let fixture = Fixture::start().await;
    let other = fixture.person("officer-9", "mz.senami", &["liaison_officer"]);
    other.issue(&plated("ABC 103 MP")).await;
    other.create(&plated("ABC 104 MP")).await;
    fixture.receive("mz.senami", 1, &plated("ABC 105 MP")).await;
    for plate in ["ABC 103 MP", "ABC 104 MP", "ABC 105 MP"] {
        assert_eq!(count(&other, &plated(plate)).await, 1, "{plate}");
        let found = shown(&officer(&fixture), &plated(plate)).await;
        assert_eq!(found, json!({ "found": [], "hidden": 0, "are_more": false }), "{plate}");
        officer(&fixture).post("/v1/messages", &plated(plate)).await.expect(201);
    }
}

/// A machine client sees its own drafts only.
#[tokio::test]
async fn who_may_not_see_a_duplicate_is_told_only_that_there_is_one() {
    let fixture = Fixture::start().await;
    let machine = fixture.machine("prm-system", "mz.prm", &["agency_system"]);
    officer(&fixture).create(&plated("ABC 103 MP")).await;
    let expected = json!({ "found": [], "hidden": 1, "are_more": false });
    assert_eq!(shown(&machine, &plated("ABC 103 MP")).await, expected);
    let refused = machine.post("/v1/messages", &plated("ABC 103 MP")).await.expect(409);
    assert_eq!((refused.code(), &refused.json["duplicates"]), ("duplicate_live", &expected));
    machine.create(&plated("ABC 103 MP")).await;
    let found = shown(&machine, &plated("ABC 103 MP")).await;
    assert_eq!((found["found"].as_array().map(Vec::len), &found["hidden"]), (Some(1), &json!(1)));
    machine.post(DESPITE, &plated("ABC 103 MP")).await.expect(201);
}

#[tokio::test]
async fn a_draft_is_a_duplicate_as_it_is_now_and_while_it_is_open() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let (old, new) = (plated("ABC 103 MP"), plated("ABC 104 MP"));
    let created = officer.create(&old).await;
    let path = format!("/v1/drafts/{}", created.id());
    officer.with("If-Match", "\"1\"").put(&path, &new).await.expect(200);
    assert_eq!((count(&officer, &old).await, count(&officer, &new).await), (0, 1));
    officer.step(&format!("{path}/submit")).await.expect(200);
    assert_eq!(shown(&officer, &new).await["found"][0]["state"], "pending_release");
    officer.send(reqwest::Method::DELETE, &path, None).await.expect(200);
    assert_eq!(count(&officer, &new).await, 0);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft_identifier").await, 0);
    // Once released it is a case, and there once.
    let id = officer.issue(&new).await;
    let found = shown(&officer, &new).await;
    assert_eq!(found["found"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["found"][0]["case"], format!("alert/mz.prm/{id}"));
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft_identifier").await, 0);
    let released = officer.get(&format!("/v1/drafts/{id}")).await.expect(200);
    assert_eq!(released.json.get("duplicates"), None, "it is a message");
}

/// Its author has not chosen its recipients yet, nor much else.
#[tokio::test]
async fn an_incomplete_draft_is_compared_as_far_as_it_goes() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    officer.issue(&plated("ABC 103 MP")).await;
    let subjects = json!({ "vehicles": [{ "plate": { "number": "abc 103 mp", "country": "MOZ" } }, 7] });
    let begun = json!({ "type": "alert.issue", "status": "exercise", "body": { "subjects": subjects, "category": 9 } });
    assert_eq!(count(&officer, &begun).await, 1);
}

/// The whole content of an alert, with these plates.
fn update(id: &str, plates: &[(Option<&str>, &str)]) -> Value {
    let mut draft = example("alert-update");
    draft["case"] = json!({ "kind": "alert", "owner": "mz.prm", "id": id });
    draft.as_object_mut().expect("a draft").remove("in_reply_to");
    let vehicles = plates.iter().map(|(key, plate)| {
        let plate = json!({ "number": plate, "country": "MOZ" });
        let mut vehicle = json!({ "type": "motorcycle", "plate": plate });
        if let Some(key) = key {
            vehicle["key"] = json!(key);
        }
        vehicle
    });
    draft["body"]["alert"]["subjects"] = json!({ "vehicles": vehicles.collect::<Vec<_>>() });
    draft
}

#[tokio::test]
async fn an_update_is_compared_by_what_it_adds_and_the_version_in_force_counts() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let id = officer.issue(&plated("ABC 103 MP")).await;
    let elsewhere = officer.issue(&plated("ABC 200 MP")).await;
    // What the alert says already is no duplicate of it, nor of itself elsewhere.
    officer.post(DESPITE, &plated("ABC 103 MP")).await.expect(201);
    officer.post("/v1/messages", &update(&id, &[(Some("v1"), "ABC 103 MP")])).await.expect(201);
    let added = update(&id, &[(Some("v1"), "ABC 103 MP"), (None, "ABC 200 MP")]);
    let refused = officer.post("/v1/messages", &added).await.expect(409);
    let found = refused.json["duplicates"]["found"].as_array().expect("a list");
    assert_eq!(
        found.iter().map(|one| &one["case"]).collect::<Vec<_>>(),
        [&json!(format!("alert/mz.prm/{elsewhere}"))]
    );
    assert_eq!(found[0]["same"][0]["pointer"], "/body/alert/subjects/vehicles/1");
    // A plate that was put right is one that the alert did not have.
    let other_plate = officer.post("/v1/messages", &update(&id, &[(Some("v1"), "ABC 200 MP")])).await;
    assert_eq!(other_plate.expect(409).code(), "duplicate_live");
    officer.post("/v1/messages", &update(&id, &[(Some("v1"), "ABC 300 MP")])).await.expect(201);
    assert_eq!(count(&officer, &plated("ABC 300 MP")).await, 1);
    assert_eq!(count(&officer, &plated("ABC 103 MP")).await, 1, "the other alert with that plate is left");
    // What brings no content is not compared.
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    supervisor.post("/v1/messages", &withdrawal(&id, "mz.prm")).await.expect(201);
}

#[tokio::test]
async fn what_a_case_is_about_is_erased_with_it() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    let id = officer.issue(&motorcycle()).await;
    let kept = officer.issue(&plated("ABC 103 MP")).await;
    let rows = "SELECT COUNT(*) FROM case_identifier";
    assert_eq!(fixture.count(rows).await, 4);
    let case = CaseId { kind: "alert".to_owned(), owner: agency("mz.prm"), id: id.parse().expect("an id") };
    let key = cases::kept::CaseKey::new(&agency("mz.prm"), &case);
    let (gateway, now) = (Arc::clone(&fixture.gateway), fixture.gateway.base.now());
    let erased = fixture.gateway.base.store.write(move |tx| {
        async move {
            cases::identifiers::forget(tx, &key).await?;
            // Folding the case again does not bring them back.
            cases::project::again(tx, &gateway.base, &key, now).await
        }
        .boxed()
    });
    erased.await.expect("erased");
    assert_eq!(fixture.count(rows).await, 1);
    let found = shown(&officer, &plated("ABC 103 MP")).await;
    assert_eq!(found["found"][0]["case"], format!("alert/mz.prm/{kept}"));
}

#[tokio::test]
async fn there_is_an_end_to_what_one_draft_is_shown() {
    let fixture = Fixture::start().await;
    let officer = officer(&fixture);
    for _ in 0..101 {
        officer.post(DESPITE, &plated("ABC 103 MP")).await.expect(201);
    }
    let found = shown(&officer, &plated("ABC 103 MP")).await;
    assert_eq!((found["found"].as_array().map(Vec::len), &found["are_more"]), (Some(100), &json!(true)));
}
