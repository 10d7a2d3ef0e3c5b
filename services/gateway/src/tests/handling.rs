//! Handling codes, legal bases and the protection check: what a message may be used for, and what must hold when it is released.

mod handing_on;

use std::time::Duration;

use rovuma_schemas::{CaseId, CaseSoFar, Date};
use serde_json::{Value, json};

use super::support::{Fixture, Reply, example, motorcycle};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn under(code: &str) -> Value {
    let mut draft = motorcycle();
    draft["terms"]["handling"] = handling(code);
    draft
}

fn handling(code: &str) -> Value {
    match code {
        "H3" => json!({ "code": code, "restriction": "Apenas para a unidade de Palma." }),
        _ => json!({ "code": code }),
    }
}

/// Roles that may read content, each with what it states to export.
const READERS: [(&str, &str); 5] = [
    ("liaison_officer", ""),
    ("supervisor", ""),
    ("analyst", ""),
    ("auditor", "?reason=AUD-7"),
    ("agency_system", ""),
];

async fn export(fixture: &Fixture, (role, reason): (&str, &str), id: &str) -> Reply {
    let caller = match role {
        "agency_system" => fixture.machine("prm-system", "mz.prm", &[role]),
        _ => fixture.person(&format!("who-{role}"), "mz.prm", &[role]),
    };
    caller.get(&format!("/v1/messages/{id}/jws{reason}")).await
}

#[tokio::test]
async fn what_another_agency_sent_under_h2_or_h3_is_exported_by_nobody() {
    let fixture = Fixture::start().await;
    for (number, code) in (1..).zip(["H2", "H3"]) {
        let id = fixture.receive("mz.prm", number, &under(code)).await;
        for reader in READERS {
            let refused = export(&fixture, reader, &id).await.expect(403);
            assert_eq!(refused.code(), "handling_breach", "{reader:?}");
            let detail = refused.json["detail"].as_str().expect("a sentence");
            assert!(detail.contains(code) && detail.contains("leave of tz.tpf"), "{detail}");
            assert!(!refused.json.to_string().contains("jws"), "{}", refused.json);
        }
        // It is read all the same: reading is what it was sent for.
        let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
        officer.get(&format!("/v1/messages/{id}")).await.expect(200);
        let exports = fixture.audited("export").await;
        let (last, all) = (exports.last().expect("an event"), exports.len());
        assert_eq!(all, usize::try_from(number).expect("few") * READERS.len());
        assert_eq!((&last["outcome"], &last["reason"]), (&json!("refused"), &json!("handling_breach")));
        assert_eq!((&last["details"]["handling"], &last["object"]["id"]), (&json!(code), &json!(id)));
    }
}

/// Leave opens the export of what it names, for the uses that it names, until its last day; and nothing else.
#[tokio::test]
async fn leave_to_export_holds_for_what_it_names_until_its_last_day() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let id = fixture.receive("mz.prm", 1, &under("H2")).await;
    let other = fixture.receive("mz.prm", 2, &under("H2")).await;
    let reader = READERS[0];
    let about = json!({ "case": { "kind": "alert", "owner": "tz.tpf", "id": id } });
    let last_day = Date::of(fixture.gateway.base.now()).plus_days(3);
    for (use_, code) in [("forward", 403), ("export", 200)] {
        let mut ask = example("permission-ask");
        ask["body"]["about"] = about.clone();
        ask["body"]["uses"] = json!([use_]);
        let asked = officer.post("/v1/messages", &ask).await.expect(201).id();
        export(&fixture, reader, &id).await.expect(403);
        fixture.tpf_decides(&asked, last_day).await;
        export(&fixture, reader, &id).await.expect(code);
        export(&fixture, reader, &other).await.expect(403);
    }
    fixture.clock.advance(Duration::from_secs(5 * 24 * 60 * 60));
    assert_eq!(export(&fixture, reader, &id).await.expect(403).code(), "handling_breach");
}

impl Fixture {
    /// `tz.tpf` gives leave until this day.
    async fn tpf_decides(&self, asked: &str, until: Date) {
        let case: CaseId = format!("permission/mz.prm/{asked}").parse().expect("a case");
        let mut decide = example("permission-decide");
        decide["case"] = json!(case);
        decide["body"]["until"] = json!(until);
        self.says("tz.tpf", &decide, &case, (1, 1), &CaseSoFar::default()).await;
    }
}

#[tokio::test]
async fn what_is_not_restricted_and_what_is_our_own_is_exported() {
    let fixture = Fixture::start().await;
    let free =
        [fixture.receive("mz.prm", 1, &under("H0")).await, fixture.receive("mz.prm", 2, &under("H1")).await];
    let mut own = Vec::new();
    for code in ["H2", "H3"] {
        own.push(released_by_two(&fixture, &under(code)).await);
    }
    for id in free.iter().chain(&own) {
        for reader in READERS {
            let exported = export(&fixture, reader, id).await.expect(200);
            assert_eq!(exported.json["messages"].as_array().map(|list| !list.is_empty()), Some(true));
        }
    }
}

