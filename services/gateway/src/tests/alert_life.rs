//! An alert after its first version: changed, prolonged, reported on, taken back; and what its case is on both sides.

use std::collections::BTreeMap;

use rovuma_envelope::{Jws, Origin};
use rovuma_schemas::{CaseId, EarlierVersions, MessageId, SubjectKey};
use serde_json::{Value, json};

use super::support::{Client, Fixture, Reply, agency, missing_person, motorcycle};
use crate::cases::{kept::CaseKey, project};

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
    async fn case(&self, owner: &str, id: &str) -> Value {
        self.get(&format!("/v1/cases/alert/{owner}/{id}")).await.expect(200).json
    }

    async fn timeline(&self, owner: &str, id: &str) -> Vec<Value> {
        let path = format!("/v1/cases/alert/{owner}/{id}/timeline");
        self.get(&path).await.expect(200).json["steps"].as_array().expect("steps").clone()
    }

    async fn send_at_once(&self, draft: &Value) -> Reply {
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
        { "agency": "tz.tisd", "state": "not_delivered" },
        { "agency": "tz.tpf", "state": "not_delivered" }
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
    // As somebody at the agency could see it before the withdrawal.
    fixture.clock.advance(std::time::Duration::from_secs(60));
    let before = withdrawn["case"]["opened_at"].as_str().expect("a time").to_owned();
    let replayed = officer.get(&format!("/v1/cases/alert/mz.prm/{id}?at={before}")).await.expect(200);
    assert!(replayed.json["case"]["state"] == "withdrawn", "all of it happened in one instant: {replayed:?}");
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
    let mut next = |id: MessageId, draft: &Value, turn: u64, earlier: &EarlierVersions| {
        *number += 1;
        fixture.tz.message_with(id, ("tz.tpf", "mz.prm", *number), draft, now, earlier, |header| {
            (header.case, header.turn) = (Some(case.clone()), Some(turn));
        })
    };
    let name = json!(case);
    let first = EarlierVersions { version: 1, ..EarlierVersions::default() };
    let mut extend = follower(
        "alert.extend",
        &name,
        json!({ "until": "2028-01-01T00:00:00Z", "reason": "Bado haijapatikana." }),
    );
    extend["terms"]["retain_until"] = json!("2029-01-01");
    let messages = vec![
        next(opener, &motorcycle(), 1, &EarlierVersions::default()),
        next(MessageId::draw(now), &update(&name), 2, &first),
        next(MessageId::draw(now), &extend, 3, &first),
        next(MessageId::draw(now), &withdraw(&name, "decision_revoked"), 4, &first),
    ];
    (opener, messages)
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(of - 1);
    let insert = |order: &Vec<usize>, at: usize| {
        let mut order = order.clone();
        order.insert(at, of - 1);
        order
    };
    shorter.iter().flat_map(|order| (0..of).map(move |at| insert(order, at))).collect()
}

/// The case without what names it or says when it came.
fn comparable(mut case: Value) -> Value {
    for member in ["case", "short_reference", "opened_at", "changed_at"] {
        case["case"].as_object_mut().expect("an object").remove(member);
    }
    case
}

#[tokio::test]
async fn every_order_of_arrival_with_duplicates_gives_the_same_case() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let origin = Origin::Ingress(agency("tz.tpf").country());
    let mut number = 0;
    let mut cases: BTreeMap<String, usize> = BTreeMap::new();
    for order in permutations(4) {
        let (opener, messages) = said_by_tpf(&fixture, &mut number);
        for index in &order {
            fixture.deliver("mz.prm", origin, messages[*index].clone()).await;
            fixture.deliver("mz.prm", origin, messages[order[0]].clone()).await;
        }
        let case = officer.case("tz.tpf", &opener.to_string()).await;
        *cases.entry(comparable(case).to_string()).or_default() += 1;
        // Together in one transaction, as a bundle brings them.
        let (opener, messages) = said_by_tpf(&fixture, &mut number);
        let together = order.iter().map(|index| messages[*index].clone()).collect();
        fixture.deliver_together("mz.prm", origin, together).await;
        let case = officer.case("tz.tpf", &opener.to_string()).await;
        *cases.entry(comparable(case).to_string()).or_default() += 1;
    }
    assert_eq!(cases.values().collect::<Vec<_>>(), [&48], "{cases:#?}");
    let only = cases.keys().next().expect("a case");
    assert!(only.contains("\"withdrawn\"") && only.contains("\"missing\":[]"), "{only}");

    // What lists show is what the fold says: the projection is thrown away and built again.
    let rows = "SELECT agency, owner, case_id, kind, status, facet, reference, short_reference, state, ball, until_at, state_2,
                ball_2, until_2, state_3, ball_3, due_at, handling, version, messages, missing, warnings, retain_until, erase_at
                FROM case_file ORDER BY case_id";
    let before = fixture.rows(rows).await;
    fixture.execute("UPDATE case_file SET state = 'active', ball = 'ours', until_at = 1, state_2 = 'x', version = 9, missing = 7").await;
    let keys: Vec<CaseKey> = fixture.case_keys().await;
    for key in keys {
        fixture.project_again(key).await;
    }
    assert_eq!(fixture.rows(rows).await, before);
}

