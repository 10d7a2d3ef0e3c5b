//! An alert after its first version: changed, prolonged, reported on, taken back; and what its case is on both sides.

mod cases;

use rovuma_envelope::{Jws, Origin};
use rovuma_schemas::{Body, CaseId, CaseSoFar, MessageId, StreamStatus, SubjectKey};
use serde_json::{Value, json};

use super::support::{Client, Fixture, Reply, agency, missing_person, motorcycle};

/// A draft of this type that follows in a case, with the terms of the motorcycle's alert.
fn follower(message_type: &str, case: &Value, body: Value) -> Value {
    let alert = motorcycle();
    let mut terms = alert["terms"].clone();
    terms["urgency"] = json!({ "level": "normal" });
    json!({ "type": message_type, "status": alert["status"], "case": case, "terms": terms, "body": body })
}

fn case_of(owner: &str, id: &str) -> Value {
    json!({ "kind": "alert", "owner": owner, "id": id })
}

/// The motorcycle's content with the keys that the gateway gave it, and other circumstances.
fn second_version() -> Value {
    let mut content = motorcycle()["body"].clone();
    content["circumstances"] = json!("A mota foi vista em Newala.");
    content["subjects"]["vehicles"][0]["key"] = json!("v1");
    content["subjects"]["places"][0]["key"] = json!("l1");
    content
}

fn update(case: &Value) -> Value {
    follower("alert.update", case, json!({ "alert": second_version(), "change": "Vista em Newala." }))
}

fn withdraw(case: &Value, reason: &str) -> Value {
    follower("alert.withdraw", case, json!({ "reason": reason }))
}

impl Client<'_> {
    pub(super) async fn case(&self, owner: &str, id: &str) -> Value {
        self.get(&format!("/v1/cases/alert/{owner}/{id}")).await.expect(200).json
    }

    async fn timeline(&self, owner: &str, id: &str) -> Vec<Value> {
        let path = format!("/v1/cases/alert/{owner}/{id}/timeline");
        self.get(&path).await.expect(200).json["steps"].as_array().expect("steps").clone()
    }

    pub(super) async fn send_at_once(&self, draft: &Value) -> Reply {
        self.post("/v1/messages", draft).await
    }
}

fn states(list: &Reply) -> Vec<String> {
    let rows = list.json["items"].as_array().expect("items");
    rows.iter()
        .map(|row| format!("{} {}", row["state"].as_str().unwrap_or(""), row["ball"].as_str().unwrap_or("")))
        .collect()
}

