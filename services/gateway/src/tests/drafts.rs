//! Drafts: their faults, versions and states.

use rovuma_schemas::limits::FAULTS_SHOWN_MAX;
use serde_json::{Value, json};

use super::support::{Fixture, Reply, missing_person, motorcycle};

/// A draft with a fault in each of five places.
fn faulty() -> Value {
    let mut draft = motorcycle();
    draft["recipients"] = json!(["tz.tpf", "tz.nobody"]);
    draft["terms"]["legal_basis"] = json!("no_such_basis");
    draft["body"]["actions"] = json!([]);
    draft["body"]["subjects"]["vehicles"][0]["colour"] = json!("ultraviolet");
    draft["surprise"] = json!(1);
    draft
}

fn fault_pointers(reply: &Reply) -> Vec<(String, String)> {
    let text = |fault: &Value, key: &str| fault[key].as_str().expect("a text").to_owned();
    let faults = reply.json["faults"].as_array().expect("faults");
    faults.iter().map(|fault| (text(fault, "pointer"), text(fault, "code"))).collect()
}

#[tokio::test]
async fn all_faults_come_at_once_in_the_callers_language() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut sentences = Vec::new();
    for language in ["pt-MZ,pt;q=0.9", "sw", "en"] {
        let caller = officer.with("Accept-Language", language);
        let sent = caller.post("/v1/messages", &faulty()).await.expect(422);
        let validated = caller.post("/v1/drafts/validate", &faulty()).await.expect(422);
        assert_eq!(sent.code(), "draft_faulty");
        assert_eq!(sent.json["faults"], validated.json["faults"]);
        let found = fault_pointers(&sent);
        for (pointer, code) in [
            ("/recipients/1", "recipient_unknown"),
            ("/terms/legal_basis", "unknown_code"),
            ("/body/actions", "too_few"),
            ("/body/subjects/vehicles/0/colour", "unknown_code"),
            ("/surprise", "unknown_field"),
        ] {
            assert!(found.contains(&(pointer.to_owned(), code.to_owned())), "{pointer} {code} in {found:?}");
        }
        sentences.push(sent.json["faults"][0]["message"].as_str().expect("a sentence").to_owned());
    }
    sentences.sort();
    sentences.dedup();
    assert_eq!(sentences.len(), 3, "three languages: {sentences:?}");
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft").await, 0);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 0);
}

#[tokio::test]
async fn an_incomplete_draft_is_kept_with_its_faults_and_goes_nowhere_until_it_has_none() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let begun = json!({ "type": "alert.issue", "reference": "PRM-7", "body": { "category": "vehicle" } });
    let created = officer.post("/v1/drafts", &begun).await.expect(201);
    let path = format!("/v1/drafts/{}", created.id());
    assert_eq!((&created.json["facet"], &created.json["reference"]), (&json!("vehicle"), &json!("PRM-7")));
    assert!(created.json["status"].is_null());
    let found = fault_pointers(&created);
    assert!(found.contains(&("/terms".to_owned(), "missing_field".to_owned())), "{found:?}");
    assert_eq!(created.json["fault_count"].as_u64(), Some(found.len() as u64));
    for step in ["submit", "release"] {
        let refused = officer.step(&format!("{path}/{step}")).await.expect(422);
        assert_eq!(refused.code(), "draft_faulty", "{step}");
        assert_eq!(fault_pointers(&refused), found, "{step}");
    }
    let listed = officer.get("/v1/drafts?type=alert.issue").await.expect(200);
    assert_eq!(listed.json["items"][0]["fault_count"], created.json["fault_count"]);

    let changed = officer.with("If-Match", "\"1\"").put(&path, &faulty()).await.expect(200);
    assert!(fault_pointers(&changed).contains(&("/surprise".to_owned(), "unknown_field".to_owned())));
    let whole = officer.with("If-Match", "\"2\"").put(&path, &motorcycle()).await.expect(200);
    assert_eq!((whole.json["fault_count"].as_u64(), &whole.json["faults"]), (Some(0), &json!([])));
    officer.step(&format!("{path}/release")).await.expect(200);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM sent").await, 1);
}

