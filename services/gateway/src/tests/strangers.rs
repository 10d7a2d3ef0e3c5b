//! What an agency with valid keys tries in cases: those of others, those that it invents, and its own.

use std::time::Duration;

use rovuma_schemas::{CaseId, CaseSoFar, Date, MessageId};
use serde_json::{Value, json};

use super::support::{Client, Fixture, agency, example, motorcycle};
use crate::exchange::restored;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn officer(fixture: &Fixture) -> Client<'_> {
    fixture.person("officer-1", "mz.prm", &["liaison_officer"])
}

fn supervisor(fixture: &Fixture) -> Client<'_> {
    fixture.person("chief-1", "mz.prm", &["supervisor"])
}

/// The example, following in this case.
fn following(name: &str, case: &CaseId) -> Value {
    let mut draft = example(name);
    draft["case"] = json!(case);
    draft.as_object_mut().expect("a draft").remove("in_reply_to");
    draft
}

fn case_named(kind: &str, owner: &str, id: impl ToString) -> CaseId {
    format!("{kind}/{owner}/{}", id.to_string()).parse().expect("a case")
}

/// A newer version of an alert about a motorcycle.
fn update(case: &CaseId) -> Value {
    let alert = motorcycle();
    let mut draft = following("alert-update", case);
    draft["terms"] = alert["terms"].clone();
    draft["body"] = json!({ "alert": alert["body"] });
    for (list, key) in [("vehicles", "v1"), ("places", "l1")] {
        draft["body"]["alert"]["subjects"][list][0]["key"] = json!(key);
    }
    draft
}

/// A withdrawal of the case, kept until this day.
fn withdrawal(case: &CaseId, kept_until: Date) -> Value {
    let mut draft = following("alert-withdraw", case);
    draft["terms"]["retain_until"] = json!(kept_until);
    draft
}

impl Fixture {
    /// An alert of `mz.prm` to `tz.tpf` alone.
    async fn alert_to_tpf(&self) -> CaseId {
        let mut alert = motorcycle();
        alert["recipients"] = json!(["tz.tpf"]);
        case_named("alert", "mz.prm", officer(self).issue(&alert).await)
    }

    async fn opened(&self, case: &CaseId) -> Value {
        officer(self).get(&format!("/v1/cases/{case}")).await.expect(200).json
    }

    /// Faults of cases that an alarm told of.
    async fn case_alarms(&self, detail: &str) -> usize {
        let alarms = supervisor(self).get("/v1/alarms?limit=200").await.expect(200).json;
        let alarms = alarms["items"].as_array().expect("alarms");
        alarms.iter().filter(|alarm| alarm["kind"] == "case_fault" && alarm["detail"] == detail).count()
    }
}

/// Other cases and groups name a case: whoever knows its id gets nothing of it, and changes nothing in it.
#[tokio::test]
async fn an_agency_that_knows_the_id_of_a_case_is_no_party_of_it() {
    let fixture = Fixture::start().await;
    let case = fixture.alert_to_tpf().await;
    let flag = following("alert-flag", &case);
    fixture.says("tz.tisd", &flag, &case, (1, 1), &CaseSoFar::default()).await;
    let opened = fixture.opened(&case).await;
    assert_eq!(opened["alert"]["flagged"], json!([]), "{opened}");
    assert_eq!(opened["case"]["messages"], 1);
    let recipients = opened["alert"]["recipients"].as_array().expect("recipients");
    assert_eq!(recipients.iter().map(|one| &one["agency"]).collect::<Vec<_>>(), ["tz.tpf"]);
    assert_eq!(fixture.case_alarms("case_not_a_party").await, 1);
    // It is readable like every verified message.
    let inbox = officer(&fixture).get("/v1/inbox").await.expect(200);
    assert_eq!(inbox.ids().len(), 1);

    let withdrawn = supervisor(&fixture).post("/v1/messages", &following("alert-withdraw", &case)).await;
    let copies = withdrawn.expect(201).json["copies"].clone();
    let copies = copies.as_array().expect("copies");
    assert_eq!(copies.iter().map(|copy| &copy["recipient"]).collect::<Vec<_>>(), ["tz.tpf"]);
    // A party does what its part is.
    fixture.says("tz.tpf", &flag, &case, (1, 1), &CaseSoFar::default()).await;
    assert_eq!(fixture.opened(&case).await["alert"]["flagged"], json!(["tz.tpf"]));
}