#[tokio::test]
async fn an_issuer_changes_prolongs_and_takes_back_its_alert() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let supervisor = fixture.person("supervisor-1", "mz.prm", &["supervisor"]);
    let id = officer.issue(&motorcycle()).await;
    let case = case_of("mz.prm", &id);
    let opened = officer.case("mz.prm", &id).await;
    assert_eq!(
        (&opened["case"]["state"], &opened["alert"]["version"]),
        (&json!("active"), &json!(1)),
        "{opened}"
    );
    assert_eq!(opened["alert"]["subjects"], json!(["l1", "v1"]));
    let recipients = json!([
        { "agency": "tz.tisd", "state": "not_delivered", "posts": [] },
        { "agency": "tz.tpf", "state": "not_delivered", "posts": [] }
    ]);
    assert_eq!(opened["alert"]["recipients"], recipients);
    assert!(opened["possible"].to_string().contains("alert.withdraw"), "{opened}");

    // A version that leaves out the motorcycle without a word, uses a key that nobody gave, or ends later.
    let mut dropped = update(&case);
    dropped["body"]["alert"]["subjects"]["places"] = json!([]);
    let refused = officer.send_at_once(&dropped).await.expect(422);
    assert!(refused.json.to_string().contains("subject_dropped"), "{refused:?}");
    let mut unknown = update(&case);
    unknown["body"]["alert"]["subjects"]["vehicles"][0]["key"] = json!("v7");
    let refused = officer.send_at_once(&unknown).await.expect(422);
    assert!(refused.json.to_string().contains("subject_key_unknown"), "{refused:?}");

    let released = officer.send_at_once(&update(&case)).await.expect(201);
    let copies = released.json["copies"].as_array().expect("copies");
    let named: Vec<_> = copies.iter().map(|copy| copy["recipient"].as_str().unwrap_or_default()).collect();
    assert_eq!(named, ["tz.tisd", "tz.tpf"], "an update goes to everybody who has the alert");
    let second = officer.case("mz.prm", &id).await;
    assert_eq!((&second["alert"]["version"], &second["case"]["messages"]), (&json!(2), &json!(2)));

    // A liaison officer neither prolongs nor withdraws for any reason; a supervisor does.
    let until = json!({ "until": "2031-01-01T00:00:00Z", "reason": "Ainda não apareceu." });
    let extend = follower("alert.extend", &case, until);
    let mut extend_later = extend.clone();
    extend_later["terms"]["retain_until"] = json!("2031-06-01");
    assert_eq!(officer.send_at_once(&extend_later).await.expect(403).code(), "supervisor_only");
    let refused = officer.send_at_once(&withdraw(&case, "purpose_achieved")).await.expect(403);
    assert_eq!(refused.code(), "supervisor_only");
    let too_long = supervisor.send_at_once(&extend_later).await.expect(422);
    assert!(too_long.json.to_string().contains("validity_too_long"), "{too_long:?}");
    supervisor.send_at_once(&withdraw(&case, "purpose_achieved")).await.expect(201);
    let withdrawn = officer.case("mz.prm", &id).await;
    assert_eq!(withdrawn["case"]["state"], "withdrawn");
    assert_eq!(withdrawn["alert"]["withdrawn"], "purpose_achieved");

    // It holds for ever: nothing is signed after it.
    for (caller, draft) in [(&officer, update(&case)), (&supervisor, withdraw(&case, "error"))] {
        let refused = caller.send_at_once(&draft).await.expect(409);
        assert_eq!(refused.code(), "not_allowed_in_state", "{refused:?}");
        assert!(
            refused.json["detail"].as_str().is_some_and(|text| text.contains("withdrawn")),
            "{refused:?}"
        );
    }
    let steps = officer.timeline("mz.prm", &id).await;
    let kinds: Vec<_> =
        steps.iter().map(|step| (step["type"].as_str().unwrap_or(""), step["turn"].as_u64())).collect();
    assert_eq!(kinds, [("alert.issue", Some(1)), ("alert.update", Some(2)), ("alert.withdraw", Some(3))]);
}

/// A case is shown as the agency could see it at an instant, from what had arrived by then.
#[tokio::test]
async fn a_case_is_replayed_at_an_instant() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let minute = std::time::Duration::from_secs(60);
    let (opener, messages) = said_by_tpf(&fixture, &mut 0);
    for message in messages {
        fixture.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), message).await;
        fixture.clock.advance(minute);
    }
    let start = fixture.gateway.base.now().minus(4 * minute);
    let path = format!("/v1/cases/alert/tz.tpf/{opener}");
    let mut seen = Vec::new();
    for minutes in 0..4 {
        let at = start.plus(minutes * minute);
        let case = officer.get(&format!("{path}?at={at}")).await.expect(200).json;
        let steps = officer.get(&format!("{path}/timeline?at={at}")).await.expect(200).json;
        let steps = steps["steps"].as_array().map_or(0, Vec::len);
        seen.push((case["case"]["state"].clone(), case["alert"]["version"].as_u64(), steps));
    }
    let (active, withdrawn) = (json!("active"), json!("withdrawn"));
    let expected =
        [(&active, Some(1), 1), (&active, Some(2), 2), (&active, Some(2), 3), (&withdrawn, Some(2), 4)];
    let seen: Vec<_> = seen.iter().map(|(state, version, steps)| (state, *version, *steps)).collect();
    assert_eq!(seen, expected);
}

