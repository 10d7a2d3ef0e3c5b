//! Hits: reported where something was found, confirmed by the alert's owner alone, and bound to that alert.

use std::time::Duration;

use rovuma_schemas::{CaseId, CaseSoFar};
use serde_json::{Value, json};

use super::support::{Client, Fixture, example, motorcycle};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn border(fixture: &Fixture) -> Client<'_> {
    fixture.person("border-1", "mz.prm", &["border_officer"])
}

fn officer(fixture: &Fixture) -> Client<'_> {
    fixture.person("officer-1", "mz.prm", &["liaison_officer"])
}

fn following(name: &str, case: &CaseId) -> Value {
    let mut draft = example(name);
    draft["case"] = json!(case);
    draft
}

/// The report that the plate of this alert was read.
pub(super) fn notice(alert: &CaseId, content: &Value) -> Value {
    let mut draft = example("hit-notify");
    draft["recipients"] = json!([alert.owner]);
    draft["body"]["alert"] = json!(alert);
    draft["body"]["found_at"] = json!("2026-11-23T17:59:00Z");
    draft["body"]["matched"]["value"] = content["body"]["subjects"]["vehicles"][0]["plate"]["number"].clone();
    draft.as_object_mut().expect("a draft").remove("reference");
    draft
}

fn held_until(draft: &mut Value, at: rovuma_schemas::Timestamp) {
    draft["body"]["held_until"] = json!(at);
}

impl Fixture {
    /// An alert of `tz.tpf` about a motorcycle, with its content.
    pub(super) async fn wanted(&self) -> (CaseId, Value) {
        let alert = motorcycle();
        let id = self.receive("mz.prm", 1, &alert).await;
        (format!("alert/tz.tpf/{id}").parse().expect("a case"), alert)
    }

    async fn case_of(&self, case: &CaseId) -> Value {
        officer(self).get(&format!("/v1/cases/{case}")).await.expect(200).json
    }

    /// The hit that the post reports about this alert.
    async fn hit(&self, alert: &CaseId, content: &Value) -> CaseId {
        let id = border(self).post("/v1/messages", &notice(alert, content)).await.expect(201).id();
        format!("hit/mz.prm/{id}").parse().expect("a case")
    }
}

fn hour_after(fixture: &Fixture, hours: u32) -> rovuma_schemas::Timestamp {
    fixture.gateway.base.now().plus(HOUR * hours)
}

#[tokio::test]
async fn a_post_reports_asks_and_acts_once_the_owner_has_confirmed() {
    let fixture = Fixture::start().await;
    let (alert, content) = fixture.wanted().await;
    let case = fixture.hit(&alert, &content).await;
    let opened = fixture.case_of(&case).await;
    assert_eq!((&opened["case"]["state"], &opened["case"]["facet"]), (&json!("notified"), &json!("plate")));
    assert_eq!(opened["hit"]["found"]["alert"], json!(alert));
    assert_eq!((&opened["hit"]["may_act"], &opened["hit"]["must_release"]), (&json!(false), &json!(false)));

    let mut ask = following("hit-ask-confirmation", &case);
    held_until(&mut ask, hour_after(&fixture, 12));
    let asked = border(&fixture).post("/v1/messages", &ask).await.expect(201).id();
    assert_eq!(fixture.case_of(&case).await["case"].get("due"), None, "not delivered: no clock");
    fixture.delivered("tz.tpf", "mz.prm", &asked).await;
    let waiting = fixture.case_of(&case).await;
    assert_eq!((&waiting["case"]["state"], &waiting["case"]["ball"]), (&json!("asked"), &json!("theirs")));
    assert_eq!(waiting["case"]["due"], json!(hour_after(&fixture, 1)), "somebody waits at the crossing");

    // Only the owner confirms.
    let confirm = following("hit-confirm", &case);
    assert_eq!(
        officer(&fixture).post("/v1/messages", &confirm).await.expect(409).code(),
        "not_allowed_in_state"
    );
    fixture.says("tz.tpf", &confirm, &case, (1, 2), &CaseSoFar::default()).await;
    let confirmed = fixture.case_of(&case).await;
    assert_eq!(
        (&confirmed["case"]["state"], &confirmed["hit"]["may_act"]),
        (&json!("confirmed"), &json!(true))
    );

    let mut report = following("hit-action-report", &case);
    report["body"]["at"] = json!("2026-11-23T17:59:30Z");
    border(&fixture).post("/v1/messages", &report).await.expect(201);
    assert_eq!(fixture.case_of(&case).await["hit"]["actions"], json!(["seize"]));
    border(&fixture).post("/v1/messages", &following("hit-close", &case)).await.expect(201);
    assert_eq!(fixture.case_of(&case).await["case"]["state"], "closed");
    // The alert shows its hits.
    let alert = fixture.case_of(&alert).await;
    assert_eq!(
        (&alert["hanging"][0]["case"], &alert["hanging"][0]["state"]),
        (&json!(case), &json!("closed"))
    );
}

