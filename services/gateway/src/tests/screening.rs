//! What a watchlist reads of the agency's alerts: those in force, what identifies their subjects, and nothing that they tell.

use std::{collections::BTreeSet, time::Duration};

use rovuma_policy::Role;
use rovuma_schemas::{CaseId, CaseSoFar};
use serde_json::{Value, json};

use super::support::{Client, Fixture, Reply, example, missing_person, motorcycle};

const PATH: &str = "/v1/screening/alerts";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Every field of an alert that a watchlist must not see says this.
const TOLD: &str = "Zebedeu conta";

fn watchlist(fixture: &Fixture) -> Client<'_> {
    fixture.machine("watchlist", "mz.prm", &["watchlist_service"])
}

fn officer(fixture: &Fixture) -> Client<'_> {
    fixture.person("officer-1", "mz.prm", &["liaison_officer"])
}

fn case_of(owner: &str, id: &str) -> CaseId {
    format!("alert/{owner}/{id}").parse().expect("a case")
}

/// A draft of this type that follows in a case.
fn follower(message_type: &str, case: &CaseId, body: Value) -> Value {
    let alert = motorcycle();
    let mut terms = alert["terms"].clone();
    terms["urgency"] = json!({ "level": "normal" });
    json!({ "type": message_type, "status": alert["status"], "case": case, "terms": terms, "body": body })
}

fn items(reply: Reply) -> Vec<Value> {
    reply.expect(200).json["items"].as_array().expect("items").clone()
}

impl Fixture {
    async fn in_force(&self) -> Vec<Value> {
        items(watchlist(self).get(PATH).await)
    }