/// Nor in a case of somebody else: what another recipient says goes to its owner alone.
#[tokio::test]
async fn nobody_writes_to_us_in_the_case_of_a_third_agency() {
    let fixture = Fixture::start().await;
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let case = case_named("alert", "tz.tpf", id);
    let withdraw = following("alert-withdraw", &case);
    for name in ["alert-flag", "purge-certify"] {
        fixture.says("tz.tisd", &following(name, &case), &case, (1, 1), &CaseSoFar::default()).await;
    }
    fixture.says("tz.tisd", &withdraw, &case, (3, 1), &CaseSoFar::default()).await;
    let opened = fixture.opened(&case).await;
    assert_eq!((&opened["case"]["state"], &opened["case"]["messages"]), (&json!("active"), &json!(1)));
    assert_eq!(fixture.case_alarms("case_not_a_party").await, 3);
}

#[tokio::test]
async fn a_case_of_ours_that_is_invented_is_none() {
    let fixture = Fixture::start().await;
    for (kind, name) in
        [("permission", "permission-decide"), ("alert", "alert-flag"), ("request", "request-ask")]
    {
        let case = case_named(kind, "mz.prm", MessageId::draw(fixture.gateway.base.now()));
        fixture.says("tz.tpf", &following(name, &case), &case, (1, 0), &CaseSoFar::default()).await;
        officer(&fixture).get(&format!("/v1/cases/{case}")).await.expect(404);
    }
    assert_eq!(fixture.count("SELECT COUNT(*) FROM case_file").await, 0);
    assert_eq!(fixture.count("SELECT COUNT(*) FROM received").await, 3);
    assert_eq!(fixture.case_alarms("case_not_a_party").await, 3);
}

/// A partner says that our store is an older copy, and that it has seen four hundred turns of ours.
#[tokio::test]
async fn nobody_makes_an_alert_of_ours_impossible_to_withdraw() {
    let fixture = Fixture::start().await;
    let case = fixture.alert_to_tpf().await;
    fixture.clock.advance(HOUR);
    fixture.restored().await;
    let flag = following("alert-flag", &case);
    fixture
        .says_with("tz.tpf", &flag, &case, &CaseSoFar::default(), |header| {
            header.seen = [(agency("mz.prm"), 400)].into();
        })
        .await;
    let withdraw = supervisor(&fixture).post("/v1/messages", &following("alert-withdraw", &case)).await;
    withdraw.expect(201);
    assert_eq!(fixture.opened(&case).await["case"]["state"], "withdrawn");
    // What was opened since can have lost nothing: there nobody's word counts.
    fixture.clock.advance(HOUR);
    let later = fixture.alert_to_tpf().await;
    let flag = following("alert-flag", &later);
    fixture
        .says_with("tz.tpf", &flag, &later, &CaseSoFar::default(), |header| {
            header.seen = [(agency("mz.prm"), 400)].into();
        })
        .await;
    officer(&fixture).post("/v1/messages", &update(&later)).await.expect(201);
    // In the older one it does: what its store may have forgotten is not said again.
    let withdrawn =
        "SELECT turn FROM case_message WHERE sender = 'mz.prm' AND message_type = 'alert.withdraw'";
    assert_eq!(fixture.count(withdrawn).await, 401);
    assert_eq!(
        fixture.count("SELECT MAX(turn) FROM case_message WHERE message_type = 'alert.update'").await,
        2
    );
}

impl Fixture {
    /// The store was restored, as the gateway notices.
    async fn restored(&self) {
        self.gateway.base.store.renew_identity().await.expect("renamed");
        restored::record_if_restored(&self.gateway.exchange).await.expect("recorded");
        assert_eq!(self.count("SELECT COUNT(*) FROM alarm WHERE kind = 'store_restored'").await, 2);
    }
}