/// Whatever happens to the alert is seen in its hits at once.
#[tokio::test]
async fn a_withdrawn_alert_is_no_ground_to_act_and_red_where_somebody_did() {
    let fixture = Fixture::start().await;
    let (alert, content) = fixture.wanted().await;
    let (acted, waiting) = (fixture.hit(&alert, &content).await, fixture.hit(&alert, &content).await);
    for case in [&acted, &waiting] {
        let confirm = following("hit-confirm", case);
        fixture.says("tz.tpf", &confirm, case, (1, 1), &CaseSoFar::default()).await;
    }
    let report = |case: &CaseId| {
        let mut report = following("hit-action-report", case);
        report["body"]["at"] = json!("2026-11-23T17:59:30Z");
        report
    };
    border(&fixture).post("/v1/messages", &report(&acted)).await.expect(201);
    let asked = fixture.hit(&alert, &content).await;
    let mut ask = following("hit-ask-confirmation", &asked);
    held_until(&mut ask, hour_after(&fixture, 12));
    border(&fixture).post("/v1/messages", &ask).await.expect(201);
    let before = fixture.gateway.base.now();
    fixture.clock.advance(HOUR / 60);
    let mut withdraw = example("alert-withdraw");
    withdraw["case"] = json!(alert);
    withdraw.as_object_mut().expect("a draft").remove("in_reply_to");
    fixture.says("tz.tpf", &withdraw, &alert, (2, 0), &CaseSoFar::default()).await;

    let red = fixture.case_of(&acted).await;
    assert_eq!(
        (&red["hit"]["contested"], &red["hit"]["must_release"]),
        (&json!(true), &json!(true)),
        "{red}"
    );
    assert_eq!(red["case"]["ball"], "ours");
    let listed = officer(&fixture).get("/v1/cases?kind=hit&ball=ours").await.expect(200).json;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(3), "{listed}");
    let free = fixture.case_of(&waiting).await;
    assert_eq!((&free["hit"]["may_act"], &free["hit"]["must_release"]), (&json!(false), &json!(true)));
    let refused = border(&fixture).post("/v1/messages", &report(&waiting)).await.expect(409);
    assert_eq!(refused.code(), "not_allowed_in_state");
    let mut released = report(&waiting);
    released["body"]["act"] = json!("released");
    released["body"].as_object_mut().expect("a body").remove("actions");
    border(&fixture).post("/v1/messages", &released).await.expect(201);
    // One that nobody has confirmed yet is ours to end too, whatever its owner still owes.
    let asked = &asked;
    let open = fixture.case_of(asked).await;
    assert_eq!((&open["case"]["state"], &open["case"]["ball"]), (&json!("asked"), &json!("ours")), "{open}");
    // As it was shown before, the alert was no reason to release.
    let replayed = officer(&fixture).get(&format!("/v1/cases/{asked}?at={before}")).await.expect(200).json;
    assert_eq!(replayed["hit"]["must_release"], false, "{replayed}");
    // Nobody reports a new hit on it.
    let again = border(&fixture).post("/v1/messages", &notice(&alert, &content)).await.expect(409);
    assert_eq!(again.code(), "not_allowed_in_state");
}

/// A hit says nothing about anybody that its alert does not say.
#[tokio::test]
async fn a_hit_names_an_alert_that_is_here_and_what_that_alert_has() {
    let fixture = Fixture::start().await;
    let (alert, content) = fixture.wanted().await;
    let unknown: CaseId = "alert/tz.tpf/0199c5a1-7b3e-7001-8a10-0000000000aa".parse().expect("a case");
    let refused = border(&fixture).post("/v1/messages", &notice(&unknown, &content)).await.expect(409);
    assert_eq!(refused.code(), "case_unknown");
    let mut other = notice(&alert, &content);
    other["body"]["matched"]["value"] = json!("XYZ 999 ZZ");
    let refused = border(&fixture).post("/v1/messages", &other).await.expect(409);
    assert_eq!(refused.code(), "not_in_alert");
    // Spaces and letters that look like digits make no difference.
    let mut same = notice(&alert, &content);
    let plate =
        same["body"]["matched"]["value"].as_str().expect("a plate").replace([' ', '-'], "").to_lowercase();
    same["body"]["matched"]["value"] = json!(plate);
    border(&fixture).post("/v1/messages", &same).await.expect(201);
    let mut elsewhere = notice(&alert, &content);
    elsewhere["recipients"] = json!(["tz.tisd"]);
    let refused = border(&fixture).post("/v1/messages", &elsewhere).await.expect(422);
    assert!(refused.json.to_string().contains("hit_recipient"), "{refused:?}");
}