#[tokio::test]
async fn parts_of_a_case_are_shown_with_what_is_missing() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let origin = Origin::Ingress(agency("tz.tpf").country());
    let (opener, messages) = said_by_tpf(&fixture, &mut 0);
    fixture.deliver("mz.prm", origin, messages[3].clone()).await;
    let case = officer.case("tz.tpf", &opener.to_string()).await;
    assert_eq!(case["case"]["state"], "withdrawn", "a withdrawal holds before its alert: {case}");
    assert_eq!(case["missing"], json!([{ "agency": "tz.tpf", "from": 1, "to": 3 }]));
    assert_eq!(case["case"].get("short_reference"), None);
    fixture.deliver("mz.prm", origin, messages[0].clone()).await;
    let case = officer.case("tz.tpf", &opener.to_string()).await;
    assert_eq!(case["missing"], json!([{ "agency": "tz.tpf", "from": 2, "to": 3 }]));
    let short = case["case"]["short_reference"].as_str().expect("a short reference").to_owned();
    let by_short = officer.get(&format!("/v1/cases?reference={}", short.to_lowercase())).await.expect(200);
    assert_eq!(states(&by_short), ["withdrawn nobody"]);
}

#[tokio::test]
async fn a_message_of_an_unknown_type_stands_in_the_case_and_is_lost_by_nobody() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let origin = Origin::Ingress(agency("tz.tpf").country());
    let now = fixture.gateway.base.now();
    let (opener, messages) = said_by_tpf(&fixture, &mut 0);
    fixture.deliver("mz.prm", origin, messages[0].clone()).await;
    let later = MessageId::draw(now);
    let jws = fixture.tz.message_with(
        later,
        ("tz.tpf", "mz.prm", 9),
        &withdraw(&json!({ "kind": "alert", "owner": "tz.tpf", "id": opener }), "error"),
        now,
        &EarlierVersions::default(),
        |header| {
            header.message_type = "alert.merge".to_owned();
            header.case = Some(CaseId { kind: "alert".to_owned(), owner: agency("tz.tpf"), id: opener });
            header.turn = Some(2);
        },
    );
    fixture.deliver("mz.prm", origin, jws).await;
    let case = officer.case("tz.tpf", &opener.to_string()).await;
    assert_eq!(case["case"]["state"], "active");
    assert_eq!(case["warnings"], json!([{ "agency": "tz.tpf", "turn": 2, "code": "case_type_unknown" }]));
    let steps = officer.timeline("tz.tpf", &opener.to_string()).await;
    assert_eq!((&steps[1]["type"], &steps[1]["effect"]), (&json!("alert.merge"), &json!("unjudged")));
    officer.get(&format!("/v1/messages/{later}")).await.expect(200);
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
    // The case is about a minor: what follows in it needs two people, though it names nobody.
    let mut reply = follower("alert.reply", &case, json!({ "reason": "A criança continua por encontrar." }));
    reply["in_reply_to"] = json!(id);
    assert_eq!(officer.send_at_once(&reply).await.expect(403).code(), "second_person");
    assert_eq!(states(&officer.get("/v1/cases?state=active").await.expect(200)), ["active nobody"]);
}