/// Nobody has the proof of what they did erased overnight.
#[tokio::test]
async fn what_a_partner_sent_is_kept_for_a_week_whatever_it_says() {
    let fixture = Fixture::start().await;
    let id = fixture.receive("mz.prm", 1, &motorcycle()).await;
    let case = case_named("alert", "tz.tpf", id);
    let today = Date::of(fixture.gateway.base.now());
    fixture.says("tz.tpf", &withdrawal(&case, today), &case, (2, 0), &CaseSoFar::default()).await;
    let due_after = async |days: u32| {
        fixture.clock.advance(DAY * days);
        let mut conn = fixture.gateway.base.store.read().acquire().await.expect("a connection");
        crate::retention::due::due(&mut conn, fixture.gateway.base.now(), 10).await.expect("reads").len()
    };
    assert_eq!(due_after(6).await, 0);
    assert_eq!(due_after(2).await, 1);
}

/// The answerer's clock stops at an answer. Later receipts do not turn it back, nor do receipts from long ago turn it on and on.
#[tokio::test]
async fn receipts_do_not_turn_a_clock_back() {
    let fixture = Fixture::start().await;
    let mut request = example("request-vehicle");
    let body = request["body"].as_object_mut().expect("a body");
    for member in ["needed_by", "related", "group"] {
        body.remove(member);
    }
    body["questions"].as_array_mut().expect("questions").truncate(2);
    let id = officer(&fixture).post("/v1/messages", &request).await.expect(201).id();
    let case = case_named("request", "mz.prm", &id);
    fixture.clock.advance(HOUR);
    fixture.delivered("tz.tpf", "mz.prm", &id).await;
    fixture.clock.advance(DAY * 20);
    // Two hours apart by what they say, and all at once.
    let began = fixture.gateway.base.now().minus(DAY * 19);
    for step in 0..20 {
        fixture.delivered_at("tz.tpf", "mz.prm", &id, began.plus(HOUR * 2 * step)).await;
    }
    let spent = |view: &Value| view["request"]["spent_s"].as_u64().expect("a time");
    let twenty_days = 20 * DAY.as_secs();
    assert_eq!(spent(&fixture.opened(&case).await), twenty_days);

    let mut answer = following("request-answer", &case);
    answer["body"]["answers"].as_array_mut().expect("answers").truncate(2);
    let so_far =
        CaseSoFar { questions: [1, 2].into(), open_questions: [1, 2].into(), ..CaseSoFar::default() };
    fixture.says("tz.tpf", &answer, &case, (1, 1), &so_far).await;
    fixture.clock.advance(HOUR * 3);
    fixture.delivered("tz.tpf", "mz.prm", &id).await;
    let answered = fixture.opened(&case).await;
    assert_eq!((spent(&answered), &answered["request"]["punctuality"]), (twenty_days, &json!("late")));
}

/// An answer that leaves a question open is one in part, whatever its sender calls it.
#[tokio::test]
async fn an_answer_that_says_nothing_settles_nothing() {
    let fixture = Fixture::start().await;
    let mut request = example("request-vehicle");
    let body = request["body"].as_object_mut().expect("a body");
    for member in ["needed_by", "related", "group"] {
        body.remove(member);
    }
    let id = officer(&fixture).post("/v1/messages", &request).await.expect(201).id();
    let case = case_named("request", "mz.prm", &id);
    fixture.delivered("tz.tpf", "mz.prm", &id).await;
    // Its own gateway would not sign it: it names one of four questions.
    let mut short = following("request-answer", &case);
    short["body"]["answers"].as_array_mut().expect("answers").truncate(1);
    let so_far = CaseSoFar { questions: [1].into(), open_questions: [1].into(), ..CaseSoFar::default() };
    fixture.says("tz.tpf", &short, &case, (1, 1), &so_far).await;
    let opened = fixture.opened(&case).await;
    assert_eq!((&opened["case"]["state"], &opened["case"]["ball"]), (&json!("open"), &json!("theirs")));
    assert_eq!(
        (&opened["request"]["disclosed"], &opened["request"].get("settled_at")),
        (&json!(true), &None)
    );
    // The rest completes it.
    let mut rest = following("request-answer", &case);
    rest["body"]["answers"].as_array_mut().expect("answers").remove(0);
    let so_far =
        CaseSoFar { questions: [2, 3, 4].into(), open_questions: [2, 3, 4].into(), ..CaseSoFar::default() };
    fixture.says("tz.tpf", &rest, &case, (2, 1), &so_far).await;
    assert_eq!(fixture.opened(&case).await["case"]["state"], "answered");
}