/// The issuer sees how far each recipient is with its last word, and how fresh what it knows of them is.
#[tokio::test]
async fn an_issuer_sees_how_far_each_recipient_is() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.issue(&motorcycle()).await;
    let draft = withdraw(&case_of("mz.prm", &id), "error");
    let withdrawal = officer.send_at_once(&draft).await.expect(201).id();
    let states = async || {
        let shown = officer.case("mz.prm", &id).await;
        let recipients = shown["alert"]["recipients"].as_array().expect("recipients").clone();
        recipients.iter().map(|one| one["state"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    // A receipt for the alert says nothing of its withdrawal.
    fixture.delivered("tz.tpf", "mz.prm", &id).await;
    assert_eq!(states().await, ["not_delivered", "not_delivered"], "tz.tisd, tz.tpf");
    fixture.delivered("tz.tpf", "mz.prm", &withdrawal).await;
    assert_eq!(states().await, ["not_delivered", "delivered"]);
    let case = CaseId { kind: "alert".to_owned(), owner: agency("mz.prm"), id: id.parse().expect("an id") };
    let now = fixture.gateway.base.now();
    let says = async |number: u64, draft: &Value, seen: u64| {
        let route = ("tz.tpf", "mz.prm", number);
        let earlier = CaseSoFar::default();
        let jws = fixture.tz.message_with(MessageId::draw(now), route, draft, now, &earlier, |header| {
            (header.case, header.turn) = (Some(case.clone()), Some(number));
            header.seen = [(agency("mz.prm"), seen)].into();
        });
        fixture.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), jws).await;
    };
    let flag = json!({ "flag": "off", "version": 1 });
    says(1, &follower("alert.flag", &json!(case), flag.clone()), 1).await;
    assert_eq!(states().await, ["not_delivered", "delivered"], "it had not seen the withdrawal yet");
    says(2, &follower("alert.flag", &json!(case), flag), 2).await;
    assert_eq!(states().await, ["not_delivered", "applied"]);
    says(3, &follower("purge.certify", &json!(case), json!({ "outcome": "erased" })), 2).await;
    assert_eq!(states().await, ["not_delivered", "certified"]);

    let freshness = officer.case("mz.prm", &id).await["freshness"].clone();
    assert_eq!(freshness, json!([{ "agency": "tz.tisd" }, { "agency": "tz.tpf" }]), "no signed status yet");
    let status = StreamStatus { streams: Vec::new(), received: Vec::new() };
    let status = fixture.tz.transport("tz.tpf", "mz.prm", Body::StreamStatus(status), now);
    fixture.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), status).await;
    let freshness = officer.case("mz.prm", &id).await["freshness"].clone();
    assert_eq!(freshness[1], json!({ "agency": "tz.tpf", "last_word_at": now }));
}

#[tokio::test]
async fn what_frees_an_innocent_person_does_not_wait_for_a_supervisor() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let machine = fixture.machine("records", "mz.prm", &["agency_system"]);
    for reason in ["error", "misused_identity"] {
        let id = officer.issue(&motorcycle()).await;
        let draft = withdraw(&case_of("mz.prm", &id), reason);
        assert_eq!(machine.send_at_once(&draft).await.expect(403).code(), "supervisor_only");
        officer.send_at_once(&draft).await.expect(201);
        assert_eq!(officer.case("mz.prm", &id).await["case"]["state"], "withdrawn");
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM alarm WHERE kind = 'withdrawn_at_once'").await, 2);
}

/// Messages of `tz.tpf` in the case of one alert: issue, update, extension, withdrawal, and a type that is not known here.
fn said_by_tpf(fixture: &Fixture, number: &mut u64) -> (MessageId, Vec<Jws>) {
    let now = fixture.gateway.base.now();
    let opener = MessageId::draw(now);
    let case = CaseId { kind: "alert".to_owned(), owner: agency("tz.tpf"), id: opener };
    let mut next = |id: MessageId, draft: &Value, turn: u64, earlier: &CaseSoFar| {
        *number += 1;
        fixture.tz.message_with(id, ("tz.tpf", "mz.prm", *number), draft, now, earlier, |header| {
            (header.case, header.turn) = (Some(case.clone()), Some(turn));
        })
    };
    let name = json!(case);
    let first = CaseSoFar { version: 1, ..CaseSoFar::default() };
    let mut extend = follower(
        "alert.extend",
        &name,
        json!({ "until": "2028-01-01T00:00:00Z", "reason": "Bado haijapatikana." }),
    );
    extend["terms"]["retain_until"] = json!("2029-01-01");
    let messages = vec![
        next(opener, &motorcycle(), 1, &CaseSoFar::default()),
        next(MessageId::draw(now), &update(&name), 2, &first),
        next(MessageId::draw(now), &extend, 3, &first),
        next(MessageId::draw(now), &withdraw(&name, "decision_revoked"), 4, &first),
    ];
    (opener, messages)
}

