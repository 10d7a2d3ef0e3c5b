//! What another agency sent under a handling code is handed on only with its leave.

use rovuma_envelope::Origin;
use rovuma_schemas::MessageId;

use super::*;
use crate::tests::support::agency;

/// Information about a vehicle with this plate and frame number, to `to`.
fn about(vehicle: &Value, to: &str) -> Value {
    let mut share = example("info-share");
    share["recipients"] = json!([to]);
    let body = share["body"].as_object_mut().expect("a body");
    body.remove("person_link");
    body.insert("subjects".to_owned(), json!({ "vehicles": [vehicle] }));
    if let Some(terms) = share["terms"].as_object_mut() {
        terms.remove("protection_check");
    }
    share
}

/// What is known from a message under H2 alone goes back to its sender, and to others with leave that names them.
#[tokio::test]
async fn what_another_agency_sent_under_h2_is_handed_on_only_with_leave() {
    // Nobody acknowledges audit events here, for five days.
    let fixture = Fixture::start_with(|config, _| config.audit.overdue_after_ms = 10 * DAY_MS).await;
    let officer = || fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let alert = under("H2");
    let vehicle = alert["body"]["subjects"]["vehicles"][0].clone();
    let id = fixture.receive("mz.prm", 1, &alert).await;
    let refused = officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(403);
    assert_eq!(refused.code(), "handling_breach");
    let detail = refused.json["detail"].as_str().expect("a sentence");
    assert!(detail.contains("tz.tpf") && detail.contains(&format!("alert/tz.tpf/{id}")), "{detail}");
    let refusals = fixture.audited("draft.release").await;
    let last = refusals.last().expect("an event");
    assert_eq!((&last["outcome"], &last["reason"]), (&json!("refused"), &json!("handling_breach")));
    officer().post("/v1/messages", &about(&vehicle, "tz.tpf")).await.expect(201);
    // Our own words to its sender do not make it ours.
    officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(403);

    // One of its numbers is enough.
    let mut frame_only = vehicle.clone();
    frame_only
        .as_object_mut()
        .expect("a vehicle")
        .retain(|name, _| name == "type" || name == "chassis_number");
    assert_eq!(
        officer().post("/v1/messages", &about(&frame_only, "tz.tisd")).await.expect(403).code(),
        "handling_breach"
    );
    // Leave to export, or to forward to somebody else, is no leave for this.
    let last_day = Date::of(fixture.gateway.base.now()).plus_days(3);
    let ask = async |uses: Value, to: Value| {
        let mut ask = example("permission-ask");
        ask["body"]["about"] = json!({ "case": { "kind": "alert", "owner": "tz.tpf", "id": id } });
        ask["body"]["uses"] = uses;
        ask["body"]["to"] = to;
        let asked = officer().post("/v1/messages", &ask).await.expect(201).id();
        fixture.tpf_decides(&asked, last_day).await;
    };
    for (uses, to, code) in [
        (json!(["export"]), json!([]), 403),
        (json!(["forward"]), json!(["tz.dci"]), 403),
        (json!(["quote"]), json!(["tz.tisd"]), 201),
    ] {
        ask(uses, to).await;
        officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(code);
    }
    // And it lapses.
    fixture.clock.advance(Duration::from_secs(5 * 24 * 60 * 60));
    officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(403);
}

#[tokio::test]
async fn what_an_answer_says_under_h2_is_kept_back_too() {
    let fixture = Fixture::start().await;
    let officer = || fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut request = example("request-vehicle");
    let body = request["body"].as_object_mut().expect("a body");
    for member in ["needed_by", "related", "group"] {
        body.remove(member);
    }
    let asked = officer().post("/v1/messages", &request).await.expect(201).id();
    let case: CaseId = format!("request/mz.prm/{asked}").parse().expect("a case");
    let mut answer = example("request-answer-partial");
    answer["case"] = json!(case);
    answer["terms"]["handling"] = handling("H2");
    let found = &mut answer["body"]["answers"][0]["data"]["vehicles"][0];
    found["engine_number"] = json!("DUZANSWER00001");
    let mut known = found.clone();
    let so_far = CaseSoFar {
        questions: [1, 2, 3, 4].into(),
        open_questions: [1, 2, 3, 4].into(),
        ..CaseSoFar::default()
    };
    fixture.clock.advance(Duration::from_secs(1));
    fixture.says("tz.tpf", &answer, &case, (1, 1), &so_far).await;
    // The engine's number is the answer's alone; plate and frame number were in our own question.
    let refused = officer().post("/v1/messages", &about(&known, "tz.tisd")).await.expect(403);
    assert_eq!(refused.code(), "handling_breach");
    known.as_object_mut().expect("a vehicle").remove("engine_number");
    officer().post("/v1/messages", &about(&known, "tz.tisd")).await.expect(201);
}