/// The second pair of eyes is that of the agency which released it.
#[tokio::test]
async fn the_other_party_does_not_confirm_our_emergency_release() {
    let fixture = Fixture::start().await;
    let mut request = example("request-identity-check");
    request["recipients"] = json!(["tz.tpf"]);
    request["terms"]["handling"] = json!({ "code": "H2" });
    request["terms"]["emergency"] = json!({ "reason": "A testemunha corre perigo." });
    let body = request["body"].as_object_mut().expect("a body");
    for member in ["needed_by", "related", "group"] {
        body.remove(member);
    }
    let id = officer(&fixture).post("/v1/messages", &request).await.expect(201).id();
    let case = case_named("request", "mz.prm", &id);
    let confirm_by = fixture.opened(&case).await["request"]["confirm_by"].clone();
    assert!(confirm_by.is_string(), "{confirm_by}");
    let mut confirm = example("release-confirm");
    confirm["case"] = json!(case);
    confirm["in_reply_to"] = json!(id);
    fixture
        .says_with("tz.tpf", &confirm, &case, &CaseSoFar::default(), |header| {
            header.in_reply_to = Some(case.id);
            header.seen = [(agency("mz.prm"), 1)].into();
        })
        .await;
    let opened = fixture.opened(&case).await;
    assert_eq!(opened["request"]["confirm_by"], confirm_by);
    assert_eq!(opened["warnings"][0]["code"], "case_message_unlawful", "{opened}");
    fixture.clock.advance(HOUR * 13);
    assert_eq!(fixture.opened(&case).await["case"]["state"], "suspended");
}

/// The message that opens a case says whether it is in earnest; what says otherwise changes nothing.
#[tokio::test]
async fn a_case_is_in_earnest_if_its_opener_is() {
    let fixture = Fixture::start().await;
    let id = MessageId::draw(fixture.gateway.base.now());
    let case = case_named("alert", "tz.tpf", id);
    let mut reply = following("alert-reply", &case);
    reply["status"] = json!("test");
    reply["in_reply_to"] = json!(id);
    fixture.says("tz.tpf", &reply, &case, (2, 0), &CaseSoFar::default()).await;
    let mut alert = motorcycle();
    alert["status"] = json!("actual");
    let jws =
        fixture.tz.alert_with(id, ("tz.tpf", "mz.prm", 1), &alert, fixture.gateway.base.now(), |header| {
            header.case = Some(case.clone());
            header.turn = Some(1);
        });
    let origin = rovuma_envelope::Origin::Ingress(agency("tz.tpf").country());
    fixture.deliver("mz.prm", origin, jws).await;
    let opened = fixture.opened(&case).await;
    assert_eq!((&opened["case"]["status"], &opened["case"]["state"]), (&json!("actual"), &json!("active")));
    let mut withdraw = following("alert-withdraw", &case);
    withdraw["status"] = json!("exercise");
    fixture.says("tz.tpf", &withdraw, &case, (3, 0), &CaseSoFar::default()).await;
    assert_eq!(fixture.opened(&case).await["case"]["state"], "active");
    assert_eq!(fixture.case_alarms("case_other_status").await, 1);
}

/// A case is opened once: what a partner says later does not make an exercise of it.
#[tokio::test]
async fn a_second_opener_does_not_change_what_a_case_is() {
    let fixture = Fixture::start().await;
    let mut alert = motorcycle();
    alert["status"] = json!("actual");
    let id = fixture.receive("mz.prm", 1, &alert).await;
    let case = case_named("alert", "tz.tpf", &id);
    alert["status"] = json!("exercise");
    let origin = id.parse::<MessageId>().expect("an id");
    fixture
        .says_with("tz.tpf", &alert, &case, &CaseSoFar::default(), |header| header.replaces = Some(origin))
        .await;
    let mut reply = following("alert-reply", &case);
    reply["status"] = json!("exercise");
    reply["in_reply_to"] = json!(id);
    fixture.says("tz.tpf", &reply, &case, (1, 0), &CaseSoFar::default()).await;
    assert_eq!(fixture.opened(&case).await["case"]["status"], "actual");
    assert_eq!(fixture.case_alarms("case_other_status").await, 2);
}