#[tokio::test]
async fn a_recipient_reports_flags_and_does_not_change_the_alert() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let supervisor = fixture.person("supervisor-1", "mz.prm", &["supervisor"]);
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let case = case_of("tz.tpf", &id);
    let flag = follower(
        "alert.flag",
        &case,
        json!({ "flag": "on", "version": 1, "reason": "own_proceedings", "instead": "inform_only" }),
    );
    let errors = json!([{ "subject": "v1", "at": "/subjects/vehicles/0/plate", "proposal": "A matrícula é AAA 001 CD." }]);
    let report = follower("alert.error_report", &case, json!({ "version": 1, "errors": errors }));
    let released = officer.send_at_once(&flag).await.expect(201);
    assert_eq!(released.json["copies"][0]["recipient"], "tz.tpf");
    assert_eq!(released.json["copies"].as_array().map(Vec::len), Some(1), "the issuer alone hears of it");
    let report_id = officer.send_at_once(&report).await.expect(201).id();
    let seen = officer.case("tz.tpf", &id).await;
    assert_eq!(seen["alert"]["flagged_countries"], json!(["mz"]));
    assert_eq!(seen["alert"]["reports"], json!([{ "id": report_id, "agency": "mz.prm", "version": 1 }]));
    assert_eq!((&seen["case"]["ball"], &seen["alert"]["recipients"]), (&json!("theirs"), &json!([])));
    let header = &officer.get(&format!("/v1/messages/{report_id}")).await.expect(200).json["header"];
    assert_eq!((&header["turn"], &header["seen"]), (&json!(2), &json!({ "tz.tpf": 1 })));

    // What the issuer says is not the recipient's part, whoever at the recipient asks for it.
    for draft in [update(&case), withdraw(&case, "error")] {
        let refused = supervisor_or(&officer, &supervisor, &draft).send_at_once(&draft).await.expect(409);
        assert_eq!(refused.code(), "not_allowed_in_state");
        assert!(
            refused.json["detail"].as_str().is_some_and(|text| text.contains("another party")),
            "{refused:?}"
        );
    }
    // Whom it goes to is for the case to say.
    let mut elsewhere = report.clone();
    elsewhere["recipients"] = json!(["tz.tpf", "tz.tisd"]);
    let refused = officer.send_at_once(&elsewhere).await.expect(422);
    assert!(refused.json.to_string().contains("/recipients"), "{refused:?}");
    // A case that the agency does not have, or an exercise in a real case.
    let nowhere = follower(
        "alert.flag",
        &case_of("tz.tpf", "01890000-0000-7000-8000-000000000000"),
        flag["body"].clone(),
    );
    assert_eq!(officer.send_at_once(&nowhere).await.expect(409).code(), "case_unknown");
    let mut other = flag.clone();
    other["status"] = json!(if motorcycle()["status"] == "actual" { "exercise" } else { "actual" });
    assert_eq!(officer.send_at_once(&other).await.expect(409).code(), "other_status");
}

fn supervisor_or<'c, 'f>(
    officer: &'c Client<'f>,
    supervisor: &'c Client<'f>,
    draft: &Value,
) -> &'c Client<'f> {
    if draft["type"] == "alert.withdraw" { supervisor } else { officer }
}