#[tokio::test]
async fn what_our_agency_knows_from_elsewhere_needs_no_leave() {
    let fixture = Fixture::start().await;
    let officer = || fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    // We issued an alert about it ourselves; or a third agency sent it for police use.
    let own = motorcycle();
    officer().post("/v1/messages", &own).await.expect(201);
    fixture.clock.advance(Duration::from_secs(1));
    let mut restricted = own.clone();
    restricted["terms"]["handling"] = handling("H2");
    fixture.receive("mz.prm", 1, &restricted).await;
    let vehicle = &own["body"]["subjects"]["vehicles"][0];
    officer().post("/v1/messages", &about(vehicle, "tz.tisd")).await.expect(201);

    let free = under("H1");
    let mut kept = free.clone();
    kept["terms"]["handling"] = handling("H3");
    fixture.receive("mz.prm", 2, &kept).await;
    let vehicle = free["body"]["subjects"]["vehicles"][0].clone();
    officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(403);
    fixture.receive("mz.prm", 3, &free).await;
    officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(201);
}

/// What our agency adds to an alert of its own once it knows it from another's restricted message, it has from there.
#[tokio::test]
async fn a_later_version_of_our_own_alert_frees_nothing() {
    let fixture = Fixture::start().await;
    let officer = || fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut own = motorcycle();
    own["recipients"] = json!(["tz.tpf"]);
    let id = officer().post("/v1/messages", &own).await.expect(201).id();
    fixture.clock.advance(Duration::from_secs(1));
    let restricted = under("H2");
    fixture.receive("mz.prm", 1, &restricted).await;
    let vehicle = restricted["body"]["subjects"]["vehicles"][0].clone();
    own["body"]["subjects"]["vehicles"][0] = vehicle.clone();
    // The agency that sent it hears it again.
    let despite = "/v1/messages?despite_duplicates=other_vehicle";
    officer().post(despite, &update(&id, &own, "H0")).await.expect(201);
    let refused = officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(403);
    assert_eq!(refused.code(), "handling_breach");
}

/// Only the same thing is known from elsewhere: not one of another country with the same plate.
#[tokio::test]
async fn a_namesake_frees_nothing() {
    let fixture = Fixture::start().await;
    let officer = || fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let restricted = under("H2");
    let plate = &restricted["body"]["subjects"]["vehicles"][0]["plate"];
    let mut own = motorcycle();
    let country = if plate["country"] == "MOZ" { "TZA" } else { "MOZ" };
    own["body"]["subjects"]["vehicles"][0]["plate"] =
        json!({ "number": plate["number"], "country": country });
    officer().post("/v1/messages", &own).await.expect(201);
    fixture.clock.advance(Duration::from_secs(1));
    fixture.receive("mz.prm", 1, &restricted).await;
    let mut vehicle = restricted["body"]["subjects"]["vehicles"][0].clone();
    for other in ["vin", "chassis_number", "engine_number"] {
        vehicle.as_object_mut().expect("a vehicle").remove(other);
    }
    let refused = officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(403);
    assert_eq!(refused.code(), "handling_breach");
}