/// A draft with this content of `officer-1`, submitted.
async fn submitted(fixture: &Fixture, draft: &Value) -> String {
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let path = format!("/v1/drafts/{}", officer.create(draft).await.id());
    officer.step(&format!("{path}/submit")).await.expect(200);
    path
}

/// The release of a submitted draft by a supervisor.
async fn second_person(fixture: &Fixture, path: &str) -> Reply {
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let read = supervisor.get(path).await.expect(200);
    let version = read.headers["etag"].to_str().expect("text").to_owned();
    supervisor.with("If-Match", &version).step(&format!("{path}/release")).await
}

async fn released_by_two(fixture: &Fixture, draft: &Value) -> String {
    let path = submitted(fixture, draft).await;
    second_person(fixture, &path).await.expect(200).id()
}

/// A newer version of the alert `id` with the content of `alert`, under this handling code.
fn update(id: &str, alert: &Value, code: &str) -> Value {
    let mut draft = alert.clone();
    draft["type"] = json!("alert.update");
    draft["case"] = json!({ "kind": "alert", "owner": "mz.prm", "id": id });
    draft["terms"]["handling"] = handling(code);
    // Without keys the subjects would be new ones: v1, and l1 for the place.
    let mut content = draft["body"].take();
    for (list, key) in [("vehicles", "v1"), ("places", "l1"), ("persons", "p1")] {
        if let Some(subject) = content["subjects"].get_mut(list).and_then(|list| list.get_mut(0)) {
            subject["key"] = json!(key);
        }
    }
    draft["body"] = json!({ "alert": content });
    draft.as_object_mut().expect("a draft").remove("recipients");
    draft
}

#[tokio::test]
async fn an_author_alone_does_not_lower_a_handling_code() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    for (before, after) in [("H1", "H0"), ("H2", "H0"), ("H2", "H1"), ("H3", "H1")] {
        let alert = under(before);
        let id = match before {
            "H1" => officer.issue(&alert).await,
            _ => released_by_two(&fixture, &alert).await,
        };
        let lower = update(&id, &alert, after);
        let name = format!("{before} to {after}");
        assert_eq!(officer.post("/v1/messages", &lower).await.expect(403).code(), "second_person", "{name}");
        let path = format!("/v1/drafts/{}", officer.create(&lower).await.id());
        let refused = officer.step(&format!("{path}/release")).await.expect(403);
        assert_eq!(refused.code(), "second_person", "{name}");
        assert_eq!(version_of(&fixture, &id).await, 1, "{name}");
        // A supervisor who wrote it is no second person either.
        let both = fixture.person("chief-2", "mz.prm", &["supervisor", "liaison_officer"]);
        assert_eq!(both.post("/v1/messages", &lower).await.expect(403).code(), "second_person", "{name}");

        officer.step(&format!("{path}/submit")).await.expect(200);
        second_person(&fixture, &path).await.expect(200);
        let case = officer.get(&format!("/v1/cases/alert/mz.prm/{id}")).await.expect(200);
        assert_eq!(
            (&case.json["case"]["version"], &case.json["case"]["handling"]),
            (&json!(2), &json!(after)),
            "{name}"
        );
        // Once it is lowered, it stays so without anybody's word.
        officer.post("/v1/messages", &update(&id, &alert, after)).await.expect(201);
        // And lower still takes a second person again.
        if after == "H1" {
            let lower = update(&id, &alert, "H0");
            assert_eq!(officer.post("/v1/messages", &lower).await.expect(403).code(), "second_person");
        }
    }
}

async fn version_of(fixture: &Fixture, id: &str) -> i64 {
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let case = officer.get(&format!("/v1/cases/alert/mz.prm/{id}")).await.expect(200);
    case.json["case"]["version"].as_i64().expect("a number")
}

#[tokio::test]
async fn to_keep_or_raise_a_handling_code_takes_no_more_than_the_new_code_does() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let alert = under("H0");
    let id = officer.issue(&alert).await;
    officer.post("/v1/messages", &update(&id, &alert, "H0")).await.expect(201);
    officer.post("/v1/messages", &update(&id, &alert, "H1")).await.expect(201);
    assert_eq!(version_of(&fixture, &id).await, 3);
    // A second person releases everything under H2 and H3, new or not.
    for code in ["H2", "H3"] {
        let raised = update(&id, &alert, code);
        assert_eq!(officer.post("/v1/messages", &raised).await.expect(403).code(), "second_person", "{code}");
        released_by_two(&fixture, &raised).await;
    }
    assert_eq!(version_of(&fixture, &id).await, 5);
}

#[tokio::test]
async fn an_error_report_goes_to_the_issuer_alone() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let alert = fixture.receive("mz.prm", 1, &under("H1")).await;
    let mut report = example("alert-error-report");
    report["case"] = json!({ "kind": "alert", "owner": "tz.tpf", "id": alert });
    report.as_object_mut().expect("a draft").remove("in_reply_to");
    report["terms"]["handling"] = handling("H1");
    for recipients in
        [json!(["tz.tisd"]), json!(["tz.tpf", "tz.tisd"]), json!(["mz.senami"]), json!(["tz.tpf"])]
    {
        let mut addressed = report.clone();
        addressed["recipients"] = recipients;
        let refused = officer.post("/v1/messages", &addressed).await.expect(422);
        let fault = &refused.json["faults"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!("/recipients"), &json!("unknown_field")));
    }
    let sent = officer.post("/v1/messages", &report).await.expect(201);
    let copies = sent.json["copies"].as_array().expect("copies");
    assert_eq!(copies.iter().map(|copy| &copy["recipient"]).collect::<Vec<_>>(), ["tz.tpf"]);
}

