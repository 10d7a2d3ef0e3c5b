//! What counts as a duplicate, and for how long.

use super::*;

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