#[tokio::test]
async fn an_emergency_release_is_told_at_once_and_holds_only_until_it_must_be_confirmed() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let machine = fixture.machine("records", "mz.prm", &["agency_system"]);
    let both = fixture.person("officer-2", "mz.prm", &["liaison_officer", "supervisor"]);
    let mut draft = missing_person();
    assert_eq!(officer.send_at_once(&draft).await.expect(403).code(), "second_person");
    draft["terms"]["emergency"] = json!({ "reason": "A criança foi vista a embarcar agora." });
    assert_eq!(machine.send_at_once(&draft).await.expect(403).code(), "second_person");
    let mut given = draft.clone();
    given["terms"]["emergency"]["confirm_by"] = json!("2030-01-01T00:00:00Z");
    assert!(officer.send_at_once(&given).await.expect(422).json.to_string().contains("confirm_by_given"));
    let mut needless = motorcycle();
    needless["terms"]["emergency"] = draft["terms"]["emergency"].clone();
    assert!(
        officer.send_at_once(&needless).await.expect(422).json.to_string().contains("emergency_not_needed")
    );

    let id = both.send_at_once(&draft).await.expect(201).id();
    let alarms = fixture.count("SELECT COUNT(*) FROM alarm WHERE kind = 'emergency_release'").await;
    assert_eq!(alarms, 1, "the supervisor is told at once");
    let signed = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json;
    let by = &signed["payload"]["terms"]["emergency"]["confirm_by"];
    assert_eq!(by, "2026-11-24T06:00:00Z", "12 hours after the release: {signed}");
    let case = case_of("mz.prm", &id);
    let shown = officer.case("mz.prm", &id).await;
    assert_eq!((&shown["case"]["state"], &shown["case"]["due"]), (&json!("active"), by));
    fixture.clock.advance(std::time::Duration::from_secs(12 * 60 * 60));
    // The tokens of before have expired.
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let both = fixture.person("officer-2", "mz.prm", &["liaison_officer", "supervisor"]);
    let supervisor = fixture.person("supervisor-1", "mz.prm", &["supervisor"]);
    let suspended = officer.get("/v1/cases?state=suspended").await.expect(200);
    assert_eq!(states(&suspended), ["suspended ours"], "from that instant on, though no job has run");
    assert_eq!(states(&officer.get("/v1/cases?ball=ours").await.expect(200)), ["suspended ours"]);
    assert_eq!(officer.get("/v1/cases?state=active").await.expect(200).ids().len(), 0);

    let mut confirm = follower("release.confirm", &case, json!({}));
    confirm["in_reply_to"] = json!(id);
    assert_eq!(officer.send_at_once(&confirm).await.expect(403).code(), "supervisor_only");
    assert_eq!(
        both.send_at_once(&confirm).await.expect(403).code(),
        "second_person",
        "not by who released it"
    );
    let mut nothing = confirm.clone();
    nothing["in_reply_to"] = json!("01890000-0000-7000-8000-000000000000");
    assert_eq!(supervisor.send_at_once(&nothing).await.expect(409).code(), "nothing_to_confirm");
    let ordinary = officer.issue(&motorcycle()).await;
    nothing["in_reply_to"] = json!(ordinary);
    assert_eq!(supervisor.send_at_once(&nothing).await.expect(409).code(), "nothing_to_confirm");
    supervisor.send_at_once(&confirm).await.expect(201);
    let withdrawn = withdraw(&case_of("mz.prm", &ordinary), "purpose_achieved");
    supervisor.send_at_once(&withdrawn).await.expect(201);
    let told = officer.get("/v1/events").await.expect(200).json.to_string();
    assert_eq!(told.matches("supervisor.needed").count(), 1, "{told}");
    // A newer version may be as urgent as the first, whichever way it is sent.
    let mut urgent = follower("alert.update", &case, json!({ "alert": draft["body"] }));
    urgent["terms"] = draft["terms"].clone();
    urgent["body"]["alert"]["subjects"]["persons"][0]["key"] = json!("p1");
    let places = urgent["body"]["alert"]["subjects"].get_mut("places").and_then(Value::as_array_mut);
    for (index, place) in places.into_iter().flatten().enumerate() {
        place["key"] = json!(format!("l{}", index + 1));
    }
    officer.send_at_once(&urgent).await.expect(201);
    // The case is about a minor: what follows in it needs two people, though it names nobody.
    let mut reply = follower("alert.reply", &case, json!({ "reason": "A criança continua por encontrar." }));
    reply["in_reply_to"] = json!(id);
    assert_eq!(officer.send_at_once(&reply).await.expect(403).code(), "second_person");
    let active = officer.get("/v1/cases?state=active").await.expect(200);
    assert_eq!(states(&active), ["active nobody"], "the newer version need not be confirmed yet");
}

#[tokio::test]
async fn keys_of_subjects_are_never_used_again() {
    let used: CaseSoFar = CaseSoFar {
        version: 2,
        keys: ["v1".parse::<SubjectKey>().expect("a key")].into(),
        numbers_used: [('v', 4)].into(),
        ..CaseSoFar::default()
    };
    let fixture = Fixture::start().await;
    let now = fixture.gateway.base.now();
    let mut draft = update(&case_of("tz.tpf", "01890000-0000-7000-8000-000000000000"));
    let mut second = draft["body"]["alert"]["subjects"]["vehicles"][0].clone();
    second.as_object_mut().expect("an object").remove("key");
    draft["body"]["alert"]["subjects"]["vehicles"].as_array_mut().expect("vehicles").push(second);
    let jws = fixture.tz.message_with(
        MessageId::draw(now),
        ("tz.tpf", "mz.prm", 1),
        &draft,
        now,
        &used,
        |header| {
            header.case = Some(CaseId {
                kind: "alert".to_owned(),
                owner: agency("tz.tpf"),
                id: "01890000-0000-7000-8000-000000000000".parse().expect("an id"),
            });
            header.turn = Some(5);
        },
    );
    let payload: Value = serde_json::from_slice(jws.unverified_payload()).expect("JSON");
    assert_eq!(payload["body"]["version"], 3);
    assert_eq!(payload["body"]["alert"]["subjects"]["vehicles"][1]["key"], "v5");
}