#[tokio::test]
async fn what_is_no_draft_of_a_known_type_is_not_kept() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    for posted in [json!({}), json!([]), json!({ "type": "receipt.read" }), json!({ "type": "alert.recall" })]
    {
        let refused = officer.post("/v1/drafts", &posted).await.expect(422);
        assert_eq!((refused.code(), fault_pointers(&refused).len()), ("draft_faulty", 1), "{posted}");
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft").await, 0);
}

#[tokio::test]
async fn advice_about_free_text_comes_with_the_draft() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut draft = motorcycle();
    draft["body"]["circumstances"] = json!("O suspeito pediu asilo.");
    let validated = officer.post("/v1/drafts/validate", &draft).await.expect(200);
    let created = officer.post("/v1/drafts", &draft).await.expect(201);
    let path = format!("/v1/drafts/{}", created.id());
    let read = officer.get(&path).await.expect(200);
    let changed = officer.with("If-Match", "\"1\"").put(&path, &draft).await.expect(200);
    let submitted = officer.step(&format!("{path}/submit")).await.expect(200);
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]).with("If-Match", "\"3\"");
    let reviewed = supervisor.get(&path).await.expect(200);
    let released = supervisor.step(&format!("{path}/release")).await.expect(200);
    let sent = officer.post("/v1/messages?despite_duplicates=again", &draft).await.expect(201);
    for reply in [&validated, &created, &read, &changed, &submitted, &reviewed, &released, &sent] {
        assert_eq!(reply.json["advice"][0]["topic"], "asylum", "{}", reply.json);
        assert_eq!(reply.json["advice"][0]["pointer"], "/body/circumstances");
    }
    let plain = officer.post("/v1/messages", &motorcycle()).await.expect(201);
    assert_eq!(plain.json["advice"], json!([]));
}

#[tokio::test]
async fn a_recipient_is_known_by_the_trust_list_alone() {
    let mut fixture = Fixture::start().await;
    let mut draft = motorcycle();
    draft["recipients"] = json!(["tz.tisd"]);
    let post = |fixture: &Fixture| {
        let caller = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
        let draft = draft.clone();
        let request = caller.request(reqwest::Method::POST, "/v1/drafts/validate").json(&draft);
        async move { request.send().await.expect("an answer").status().as_u16() }
    };
    assert_eq!(post(&fixture).await, 200);
    let now = fixture.gateway.base.now();
    fixture.tz.revise();
    fixture
        .tz
        .list
        .end_agency(&super::support::agency("tz.tisd"), now.minus(std::time::Duration::from_secs(2 * 86_400)))
        .expect("ended");
    fixture.tz.publish(now);
    fixture.lists.reload(&fixture.gateway.exchange).await;
    assert_eq!(post(&fixture).await, 422);
}

#[tokio::test]
async fn a_change_names_the_version_it_saw() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let created = officer.create(&motorcycle()).await;
    assert_eq!(created.headers["etag"], "\"1\"");
    let path = created.headers["location"].to_str().expect("text").to_owned();
    let mut other = motorcycle();
    other["reference"] = json!("PRM-2");

    assert_eq!(officer.put(&path, &other).await.expect(428).code(), "if_match_required");
    let changed = officer.with("If-Match", "\"1\"").put(&path, &other).await.expect(200);
    assert_eq!(
        (changed.json["version"].as_i64(), &changed.headers["etag"]),
        (Some(2), &"\"2\"".parse().expect("a header"))
    );
    assert_eq!(
        officer.with("If-Match", "\"1\"").put(&path, &motorcycle()).await.expect(412).code(),
        "version"
    );
    assert_eq!(officer.with("If-Match", "*").put(&path, &motorcycle()).await.expect(400).code(), "if_match");
    let read = officer.get(&path).await.expect(200);
    assert_eq!(read.json["content"]["reference"], "PRM-2");
}

#[tokio::test]
async fn only_the_author_changes_submits_and_discards() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let colleague = fixture.person("officer-2", "mz.prm", &["liaison_officer"]).with("If-Match", "\"1\"");
    let id = officer.create(&motorcycle()).await.id();
    let path = format!("/v1/drafts/{id}");
    assert_eq!(colleague.put(&path, &motorcycle()).await.expect(403).code(), "other_author");
    assert_eq!(colleague.step(&format!("{path}/submit")).await.expect(403).code(), "other_author");
    assert_eq!(colleague.send(reqwest::Method::DELETE, &path, None).await.expect(403).code(), "other_author");
    colleague.get(&path).await.expect(200);
}