#[tokio::test]
async fn lists_of_cases_are_narrowed_by_each_filter() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let own = officer.issue(&motorcycle()).await;
    fixture.clock.advance(std::time::Duration::from_secs(1));
    let received = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let names = async |query: &str| {
        let list = officer.get(&format!("/v1/cases?{query}")).await.expect(200).json;
        let rows = list["items"].as_array().expect("items").clone();
        rows.iter().map(|row| row["case"]["id"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, [received.clone(), own.clone()], "the last opened first");
    assert_eq!(names("partner=tz.tisd").await, std::slice::from_ref(&own));
    assert_eq!(names("partner=tz.tpf&limit=1").await, std::slice::from_ref(&received));
    let reference = motorcycle()["reference"].as_str().expect("a reference").to_owned();
    assert_eq!(names(&format!("reference={}", &reference[..6])).await, std::slice::from_ref(&own));
    assert_eq!(names("category=vehicle&kind=alert&state=active").await.len(), 2);
    for none in
        ["category=firearm", "state=withdrawn", "ball=ours", "due=2027-01-01T00:00:00Z", "reference=zzz"]
    {
        assert!(names(none).await.is_empty(), "{none}");
    }
    for bad in ["kind=hit", "state=dead", "ball=mine", "due=soon", "partner=nobody", "colour=red"] {
        officer.get(&format!("/v1/cases?{bad}")).await.expect(400);
    }
    let searched = fixture.audited("case.search").await;
    assert!(searched.iter().all(|event| !event.to_string().contains(&reference[..6])), "{searched:?}");
}

/// Whatever a role may ask for of a case: no answer, event or alarm has the narrative, a name or a plate.
#[tokio::test]
async fn no_representation_of_a_case_shows_what_a_role_may_not_see() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = officer.issue(&motorcycle()).await;
    let case = case_of("mz.prm", &id);
    officer.send_at_once(&update(&case)).await.expect(201);
    officer.send_at_once(&withdraw(&case, "error")).await.expect(201);
    let narrative = ["Newala", "furtada", "AAA 000 CD", "AAA000CD", "MD2EXAMPLE0000417", "Boxer"];
    let roles = [
        "liaison_officer",
        "supervisor",
        "analyst",
        "border_officer",
        "auditor",
        "data_protection_officer",
        "agency_admin",
    ];
    let mut shown = 0;
    for role in roles {
        let reader = fixture.person(&format!("reader-{role}"), "mz.prm", &[role]);
        let case_path = format!("/v1/cases/alert/mz.prm/{id}");
        for path in [
            "/v1/cases".to_owned(),
            case_path.clone(),
            format!("{case_path}/timeline"),
            "/v1/events".to_owned(),
            "/v1/alarms".to_owned(),
            "/v1/inbox".to_owned(),
            "/v1/sent".to_owned(),
            format!("/v1/messages/{id}?view=metadata"),
            format!("/v1/messages/{id}/trace"),
        ] {
            let reply = reader.get(&path).await;
            shown += usize::from(reply.status == 200);
            for word in narrative {
                assert!(!reply.json.to_string().contains(word), "{role} {path}: {word}: {reply:?}");
            }
        }
    }
    assert!(shown > 20, "only {shown} answers were looked at");
    let narrated = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json.to_string();
    assert!(narrative.iter().any(|word| narrated.contains(word)), "the words are in the message: {narrated}");
    for table in
        ["SELECT detail FROM alarm", "SELECT fact FROM case_message", "SELECT event FROM domain_event"]
    {
        let rows = fixture.rows(table).await.join(" ");
        assert!(!narrative.iter().any(|word| rows.contains(word)), "{table}: {rows}");
    }
    // Nobody else's agency sees that there is such a case.
    let other = fixture.person("officer-9", "mz.senami", &["liaison_officer"]);
    other.get(&format!("/v1/cases/alert/mz.prm/{id}")).await.expect(404);
    assert!(other.get("/v1/cases").await.expect(200).json["items"].as_array().is_some_and(Vec::is_empty));
}

#[tokio::test]
async fn keys_of_subjects_are_never_used_again() {
    let used: EarlierVersions = EarlierVersions {
        version: 2,
        keys: ["v1".parse::<SubjectKey>().expect("a key")].into(),
        numbers_used: [('v', 4)].into(),
        ..EarlierVersions::default()
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

impl Fixture {
    /// Every row of a query, its values as text.
    async fn rows(&self, sql: &'static str) -> Vec<String> {
        use sqlx::{Column as _, Row as _, ValueRef as _};
        let mut conn = self.gateway.base.store.read().acquire().await.expect("a connection");
        let rows = sqlx::query(sql).fetch_all(&mut *conn).await.expect("rows");
        let text = |row: &sqlx::any::AnyRow, index: usize| -> String {
            if row.try_get_raw(index).is_ok_and(|value| value.is_null()) {
                return "null".to_owned();
            }
            let number = row.try_get::<i64, _>(index).map(|number| number.to_string());
            number
                .or_else(|_| row.try_get::<String, _>(index))
                .or_else(|_| row.try_get::<Vec<u8>, _>(index).map(|bytes| format!("{bytes:?}")))
                .expect("a value")
        };
        rows.iter()
            .map(|row| {
                (0..row.columns().len())
                    .map(|index| format!("{}={}", row.columns()[index].name(), text(row, index)))
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    async fn case_keys(&self) -> Vec<CaseKey> {
        use rovuma_store::RowExt as _;
        use sqlx::Row as _;
        let mut conn = self.gateway.base.store.read().acquire().await.expect("a connection");
        let rows = sqlx::query("SELECT agency, owner, case_id, kind FROM case_file")
            .fetch_all(&mut *conn)
            .await
            .expect("rows");
        rows.iter()
            .map(|row| CaseKey {
                agency: row.parsed("agency").expect("an agency"),
                owner: row.parsed("owner").expect("an agency"),
                id: row.message_id("case_id").expect("an id"),
                kind: row.try_get("kind").expect("a kind"),
            })
            .collect()
    }

    async fn project_again(&self, key: CaseKey) {
        use rovuma_store::FutureExt as _;
        let (gateway, now) = (std::sync::Arc::clone(&self.gateway), self.gateway.base.now());
        let shared = std::sync::Arc::clone(&gateway);
        let job = gateway
            .base
            .store
            .write(move |tx| async move { project::again(tx, &shared.base, &key, now).await }.boxed());
        job.await.expect("projected");
    }
}