/// A gateway whose lists end the police memorandum of 2018 and the purpose of detection on the day on which the fixture starts.
async fn with_ending_codes() -> Fixture {
    Fixture::start_with(|config, dir| {
        for (list, code) in [("legal_bases", "example_police_memorandum_2018"), ("purposes", "detection")] {
            let shipped = rovuma_schemas::CodeLists::shipped().get(list).expect("a list");
            let mut list = serde_json::to_value(shipped).expect("JSON");
            let entries = list["entries"].as_array_mut().expect("entries");
            let entry = entries.iter_mut().find(|entry| entry["code"] == code).expect("a code");
            entry["valid_until"] = json!("2026-11-23");
            let path = dir.join(format!("{code}.json"));
            std::fs::write(&path, list.to_string()).expect("written");
            config.validation.code_lists.push(path);
        }
    })
    .await
}

#[tokio::test]
async fn a_legal_basis_and_a_purpose_hold_at_the_draft_and_at_the_release() {
    let fixture = with_ending_codes().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let cases = [
        ("/terms/legal_basis", "example_police_memorandum_2018", "investigation"),
        ("/terms/purpose", "example_police_memorandum_2020", "detection"),
    ];
    let draft = |basis: &str, purpose: &str| {
        let mut draft = motorcycle();
        draft["terms"]["legal_basis"] = json!(basis);
        draft["terms"]["purpose"] = json!(purpose);
        draft
    };
    let mut waiting = Vec::new();
    for (pointer, basis, purpose) in cases {
        let created = officer.create(&draft(basis, purpose)).await;
        assert_eq!(created.json["fault_count"], 0, "{pointer}: {}", created.json);
        officer.post("/v1/messages", &draft(basis, purpose)).await.expect(201);
        waiting.push((
            pointer,
            format!("/v1/drafts/{}", created.id()),
            submitted(&fixture, &draft(basis, purpose)).await,
            draft(basis, purpose),
        ));
    }
    // Midnight.
    fixture.clock.advance(Duration::from_secs(6 * 60 * 60));
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let sent = fixture.count("SELECT COUNT(DISTINCT id) FROM sent").await;
    for (pointer, path, with_supervisor, draft) in waiting {
        let by_author = officer.step(&format!("{path}/release")).await;
        let by_second = second_person(&fixture, &with_supervisor).await;
        let at_once = officer.post("/v1/messages", &draft).await;
        let submission = officer.step(&format!("{path}/submit")).await;
        for refused in [by_author, by_second, at_once, submission] {
            let refused = refused.expect(422);
            assert_eq!(refused.code(), "draft_faulty");
            let fault = &refused.json["faults"][0];
            assert_eq!((&fault["pointer"], &fault["code"]), (&json!(pointer), &json!("code_not_in_force")));
        }
        let created = officer.create(&draft).await;
        assert_eq!(created.json["faults"][0]["pointer"], pointer, "a draft is kept with its fault");
    }
    assert_eq!(fixture.count("SELECT COUNT(DISTINCT id) FROM sent").await, sent);
}

#[tokio::test]
async fn the_protection_check_is_confirmed_for_each_version_about_a_person() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut alert = example("alert-wanted-person");
    alert["recipients"] = json!(["tz.tpf"]);
    let id = released_by_two(&fixture, &alert).await;
    let whole = update(&id, &alert, "H1");
    // The keys that the gateway gave: d1 to the person's document.
    let mut whole = whole;
    whole["body"]["alert"]["subjects"]["persons"][0]["documents"][0]["key"] = json!("d1");
    for check in [None, Some(json!({ "confirmed": false }))] {
        let mut draft = whole.clone();
        match check {
            None => drop(draft["terms"].as_object_mut().expect("terms").remove("protection_check")),
            Some(check) => draft["terms"]["protection_check"] = check,
        }
        let created = officer.create(&draft).await;
        let path = format!("/v1/drafts/{}", created.id());
        for refused in
            [officer.step(&format!("{path}/submit")).await, officer.step(&format!("{path}/release")).await]
        {
            assert!(matches!(refused.status, 403 | 422), "{}", refused.json);
            assert_ne!(refused.code(), "");
        }
        let faults = created.json["faults"].as_array().expect("faults");
        let pointer = json!("/terms/protection_check/confirmed");
        assert!(faults.iter().any(|fault| fault["pointer"] == pointer), "{faults:?}");
    }
    assert_eq!(version_of(&fixture, &id).await, 1);
    released_by_two(&fixture, &whole).await;
    assert_eq!(version_of(&fixture, &id).await, 2);
}