    /// The one alert with this id.
    async fn screened(&self, case: &CaseId) -> Value {
        let mut found = items(watchlist(self).get(&format!("{PATH}?case={}", case.id)).await);
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

/// An alert of every kind of subject, which tells something wherever an alert can tell something.
fn everything() -> Value {
    let mut draft = missing_person();
    draft["terms"]["handling"] = json!({ "code": "H3", "restriction": TOLD });
    draft["terms"]["urgency"]["statement"] = json!(TOLD);
    draft["reference"] = json!("ZEBEDEU-1");
    let body = &mut draft["body"];
    body["circumstances"] = json!(TOLD);
    body["warnings"] = json!(["victim"]);
    body["decision"] = json!({ "reference": TOLD, "authority": TOLD, "date": "2025-03-14" });
    body["subjects"] = json!({
        "persons": [{
            "role": "missing", "minor": true, "sex": "F",
            "name": { "printed": "Exemplina João Imaginária", "surname": "Imaginária", "given": "Exemplina João" },
            "aliases": [{ "printed": "Lina" }, { "printed": "Exempla" }],
            "birth": { "precision": "month", "year": 2017, "month": 5 },
            "birth_place": TOLD, "nationalities": ["MOZ"], "height_cm": 125, "marks": [TOLD],
            "parents": { "father": TOLD, "mother": TOLD },
            "telephones": [{ "number": "+258840000303", "kind": "mobile" }],
            "warnings": ["victim", "suicide_risk"],
            "not_this_person": [{ "how_to_tell": TOLD, "name": TOLD }],
            "note": TOLD,
            "documents": [
                { "type": "bi_mz", "number": "110100123456B", "status": "valid", "office": TOLD, "note": TOLD },
                { "type": "passport", "mrz": [
                    "P<MOZEXEMPLO<<INVENTADA<MARIA<<<<<<<<<<<<<<<", "15EX000421MOZ9002155F2903312<<<<<<<<<<<<<<<6"
                ], "holder": { "printed": "Outra Pessoa" } }
            ]
        }],
        "documents": [
            { "type": "passport", "number": "MZ0000100", "number_to": "MZ0000149", "issuer": "MOZ",
              "status": "stolen_blank", "office": TOLD, "note": TOLD },
            { "type": "passport", "number": "15EX-00043", "issuer": "MOZ", "holder": { "printed": "Maria Exemplo" } }
        ],
        "vehicles": [
            { "type": "motorcycle", "plate": { "number": "AAA 000 CD", "country": "MOZ" }, "chassis_number": "MD2-417",
              "engine_number": "DUZ417", "make": "Bajaj", "model": "Boxer", "colour": "red", "year": 2023, "marks": TOLD },
            { "type": "car", "vin": "MD2A21EZ0EWA00000" }
        ],
        "firearms": [{ "type": "assault_rifle", "serial_number": "EX-000417", "make": "Izhmash", "marks": TOLD }],
        "vessels": [{ "type": "dhow", "name": "Boa Sorte", "colour": "blue", "home_port": TOLD, "marks": TOLD,
                      "engine": { "make": "Yamaha", "serial_number": "Y-417" } }],
        "objects": [
            { "type": "telephone", "serial_number": "35-209900-176148-1", "description": TOLD },
            { "type": "generator", "serial_number": "G 7", "make": "Honda", "model": "EU22", "description": TOLD }
        ],
        "places": [{ "type": "last_seen", "name": TOLD, "country": "MOZ" }]
    });
    draft
}

#[tokio::test]
async fn an_alert_is_shown_with_all_that_identifies_and_nothing_that_it_tells() {
    let fixture = Fixture::start().await;
    let id = fixture.receive("mz.prm", 1, &everything()).await;
    let reply = watchlist(&fixture).get(PATH).await.expect(200);
    assert_eq!(reply.headers["cache-control"], "no-store");
    let text = reply.json.to_string();
    for told in [TOLD, "ZEBEDEU", "+258840000303", "Outra Pessoa", "125", "2023"] {
        assert!(!text.contains(told), "{told}: {text}");
    }
    let found = items(reply).remove(0);
    let case = case_of("tz.tpf", &id);
    let shown = officer(&fixture).get(&format!("/v1/cases/{case}")).await.expect(200).json;
    let mut expected = json!({
        "case": case, "state": "active", "short_reference": shown["case"]["short_reference"], "status": "exercise", "version": 1,
        "handling": "H3", "category": "missing_person", "actions": ["locate", "protect"], "warnings": ["victim", "suicide_risk"],
        "ends": shown["alert"]["ends"],
        "subjects": [
            { "key": "p1", "kind": "person", "role": "missing", "names": ["Exemplina João Imaginária", "Lina", "Exempla"],
              "birth": "2017-05", "sex": "F", "identifiers": [
                { "kind": "document", "value": "110100123456B", "qualifier": "MOZ", "document_type": "bi_mz",
                  "document_status": "valid", "key": "d3" },
                { "kind": "document", "value": "15EX00042", "qualifier": "MOZ", "document_type": "passport", "key": "d4" }
              ] },
            { "key": "d1", "kind": "document", "names": [], "identifiers": [
                { "kind": "document_series", "value": "MZ0000100", "value_to": "MZ0000149", "qualifier": "MOZ",
                  "document_type": "passport", "document_status": "stolen_blank" }
              ] },
            { "key": "d2", "kind": "document", "names": ["Maria Exemplo"], "identifiers": [
                { "kind": "document", "value": "15EX-00043", "qualifier": "MOZ", "document_type": "passport" }
              ] },
            { "key": "v1", "kind": "vehicle", "names": [], "vehicle_type": "motorcycle", "make": "Bajaj", "model": "Boxer",
              "colour": "red", "identifiers": [
                { "kind": "plate", "value": "AAA 000 CD", "qualifier": "MOZ" },
                { "kind": "chassis_number", "value": "MD2-417" },
                { "kind": "engine_number", "value": "DUZ417" }
              ] },
            { "key": "v2", "kind": "vehicle", "names": [], "vehicle_type": "car", "identifiers": [
                { "kind": "vin", "value": "MD2A21EZ0EWA00000" }
              ] },
            { "key": "f1", "kind": "firearm", "names": [], "make": "Izhmash", "identifiers": [
                { "kind": "firearm_serial", "value": "EX-000417" }
              ] },
            { "key": "s1", "kind": "vessel", "names": ["Boa Sorte"], "make": "Yamaha", "colour": "blue", "identifiers": [
                { "kind": "engine_number", "value": "Y-417" }
              ] },
            { "key": "o1", "kind": "object", "names": [], "identifiers": [
                { "kind": "imei", "value": "35-209900-176148-1" }
              ] },
            { "key": "o2", "kind": "object", "names": [], "make": "Honda", "model": "EU22", "identifiers": [
                { "kind": "object_serial", "value": "G 7" }
              ] }
        ]
    });
    assert_eq!(found, expected);
    // One that our agency issued looks the same. The last opened comes first.
    fixture.clock.advance(Duration::from_secs(1));
    let mut alert = motorcycle();
    alert["recipients"] = json!(["tz.tpf"]);
    let issued = officer(&fixture).issue(&alert).await;
    let own = fixture.in_force().await.remove(0);
    assert_eq!(own["case"], json!(case_of("mz.prm", &issued)));
    let plate = &alert["body"]["subjects"]["vehicles"][0]["plate"]["number"];
    assert_eq!(
        own["subjects"][0]["identifiers"][0],
        json!({ "kind": "plate", "value": plate, "qualifier": "MOZ" })
    );
    assert_eq!(own["subjects"].as_array().map(Vec::len), Some(1), "a place is nothing to screen for: {own}");
    // The answer's type reads it all.
    expected["flagged_reason"] = json!("own_proceedings");
    let read: rovuma_api::answers::gateway::ScreenedAlert =
        serde_json::from_value(expected.clone()).expect("reads");
    assert_eq!(json!(read), expected);
}

#[tokio::test]
async fn the_content_is_that_of_the_version_in_force() {
    let fixture = Fixture::start().await;
    let (alert, content) = fixture.wanted().await;
    let second = |plate: &str| {
        let mut body = content["body"].clone();
        let subjects = &mut body["subjects"];
        subjects["vehicles"][0]["key"] = json!("v1");
        subjects["vehicles"][0]["plate"]["number"] = json!(plate);
        subjects["places"][0]["key"] = json!("l1");
        follower("alert.update", &alert, json!({ "alert": body }))
    };
    let plate = |found: &Value| found["subjects"][0]["identifiers"][0]["value"].clone();
    // The third version comes before the second: the second then changes nothing.
    let so_far = |version| CaseSoFar { version, ..CaseSoFar::default() };
    let id = fixture.says("tz.tpf", &second("CCC 333 MC"), &alert, (3, 0), &so_far(2)).await;
    let third = fixture.screened(&alert).await;
    assert_eq!((&third["version"], plate(&third)), (&json!(3), json!("CCC 333 MC")));
    fixture.says("tz.tpf", &second("BBB 222 MC"), &alert, (2, 0), &so_far(1)).await;
    let still = fixture.screened(&alert).await;
    assert_eq!((&still["version"], plate(&still)), (&json!(3), json!("CCC 333 MC")));
    assert_eq!(fixture.in_force().await, [still]);
    // Somebody else who uses the id of the version in force does not change what it says.
    fixture.receive_under(&id.to_string(), "tz.tisd", "mz.prm", &motorcycle()).await;
    assert_eq!(plate(&fixture.screened(&alert).await), json!("CCC 333 MC"));
}

#[tokio::test]
async fn a_withdrawn_alert_is_named_by_its_id_alone_and_says_nothing() {
    let fixture = Fixture::start().await;
    let (alert, content) = fixture.wanted().await;
    assert_eq!(fixture.in_force().await.len(), 1);
    let withdraw = follower("alert.withdraw", &alert, json!({ "reason": "purpose_achieved" }));
    fixture.says("tz.tpf", &withdraw, &alert, (2, 0), &CaseSoFar::default()).await;
    assert_eq!(fixture.in_force().await, [Value::Null; 0]);
    let found = fixture.screened(&alert).await;
    assert_eq!((&found["state"], &found["version"]), (&json!("withdrawn"), &json!(1)));
    for list in ["subjects", "actions", "warnings"] {
        assert_eq!(found[list], json!([]), "{list}");
    }
    let plate = content["body"]["subjects"]["vehicles"][0]["plate"]["number"].as_str().expect("a plate");
    assert!(!found.to_string().contains(plate), "{found}");
}

/// No job has run: an alert is what it is at this instant.
#[tokio::test]
async fn an_alert_is_suspended_and_expires_by_time_alone() {
    let fixture = Fixture::start().await;
    let mut draft = missing_person();
    draft["terms"]["emergency"] = json!({ "reason": "A criança foi vista a embarcar agora." });
    draft["body"]["validity"] = json!({ "until": "2026-11-28T18:00:00Z" });
    let id = officer(&fixture).post("/v1/messages", &draft).await.expect(201).id();
    let case = case_of("mz.prm", &id);
    let active = fixture.in_force().await.remove(0);
    assert_eq!((&active["state"], &active["confirm_by"]), (&json!("active"), &json!("2026-11-24T06:00:00Z")));
    assert_eq!(active["ends"], "2026-11-28T18:00:00Z");
    fixture.clock.advance(DAY);
    let suspended = fixture.in_force().await.remove(0);
    assert_eq!(suspended["state"], "suspended");
    assert_eq!(suspended["subjects"], active["subjects"]);
    fixture.clock.advance(DAY * 5);
    assert_eq!(fixture.in_force().await, [Value::Null; 0]);
    let expired = fixture.screened(&case).await;
    assert_eq!((&expired["state"], &expired["subjects"]), (&json!("expired"), &json!([])));
}

#[tokio::test]
async fn an_alert_that_is_not_executed_here_says_why() {
    let fixture = Fixture::start().await;
    let (alert, _) = fixture.wanted().await;
    assert_eq!(fixture.screened(&alert).await.get("flagged_reason"), None);
    let flag = |reason: &str| {
        let body = json!({ "flag": "on", "version": 1, "reason": reason, "instead": "inform_only" });
        follower("alert.flag", &alert, body)
    };
    officer(&fixture).post("/v1/messages", &flag("own_proceedings")).await.expect(201);
    assert_eq!(fixture.screened(&alert).await["flagged_reason"], "own_proceedings");
    officer(&fixture).post("/v1/messages", &flag("national_law")).await.expect(201);
    let found = fixture.screened(&alert).await;
    assert_eq!((&found["flagged_reason"], &found["state"]), (&json!("national_law"), &json!("active")));
    let off = follower("alert.flag", &alert, json!({ "flag": "off", "version": 1 }));
    officer(&fixture).post("/v1/messages", &off).await.expect(201);
    assert_eq!(fixture.screened(&alert).await.get("flagged_reason"), None);
    // The other country's mark on our alert is no reason here.
    let mut own = motorcycle();
    own["recipients"] = json!(["tz.tpf"]);
    let own = case_of("mz.prm", &officer(&fixture).issue(&own).await);
    let abroad = json!({ "flag": "on", "version": 1, "reason": "national_law", "instead": "inform_only" });
    fixture.says("tz.tpf", &follower("alert.flag", &own, abroad), &own, (1, 1), &CaseSoFar::default()).await;
    assert_eq!(fixture.screened(&own).await.get("flagged_reason"), None);
}

#[tokio::test]
async fn what_another_agency_of_the_node_has_is_not_in_the_list() {
    let fixture = Fixture::start().await;
    let id = fixture.receive("mz.senami", 1, &motorcycle()).await;
    assert_eq!(fixture.in_force().await, [Value::Null; 0]);
    assert_eq!(items(watchlist(&fixture).get(&format!("{PATH}?case={id}")).await), [Value::Null; 0]);
    let theirs = fixture.machine("watchlist-2", "mz.senami", &["watchlist_service"]);
    assert_eq!(items(theirs.get(PATH).await).len(), 1);
}

/// Owners draw the ids: two may have used one.
#[tokio::test]
async fn every_owner_of_an_id_is_named() {
    let fixture = Fixture::start().await;
    let (alert, _) = fixture.wanted().await;
    fixture.receive_under(&alert.id.to_string(), "tz.tisd", "mz.prm", &motorcycle()).await;
    let machine = watchlist(&fixture);
    let path = format!("{PATH}?case={}", alert.id);
    let owners = |found: &[Value]| -> Vec<String> {
        found.iter().map(|one| one["case"]["owner"].as_str().expect("an owner").to_owned()).collect()
    };
    assert_eq!(owners(&items(machine.get(&path).await)), ["tz.tpf", "tz.tisd"]);
    assert_eq!(owners(&walk(&machine, &format!("{path}&limit=1")).await), ["tz.tpf", "tz.tisd"]);
    // Opened at one instant under one id, they are still two rows of the list.
    assert_eq!(walk(&machine, &format!("{PATH}?limit=1")).await.len(), 2);
}

/// Every alert, read page by page.
async fn walk(machine: &Client<'_>, path: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = machine.get(&format!("{path}{cursor}")).await.expect(200);
        let next = page.json["next"].as_str().map(str::to_owned);
        found.extend(items(page));
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn pages_of_many_alerts_have_each_once() {
    let fixture = Fixture::start().await;
    let mut there = BTreeSet::new();
    for number in 1..=250 {
        there.insert(fixture.receive("mz.prm", number, &motorcycle()).await);
    }
    let machine = watchlist(&fixture);
    for limit in [50, 200] {
        let found = walk(&machine, &format!("{PATH}?limit={limit}")).await;
        let ids: Vec<&str> = found.iter().map(|one| one["case"]["id"].as_str().expect("an id")).collect();
        assert_eq!(ids.len(), 250, "limit {limit}");
        assert_eq!(ids.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), there);
    }
    for bad in ["limit=0", "limit=201", "cursor=AAAA", "case=x", "state=active"] {
        machine.get(&format!("{PATH}?{bad}")).await.expect(400);
    }
    // A cursor belongs to its list and its filter.
    let cursor = machine.get(&format!("{PATH}?limit=1")).await.expect(200).json["next"].clone();
    let other =
        format!("{PATH}?case={}&cursor={}", there.first().expect("one"), cursor.as_str().expect("a cursor"));
    machine.get(&other).await.expect(400);
}

/// A page of large alerts has fewer rows than were asked for, and leads on.
#[tokio::test]
async fn a_page_is_bounded_in_bytes() {
    let fixture = Fixture::start().await;
    for number in 1..=8 {
        let mut large = example("alert-stolen-passports");
        let documents: Vec<Value> = (0..60)
            .map(|index| {
                let note = "x".repeat(3_000);
                json!({ "type": "passport", "number": format!("MZ{number}{index:05}"), "issuer": "MOZ", "status": "stolen", "note": note })
            })
            .collect();
        large["body"]["subjects"]["documents"] = json!(documents);
        fixture.receive("mz.prm", number, &large).await;
    }
    let machine = watchlist(&fixture);
    let first = machine.get(&format!("{PATH}?limit=200")).await.expect(200);
    let length = first.json["items"].as_array().map_or(0, Vec::len);
    assert!((1..8).contains(&length) && first.json["next"].is_string(), "{length}");
    assert_eq!(walk(&machine, &format!("{PATH}?limit=200")).await.len(), 8);
}

#[tokio::test]
async fn only_the_watchlist_reads_it_and_each_read_is_audited() {
    let fixture = Fixture::start().await;
    let (alert, _) = fixture.wanted().await;
    for role in Role::ALL.into_iter().filter(|role| *role != Role::WatchlistService) {
        let (name, word) = (format!("reader-{role}"), role.to_string());
        let reader = match role.is_for_machines() {
            true => fixture.machine(&name, "mz.prm", &[&word]),
            false => fixture.person(&name, "mz.prm", &[&word]),
        };
        for path in [PATH.to_owned(), format!("{PATH}?case={}", alert.id)] {
            let code = reader.get(&path).await.expect(403).code().to_owned();
            assert!(["role", "separation"].contains(&code.as_str()), "{role}: {code}");
        }
    }
    // A person does not become the watchlist by holding its role.
    let person = fixture.person("officer-7", "mz.prm", &["watchlist_service"]);
    assert_eq!(person.get(PATH).await.expect(403).code(), "role_kind");
    assert_eq!(fixture.audited("screening.read").await, [Value::Null; 0]);
    fixture.in_force().await;
    fixture.screened(&alert).await;
    let read = fixture.audited("screening.read").await;
    assert_eq!(read.len(), 2, "{read:?}");
    assert_eq!(read[0]["details"]["hits"], "1", "{}", read[0]);
    assert_eq!(read[1]["details"]["filter.case"], json!(alert.id), "{}", read[1]);
}

/// It hears of every change of an alert, and reads that alert.
#[tokio::test]
async fn the_watchlist_follows_the_events() {
    let fixture = Fixture::start().await;
    let (alert, _) = fixture.wanted().await;
    let events = watchlist(&fixture).get("/v1/events").await.expect(200).json;
    let items = events["items"].as_array().expect("events");
    let changed = items.iter().find(|event| event["event"] == "case.changed").expect("the case changed");
    assert_eq!(changed["object"], json!(alert.id));
    assert_eq!(fixture.screened(&alert).await["state"], "active");
    let live = watchlist(&fixture).request(reqwest::Method::GET, "/v1/events/live").send().await;
    assert_eq!(live.expect("an answer").status(), 200);
}