/// Two agencies told us of the same vehicle: each may be told what it told us itself, and nobody else.
#[tokio::test]
async fn who_told_us_may_be_told() {
    let fixture = Fixture::start().await;
    let officer = || fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let restricted = under("H2");
    let id = fixture.receive("mz.prm", 1, &restricted).await;
    fixture.receive_under(&id, "tz.tisd", "mz.prm", &restricted).await;
    let vehicle = restricted["body"]["subjects"]["vehicles"][0].clone();
    for told in ["tz.tpf", "tz.tisd"] {
        officer().post("/v1/messages", &about(&vehicle, told)).await.expect(201);
    }
    let mut both = about(&vehicle, "tz.tpf");
    both["recipients"] = json!(["tz.tpf", "tz.tisd"]);
    let refused = officer().post("/v1/messages", &both).await.expect(403);
    assert_eq!(refused.code(), "handling_breach");
}

/// A partner sends more than is looked through: that is no way round.
#[tokio::test]
async fn what_is_too_much_to_look_through_is_not_handed_on() {
    let fixture = Fixture::start().await;
    let officer = || fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let restricted = under("H2");
    for number in 1..=65 {
        fixture.receive("mz.prm", number, &restricted).await;
    }
    let vehicle = restricted["body"]["subjects"]["vehicles"][0].clone();
    let refused = officer().post("/v1/messages", &about(&vehicle, "tz.tisd")).await.expect(403);
    assert_eq!(refused.code(), "handling_breach");
    officer().post("/v1/messages", &about(&vehicle, "tz.tpf")).await.expect(201);
}

/// A sender chooses the ids of its messages: whoever uses another's, in the other's case, hides nothing that the other sent.
#[tokio::test]
async fn nobody_hides_a_mention_behind_its_id() {
    let fixture = Fixture::start().await;
    let (restricted, now) = (under("H2"), fixture.gateway.base.now());
    let id = MessageId::draw(now);
    let case: CaseId = format!("alert/tz.tpf/{id}").parse().expect("a case");
    let origin = Origin::Ingress(agency("tz.tpf").country());
    let mut other = update(&id.to_string(), &restricted, "H2");
    other["case"] = json!(case);
    let so_far = CaseSoFar { version: 1, ..CaseSoFar::default() };
    let route = ("tz.tisd", "mz.prm", 1);
    let hiding = fixture.tz.message_with(id, route, &other, now, &so_far, |header| {
        (header.case, header.turn) = (Some(case.clone()), Some(1));
    });
    fixture.deliver("mz.prm", origin, hiding).await;
    fixture.receive_under(&id.to_string(), "tz.tpf", "mz.prm", &restricted).await;
    let mentioned = "SELECT COUNT(DISTINCT sender) FROM mentioned_identifier";
    assert_eq!(fixture.count(mentioned).await, 2);
}

/// Whoever knows it from another source says which, and a second person answers for it.
#[tokio::test]
async fn another_source_is_stated_by_a_second_person() {
    let fixture = Fixture::start().await;
    let alert = under("H2");
    let vehicle = alert["body"]["subjects"]["vehicles"][0].clone();
    fixture.receive("mz.prm", 1, &alert).await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let stated = json!({ "own_source": "PRM-2026/0419" });
    let path = format!("/v1/drafts/{}", officer.create(&about(&vehicle, "tz.tisd")).await.id());
    let alone = officer.post(&format!("{path}/release"), &stated).await.expect(403);
    assert_eq!(alone.code(), "second_person");
    officer.step(&format!("{path}/submit")).await.expect(200);
    assert_eq!(second_person(&fixture, &path).await.expect(403).code(), "handling_breach");
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let read = supervisor.get(&path).await.expect(200);
    let version = read.headers["etag"].to_str().expect("text").to_owned();
    let supervisor = supervisor.with("If-Match", &version);
    let faulty = json!({ "own_source": "a name of somebody" });
    assert_eq!(supervisor.post(&format!("{path}/release"), &faulty).await.expect(400).code(), "own_source");
    supervisor.post(&format!("{path}/release"), &stated).await.expect(200);
    let released = fixture.audited("draft.release").await;
    let last = released.last().expect("an event");
    assert_eq!(
        (&last["details"]["own_source"], &last["details"]["restricted_sources"]),
        (&json!("PRM-2026/0419"), &json!("1"))
    );
}