/// What comes together is judged as if it came one by one.
#[tokio::test]
async fn a_second_opener_in_the_same_bundle_changes_nothing_either() {
    let fixture = Fixture::start().await;
    let now = fixture.gateway.base.now();
    let first = MessageId::draw(now);
    let case = case_named("alert", "tz.tpf", first);
    let mut alert = motorcycle();
    let message = |number: u64, status: &str, alert: &mut Value| {
        let id = if number == 1 { first } else { MessageId::draw(now) };
        alert["status"] = json!(status);
        fixture.tz.alert_with(id, ("tz.tpf", "mz.prm", number), alert, now, |header| {
            (header.case, header.turn) = (Some(case.clone()), Some(1));
            header.replaces = (number > 1).then_some(first);
        })
    };
    let together = vec![message(1, "actual", &mut alert), message(2, "exercise", &mut alert)];
    let origin = rovuma_envelope::Origin::Ingress(agency("tz.tpf").country());
    fixture.deliver_together("mz.prm", origin, together).await;
    assert_eq!(fixture.opened(&case).await["case"]["status"], "actual");
    assert_eq!(fixture.case_alarms("case_other_status").await, 1);
}

/// The stream brings a partner's case again, from the time before our store was restored: what we said in it then is not said again.
#[tokio::test]
async fn a_case_that_comes_again_after_a_restore_is_as_old_as_its_opener() {
    let fixture = Fixture::start().await;
    let signed = fixture.gateway.base.now();
    let id = MessageId::draw(signed);
    let case = case_named("alert", "tz.tpf", id);
    fixture.clock.advance(HOUR);
    fixture.restored().await;
    fixture.clock.advance(HOUR);
    let jws = fixture.tz.alert_with(id, ("tz.tpf", "mz.prm", 1), &motorcycle(), signed, |header| {
        header.case = Some(case.clone());
        header.turn = Some(1);
    });
    fixture.deliver("mz.prm", rovuma_envelope::Origin::Ingress(agency("tz.tpf").country()), jws).await;
    let mut reply = following("alert-reply", &case);
    reply["in_reply_to"] = json!(id);
    fixture
        .says_with("tz.tpf", &reply, &case, &CaseSoFar::default(), |header| {
            header.turn = Some(2);
            header.seen = [(agency("mz.prm"), 7)].into();
        })
        .await;
    officer(&fixture).post("/v1/messages", &following("alert-flag", &case)).await.expect(201);
    let ours = "SELECT MAX(turn) FROM case_message WHERE sender = 'mz.prm'";
    assert_eq!(fixture.count(ours).await, 8);
}

/// In a store that was restored, a case of ours that was drawn since is as invented as ever.
#[tokio::test]
async fn a_restore_lets_nobody_invent_a_case_of_ours() {
    let fixture = Fixture::start().await;
    let before = MessageId::draw(fixture.gateway.base.now());
    fixture.clock.advance(HOUR);
    fixture.restored().await;
    fixture.clock.advance(HOUR);
    let since = MessageId::draw(fixture.gateway.base.now());
    for (id, code) in [(before, 200), (since, 404)] {
        let case = case_named("alert", "mz.prm", id);
        let flag = following("alert-flag", &case);
        fixture.says("tz.tpf", &flag, &case, (1, 0), &CaseSoFar::default()).await;
        officer(&fixture).get(&format!("/v1/cases/{case}")).await.expect(code);
    }
    assert_eq!(fixture.case_alarms("case_not_a_party").await, 1);
}

/// Only what an alert's issuer says is what it is about: nobody else plants a name in it.
#[tokio::test]
async fn nobody_plants_identifiers_in_an_alert_of_ours() {
    let fixture = Fixture::start().await;
    let case = fixture.alert_to_tpf().await;
    let before = fixture.count("SELECT COUNT(*) FROM case_identifier").await;
    assert!(before > 0);
    let other = motorcycle();
    let mut update = following("alert-update", &case);
    update["terms"] = other["terms"].clone();
    update["body"] = json!({ "alert": other["body"] });
    let so_far = CaseSoFar { version: 1, ..CaseSoFar::default() };
    fixture.says("tz.tpf", &update, &case, (1, 1), &so_far).await;
    assert_eq!(fixture.count("SELECT COUNT(*) FROM case_identifier").await, before);
    let opened = fixture.opened(&case).await;
    assert_eq!((&opened["case"]["version"], &opened["case"]["messages"]), (&json!(1), &json!(2)));
    let mut own = other;
    own["recipients"] = json!(["tz.tpf"]);
    officer(&fixture).post("/v1/messages", &own).await.expect(201);
}