#[tokio::test]
async fn a_submitted_draft_stands_still_until_it_is_returned() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let supervisor = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let id = officer.create(&missing_person()).await.id();
    let path = format!("/v1/drafts/{id}");
    let reason = json!({ "reason": "Which district?" });

    assert_eq!(
        supervisor.post(&format!("{path}/return"), &reason).await.expect(409).code(),
        "not_allowed_in_state"
    );
    officer.step(&format!("{path}/submit")).await.expect(200);
    let change = officer.with("If-Match", "\"2\"").put(&path, &missing_person()).await.expect(409);
    assert_eq!(change.code(), "not_allowed_in_state");
    assert_eq!(
        supervisor.post(&format!("{path}/return"), &json!({})).await.expect(422).code(),
        "body_faulty"
    );
    let returned = supervisor.post(&format!("{path}/return"), &reason).await.expect(200);
    assert_eq!(
        (&returned.json["state"], &returned.json["return_reason"]),
        (&json!("returned"), &json!("Which district?"))
    );
    officer.with("If-Match", "\"3\"").put(&path, &missing_person()).await.expect(200);
    let again = officer.step(&format!("{path}/submit")).await.expect(200);
    assert!(again.json.get("return_reason").is_none());
    officer.send(reqwest::Method::DELETE, &path, None).await.expect(200);
    officer.step(&format!("{path}/release")).await.expect(403);
    let actions = ["draft.create", "draft.submit", "draft.return", "draft.change", "draft.discard"];
    for (action, times) in actions.into_iter().zip([1, 2, 1, 1, 1]) {
        assert_eq!(fixture.audited(action).await.len(), times, "{action}");
    }
}

#[tokio::test]
async fn lists_show_open_drafts_and_machines_their_own() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let machine = fixture.machine("system-1", "mz.prm", &["agency_system"]);
    let tick = std::time::Duration::from_millis(1);
    let first = officer.create(&motorcycle()).await.id();
    fixture.clock.advance(tick);
    let second = machine.create(&motorcycle()).await.id();
    let discarded = officer.create(&motorcycle()).await.id();
    officer.send(reqwest::Method::DELETE, &format!("/v1/drafts/{discarded}"), None).await.expect(200);

    assert_eq!(officer.get("/v1/drafts").await.expect(200).ids(), [second.clone(), first.clone()]);
    assert_eq!(officer.get("/v1/drafts?mine=true").await.expect(200).ids(), [first]);
    assert_eq!(officer.get("/v1/drafts?state=discarded").await.expect(200).ids(), [discarded]);
    let own = machine.get("/v1/drafts").await.expect(200);
    assert_eq!(own.ids(), [second]);
    assert!(own.json["items"][0].get("content").is_none(), "lists carry no content");
    officer.get("/v1/drafts?stat=draft").await.expect(400);
    let searches = fixture.audited("draft.search").await;
    assert_eq!((searches.len(), &searches[0]["details"]["hits"]), (4, &json!("2")));
}

#[tokio::test]
async fn a_reference_that_is_not_one_line_is_kept_in_the_content_alone() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    for reference in ["x".repeat(201), "PRM\u{0}7".to_owned()] {
        let mut draft = motorcycle();
        draft["reference"] = json!(reference);
        let created = officer.create(&draft).await;
        assert!(created.json["reference"].is_null(), "{}", created.json["reference"]);
        let read = officer.get(&format!("/v1/drafts/{}", created.id())).await.expect(200);
        assert_eq!(
            (&read.json["content"]["reference"], &read.json["reference"]),
            (&json!(reference), &Value::Null)
        );
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM draft WHERE reference IS NULL").await, 2);
    for event in fixture.audited("draft.create").await {
        assert!(!event.to_string().contains("xxx") && !event.to_string().contains("PRM"), "{event}");
    }
}