/// A machine only notifies: of what an exact rule found, in no words of its own.
#[tokio::test]
async fn a_machine_notifies_and_nothing_else() {
    let fixture = Fixture::start().await;
    let machine = fixture.machine("watchlist", "mz.prm", &["watchlist_service"]);
    let (alert, content) = fixture.wanted().await;
    let mut found = notice(&alert, &content);
    assert_eq!(machine.post("/v1/messages", &found).await.expect(403).code(), "person_only", "it has a note");
    found["body"].as_object_mut().expect("a body").remove("note");
    let mut judged = found.clone();
    judged["body"]["rule"]["code"] = json!("review");
    assert_eq!(machine.post("/v1/messages", &judged).await.expect(403).code(), "person_only");
    let mut judged = found.clone();
    judged["body"]["matched"]["kind"] = json!("name");
    assert_eq!(machine.post("/v1/messages", &judged).await.expect(403).code(), "person_only");
    let mut telephone = found.clone();
    telephone["body"]["matched"] = json!({ "kind": "imei", "value": "35-209900-176148-1" });
    assert_eq!(machine.post("/v1/messages", &telephone).await.expect(409).code(), "not_in_alert");
    // What a third agency sent about the same vehicle is no reason not to tell the alert's owner what it said itself.
    let mut restricted = content.clone();
    restricted["terms"]["handling"] = json!({ "code": "H2" });
    fixture.receive_under(&alert.id.to_string(), "tz.tisd", "mz.prm", &restricted).await;
    let id = machine.post("/v1/messages", &found).await.expect(201).id();
    let case: CaseId = format!("hit/mz.prm/{id}").parse().expect("a case");
    let mut ask = following("hit-ask-confirmation", &case);
    held_until(&mut ask, hour_after(&fixture, 12));
    for draft in [ask, following("hit-retract", &case), following("hit-close", &case), motorcycle()] {
        assert_eq!(machine.post("/v1/messages", &draft).await.expect(403).code(), "role", "{draft}");
    }
    for path in ["/v1/inbox", "/v1/cases", "/v1/sent", "/v1/drafts"] {
        assert_eq!(machine.get(path).await.expect(403).code(), "role", "{path}");
    }
}

/// The report that this document was read, of a series that the alert names: as a machine sends it.
fn in_series(alert: &CaseId, content: &Value, number: &str) -> Value {
    let mut draft = notice(alert, content);
    draft["body"]["matched"] = json!({ "kind": "document_series", "value": number });
    draft["body"]["rule"] = json!({ "code": "document_exact", "version": 1 });
    let body = draft["body"].as_object_mut().expect("a body");
    body.remove("note");
    body.remove("subject");
    draft
}

/// The gateway compares a number with both ends of each series of the alert, whoever reports it.
#[tokio::test]
async fn a_number_within_a_series_is_reported_and_no_other() {
    let fixture = Fixture::start().await;
    let content = example("alert-stolen-passports");
    let id = fixture.receive("mz.prm", 1, &content).await;
    let alert: CaseId = format!("alert/tz.tpf/{id}").parse().expect("a case");
    let (vehicle, motorcycle) = fixture.wanted().await;
    let machine = fixture.machine("watchlist", "mz.prm", &["watchlist_service"]);
    let post = border(&fixture);
    for caller in [&machine, &post] {
        for number in ["MZ0000100", "MZ0000149", "MZ0000123", "mz 0000-123"] {
            let id = caller.post("/v1/messages", &in_series(&alert, &content, number)).await.expect(201).id();
            let case: CaseId = format!("hit/mz.prm/{id}").parse().expect("a case");
            let opened = fixture.case_of(&case).await;
            assert_eq!(opened["hit"]["found"]["matched"], "document_series", "{number}");
        }
        // One below, one above, another prefix, other lengths, letters for digits, and the alert's single document.
        let others =
            ["MZ0000099", "MZ0000150", "MA0000123", "MZ000123", "MZ00000123", "MZOOOO123", "15EX00042"];
        for number in others {
            let refused = caller.post("/v1/messages", &in_series(&alert, &content, number)).await.expect(409);
            assert_eq!(refused.code(), "not_in_alert", "{number}");
            let detail = refused.json["detail"].as_str().expect("a sentence");
            assert!(detail.contains("/body/matched/value"), "{detail}");
        }
        // An alert without a series.
        let refused = caller.post("/v1/messages", &in_series(&vehicle, &motorcycle, "MZ0000123")).await;
        assert_eq!(refused.expect(409).code(), "not_in_alert");
        // A number within a series is no document of the alert.
        let mut single = in_series(&alert, &content, "MZ0000123");
        single["body"]["matched"]["kind"] = json!("document");
        assert_eq!(caller.post("/v1/messages", &single).await.expect(409).code(), "not_in_alert");
    }
    let empty = machine.post("/v1/messages", &in_series(&alert, &content, "--")).await.expect(422);
    assert!(empty.json.to_string().contains("matched_empty"), "{empty:?}");
    let mut judged = in_series(&alert, &content, "MZ0000123");
    judged["body"]["rule"]["code"] = json!("review");
    assert_eq!(machine.post("/v1/messages", &judged).await.expect(403).code(), "person_only");
    post.post("/v1/messages", &judged).await.expect(201);
}