#[tokio::test]
async fn a_draft_with_very_many_faults_has_a_small_answer() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let draft = json!({ "type": "alert.issue", "recipients": vec![0; 100_000] });
    let created = officer.with("Idempotency-Key", "once").create(&draft).await;
    let refused = officer.post("/v1/drafts/validate", &draft).await.expect(422);
    for reply in [&created, &refused] {
        assert_eq!(reply.json["faults"].as_array().map(Vec::len), Some(FAULTS_SHOWN_MAX));
        let total = reply.json["faults_total"].as_u64();
        assert!(total.is_some_and(|total| total > 100_000), "{total:?}");
    }
    assert_eq!(created.json["fault_count"], created.json["faults_total"]);
    assert!(refused.json.to_string().len() < 100_000);
    // The kept answer repeats the content, of 200 KB.
    let kept = fixture.count("SELECT MAX(LENGTH(body)) FROM idempotency").await;
    assert!(kept < 300_000, "{kept}");
}

#[tokio::test]
async fn a_submit_that_names_another_version_is_refused_before_anything_else() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    for draft in [motorcycle(), faulty()] {
        let path = format!("/v1/drafts/{}", officer.create(&draft).await.id());
        let submit = officer.with("If-Match", "\"2\"").step(&format!("{path}/submit")).await;
        assert_eq!(submit.expect(412).code(), "version");
        let read = officer.get(&path).await.expect(200);
        assert_eq!((&read.json["state"], &read.json["version"]), (&json!("draft"), &json!(1)));
    }
    assert!(fixture.audited("draft.submit").await.is_empty());
}

#[tokio::test]
async fn a_discarded_draft_keeps_its_row_and_loses_its_content() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let path = format!("/v1/drafts/{}", officer.create(&motorcycle()).await.id());
    officer.send(reqwest::Method::DELETE, &path, None).await.expect(200);
    assert_eq!(fixture.count("SELECT SUM(LENGTH(content)) FROM draft").await, 0);
    let read = officer.get(&path).await.expect(200);
    assert_eq!((&read.json["state"], &read.json["version"]), (&json!("discarded"), &json!(2)));
    assert!(read.json.get("content").is_none() && read.json.get("faults").is_none(), "{}", read.json);
    for step in ["submit", "release"] {
        let refused = officer.step(&format!("{path}/{step}")).await.expect(409);
        assert_eq!(refused.code(), "not_allowed_in_state", "{step}");
    }
    assert_eq!(fixture.audited("draft.discard").await.len(), 1);
}

#[tokio::test]
async fn an_author_has_at_most_500_open_drafts() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let begun = json!({ "type": "alert.issue" });
    let first = officer.with("Idempotency-Key", "first").create(&begun).await.id();
    for _ in 1..500 {
        officer.create(&begun).await;
    }
    let refused = officer.post("/v1/drafts", &begun).await.expect(409);
    assert_eq!(refused.code(), "too_many_drafts");
    let detail = refused.json["detail"].as_str().expect("a sentence");
    assert!(detail.contains("500") && detail.contains("discard"), "{detail}");
    // What was created before is answered again, and a colleague's drafts are their own.
    let again = officer.with("Idempotency-Key", "first").create(&begun).await;
    assert_eq!(again.id(), first);
    fixture.person("officer-2", "mz.prm", &["liaison_officer"]).create(&begun).await;
    officer.send(reqwest::Method::DELETE, &format!("/v1/drafts/{first}"), None).await.expect(200);
    officer.create(&begun).await;
}

#[tokio::test]
async fn a_draft_is_kept_with_what_is_certain_put_right() {
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut draft = motorcycle();
    draft["body"]["subjects"]["vehicles"][0]["plate"]["number"] = json!(" aaa  000 cd");
    let created = officer.create(&draft).await;
    assert_eq!(created.json["advice"][0]["topic"], "put_right");
    assert!(created.json["advice"][0]["message"].as_str().is_some_and(|text| text.contains("aaa  000 cd")));
    let plate = "/content/body/subjects/vehicles/0/plate/number";
    assert_eq!(created.json.pointer(plate), Some(&json!("AAA 000 CD")));
    let path = format!("/v1/drafts/{}", created.id());
    let read = officer.get(&path).await.expect(200);
    assert_eq!(read.json.pointer(plate), Some(&json!("AAA 000 CD")));
    assert_eq!(read.json["advice"], json!([]), "what is kept is right");
    let released = officer.step(&format!("{path}/release")).await.expect(200);
    let message = officer.get(&format!("/v1/messages/{}", released.id())).await.expect(200);
    assert!(message.json.to_string().contains("AAA 000 CD"));
}