/// What an earlier version named was looked for, and may be found before anybody has the new one.
#[tokio::test]
async fn a_series_of_any_version_counts_until_the_alert_is_withdrawn() {
    let fixture = Fixture::start().await;
    let content = example("alert-stolen-passports");
    let id = fixture.receive("mz.prm", 1, &content).await;
    let alert: CaseId = format!("alert/tz.tpf/{id}").parse().expect("a case");
    let machine = fixture.machine("watchlist", "mz.prm", &["watchlist_service"]);
    let mut update = following("alert-update-one-found", &alert);
    let documents = &mut update["body"]["alert"]["subjects"]["documents"];
    (documents[0]["number"], documents[0]["number_to"]) = (json!("MZ0000200"), json!("MZ0000249"));
    let issued = CaseSoFar {
        version: 1,
        keys: ["d1", "d2"].map(|key| key.parse().expect("a key")).into(),
        ..CaseSoFar::default()
    };
    fixture.says("tz.tpf", &update, &alert, (2, 0), &issued).await;
    for (number, status) in [("MZ0000210", 201), ("MZ0000110", 201), ("MZ0000150", 409)] {
        machine.post("/v1/messages", &in_series(&alert, &content, number)).await.expect(status);
    }
    let mut withdraw = following("alert-withdraw", &alert);
    withdraw.as_object_mut().expect("a draft").remove("in_reply_to");
    fixture.says("tz.tpf", &withdraw, &alert, (3, 0), &CaseSoFar::default()).await;
    let refused = machine.post("/v1/messages", &in_series(&alert, &content, "MZ0000210")).await.expect(409);
    assert_eq!(refused.code(), "not_allowed_in_state");
}

/// The owner's side: its officers confirm, a border officer does not, and a withdrawn alert is not confirmed.
#[tokio::test]
async fn the_owner_confirms_while_its_alert_stands() {
    let fixture = Fixture::start().await;
    let mut content = motorcycle();
    content["recipients"] = json!(["tz.tpf"]);
    let issued = officer(&fixture).issue(&content).await;
    let alert: CaseId = format!("alert/mz.prm/{issued}").parse().expect("a case");
    let now = fixture.gateway.base.now();
    let mut cases = Vec::new();
    for number in 1..3 {
        let id = rovuma_schemas::MessageId::draw(now);
        let case: CaseId = format!("hit/tz.tpf/{id}").parse().expect("a case");
        let draft = notice(&alert, &content);
        let own = case.clone();
        let jws = fixture.tz.message_with(
            id,
            ("tz.tpf", "mz.prm", number),
            &draft,
            now,
            &CaseSoFar::default(),
            |header| (header.case, header.turn) = (Some(own), Some(1)),
        );
        let origin = rovuma_envelope::Origin::Ingress(case.owner.country());
        fixture.deliver("mz.prm", origin, jws).await;
        cases.push(case);
    }
    let confirm = following("hit-confirm", &cases[0]);
    assert_eq!(border(&fixture).post("/v1/messages", &confirm).await.expect(403).code(), "role");
    officer(&fixture).post("/v1/messages", &confirm).await.expect(201);
    assert_eq!(fixture.case_of(&cases[0]).await["case"]["state"], "confirmed");
    // What the reporter does, and takes back, is its own.
    let own = officer(&fixture).post("/v1/messages", &following("hit-retract", &cases[0])).await;
    assert_eq!(own.expect(409).code(), "not_allowed_in_state");

    let chief = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let mut withdraw = example("alert-withdraw");
    withdraw["case"] = json!(alert);
    withdraw.as_object_mut().expect("a draft").remove("in_reply_to");
    chief.post("/v1/messages", &withdraw).await.expect(201);
    let late = officer(&fixture).post("/v1/messages", &following("hit-confirm", &cases[1])).await;
    assert_eq!(late.expect(409).code(), "not_allowed_in_state");
    let mut release = following("hit-confirm", &cases[1]);
    release["body"]["word"] = json!("not_confirmed");
    officer(&fixture).post("/v1/messages", &release).await.expect(201);
    fixture
        .says("tz.tpf", &following("hit-retract", &cases[1]), &cases[1], (2, 1), &CaseSoFar::default())
        .await;
    assert_eq!(fixture.case_of(&cases[1]).await["case"]["state"], "retracted");
}
