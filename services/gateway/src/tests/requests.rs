//! A request for assistance through the API, on both sides: asked, clarified, answered, counted; and leave to use an answer.

mod answering;
mod figures;
mod reminders;

use std::time::Duration;

use rovuma_envelope::Origin;
use rovuma_schemas::{CaseId, CaseSoFar, MessageId, Timestamp};
use serde_json::{Value, json};

use super::support::{Client, Fixture, agency, example};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The example, following in this case.
fn following(name: &str, case: &CaseId) -> Value {
    let mut draft = example(name);
    draft["case"] = json!(case);
    if let Some(draft) = draft.as_object_mut() {
        draft.remove("in_reply_to");
    }
    draft
}

/// The request about a vehicle, to this agency: four questions.
fn vehicle_request(to: &str) -> Value {
    let mut draft = example("request-vehicle");
    draft["recipients"] = json!([to]);
    draft["body"]["needed_by"]["at"] = json!("2100-01-01T00:00:00Z");
    draft
}

fn case_of(owner: &str, id: &str) -> CaseId {
    CaseId { kind: "request".to_owned(), owner: agency(owner), id: id.parse().expect("an id") }
}

/// The first two of its questions, which a database answers.
fn direct_request(to: &str) -> Value {
    let mut draft = vehicle_request(to);
    draft["body"]["questions"].as_array_mut().expect("questions").truncate(2);
    draft
}

/// An answer to those two.
fn direct_answer(case: &CaseId) -> Value {
    let mut draft = following("request-answer", case);
    draft["body"]["answers"].as_array_mut().expect("answers").truncate(2);
    draft
}

/// What an answerer knows of a request of two questions.
fn two_questions() -> CaseSoFar {
    CaseSoFar { questions: [1, 2].into(), open_questions: [1, 2].into(), ..CaseSoFar::default() }
}

/// An officer of `mz.prm`, logged in now: a token lives for minutes, and requests for days.
fn officer(fixture: &Fixture) -> Client<'_> {
    fixture.person("officer-1", "mz.prm", &["liaison_officer"])
}

impl Client<'_> {
    async fn submit(&self, draft: &Value) -> CaseId {
        let id = self.post("/v1/messages", draft).await.expect(201).id();
        case_of("mz.prm", &id)
    }

    async fn opened_case(&self, case: &CaseId) -> Value {
        self.get(&format!("/v1/cases/{case}")).await.expect(200).json
    }
}

impl Fixture {
    /// A message of `tz.tpf` in a case, its `turn`th there, when it had this many of the owner's turns.
    async fn tpf_says(
        &self,
        draft: &Value,
        case: &CaseId,
        place: (u64, u64),
        so_far: &CaseSoFar,
    ) -> MessageId {
        self.says("tz.tpf", draft, case, place, so_far).await
    }

    fn now(&self) -> Timestamp {
        self.gateway.base.now()
    }
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().expect("an instant").parse().expect("an instant")
}

#[tokio::test]
async fn a_request_is_asked_clarified_answered_and_closed_and_its_clock_runs_for_the_holder_of_the_ball() {
    let fixture = Fixture::start().await;
    let case = officer(&fixture).submit(&direct_request("tz.tpf")).await;
    let opener = case.id.to_string();
    let opened = officer(&fixture).opened_case(&case).await;
    assert_eq!(
        (&opened["case"]["state"], &opened["case"]["ball"]),
        (&json!("open"), &json!("theirs")),
        "{opened}"
    );
    assert_eq!(opened["request"]["limit_hours"], 8, "urgent, and a database answers");
    assert_eq!(opened["case"]["due"], Value::Null, "not delivered: no clock");

    // A day on the line is nobody's time.
    fixture.clock.advance(24 * HOUR);
    fixture.delivered("tz.tpf", "mz.prm", &opener).await;
    let delivered_at = fixture.now();
    let delivered = officer(&fixture).opened_case(&case).await;
    assert_eq!(instant(&delivered["case"]["due"]), delivered_at.plus(8 * HOUR), "{delivered}");
    assert_eq!(delivered["request"]["spent_s"], 0);

    fixture.clock.advance(2 * HOUR);
    let ask = following("request-ask", &case);
    fixture.tpf_says(&ask, &case, (1, 1), &CaseSoFar::default()).await;
    let asked = officer(&fixture).opened_case(&case).await;
    assert_eq!((&asked["case"]["state"], &asked["case"]["ball"]), (&json!("clarification"), &json!("ours")));
    assert_eq!(instant(&asked["case"]["due"]), fixture.now().plus(72 * HOUR), "three days to clarify");
    assert_eq!(asked["request"]["spent_s"], 2 * 3600);

    fixture.clock.advance(5 * HOUR);
    let mut clarify = following("request-clarify", &case);
    clarify["status"] = json!("exercise");
    let clarified = officer(&fixture).post("/v1/messages", &clarify).await.expect(201).id();
    let waiting = officer(&fixture).opened_case(&case).await;
    assert_eq!(
        (&waiting["case"]["state"], &waiting["case"]["due"]),
        (&json!("open"), &Value::Null),
        "on its way"
    );
    fixture.clock.advance(10 * HOUR);
    fixture.delivered("tz.tpf", "mz.prm", &clarified).await;
    let again = officer(&fixture).opened_case(&case).await;
    assert_eq!(instant(&again["case"]["due"]), fixture.now().plus(6 * HOUR), "two of eight hours are spent");

    // A reminder before the limit is early, and no cancellation undoes an answer.
    let remind = following("request-remind", &case);
    let early = officer(&fixture).post("/v1/messages", &remind).await.expect(409);
    assert_eq!(early.code(), "not_allowed_in_state");
    fixture.clock.advance(7 * HOUR);
    assert_eq!(officer(&fixture).opened_case(&case).await["request"]["overdue"], true);
    officer(&fixture).post("/v1/messages", &remind).await.expect(201);
    officer(&fixture).post("/v1/messages", &remind).await.expect(409);

    fixture.tpf_says(&direct_answer(&case), &case, (2, 2), &two_questions()).await;
    let answered = officer(&fixture).opened_case(&case).await;
    assert_eq!((&answered["case"]["state"], &answered["case"]["ball"]), (&json!("answered"), &json!("ours")));
    assert_eq!(answered["request"]["punctuality"], "late");
    let results: Vec<&str> = answered["request"]["questions"]
        .as_array()
        .expect("questions")
        .iter()
        .map(|question| question["result"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(results, ["found", "no_record"]);

    officer(&fixture).post("/v1/messages", &following("request-cancel", &case)).await.expect(409);
    officer(&fixture).post("/v1/messages", &following("request-close", &case)).await.expect(201);
    let closed = officer(&fixture).opened_case(&case).await;
    assert_eq!((&closed["case"]["state"], &closed["case"]["ball"]), (&json!("closed"), &json!("nobody")));
    assert_eq!(closed["request"]["outcomes"], json!(["property_recovered", "evidence_secured"]));
    let listed = officer(&fixture).get("/v1/cases?kind=request&state=closed").await.expect(200).json;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
}

/// A line that is cut for six days costs neither side a minute: the answer was signed in time.
#[tokio::test]
async fn a_line_cut_for_six_days_costs_neither_side_a_minute() {
    let fixture = Fixture::start().await;
    let case = officer(&fixture).submit(&direct_request("tz.tpf")).await;
    fixture.clock.advance(HOUR);
    fixture.delivered("tz.tpf", "mz.prm", &case.id.to_string()).await;
    fixture.clock.advance(2 * HOUR);
    let (signed, id) = (fixture.now(), MessageId::draw(fixture.now()));
    let answer = direct_answer(&case);
    let own = case.clone();
    let jws =
        fixture.tz.message_with(id, ("tz.tpf", "mz.prm", 1), &answer, signed, &two_questions(), |header| {
            header.case = Some(own.clone());
            header.turn = Some(1);
            header.seen = [(own.owner.clone(), 1)].into();
        });
    fixture.clock.advance(6 * 24 * HOUR);
    fixture.deliver("mz.prm", Origin::Ingress(agency("tz.tpf").country()), jws).await;
    let answered = officer(&fixture).opened_case(&case).await;
    assert_eq!(answered["request"]["spent_s"], 2 * 3600, "{answered}");
    assert_eq!(answered["request"]["punctuality"], "in_time");
    assert_eq!(instant(&answered["request"]["settled_at"]), signed);
}

/// The answerer's store was restored, so it stores the request and says so a second time: both sides count from there. Receipts in
/// short order move nothing.
#[tokio::test]
async fn a_second_delivery_counts_where_the_answerer_knows_of_no_other() {
    let fixture = Fixture::start().await;
    let case = officer(&fixture).submit(&direct_request("tz.tpf")).await;
    let opener = case.id.to_string();
    let deliver_after = async |minutes: u32| {
        fixture.clock.advance(HOUR / 60 * minutes);
        fixture.delivered("tz.tpf", "mz.prm", &opener).await;
        instant(&officer(&fixture).opened_case(&case).await["case"]["due"])
    };
    let first = deliver_after(60).await;
    assert_eq!(first, fixture.now().plus(8 * HOUR));
    assert_eq!(deliver_after(10).await, first, "ten minutes later");
    assert_eq!(deliver_after(120).await, fixture.now().plus(8 * HOUR), "hours later");
    // The first receipt stands all the same: nothing else acts on the second.
    let sent = officer(&fixture).get("/v1/sent").await.expect(200).json;
    assert_eq!(sent["items"][0]["copies"][0]["state"], "delivered", "{sent}");
}

/// Three agencies are asked the same: each has its own case, and the group lists them.
#[tokio::test]
async fn several_agencies_are_asked_in_a_group() {
    let fixture = Fixture::start().await;
    let mut both = vehicle_request("tz.tpf");
    both["recipients"] = json!(["tz.tpf", "tz.tisd"]);
    let refused = officer(&fixture).post("/v1/messages", &both).await.expect(422);
    assert!(refused.json.to_string().contains("one_recipient_only"), "{refused:?}");
    for to in ["tz.tpf", "tz.tisd"] {
        officer(&fixture).submit(&vehicle_request(to)).await;
    }
    let mut alone = vehicle_request("tz.tpf");
    alone["body"].as_object_mut().expect("a body").remove("group");
    officer(&fixture).submit(&alone).await;
    let group = vehicle_request("tz.tpf")["body"]["group"].as_str().expect("a group").to_owned();
    let listed = officer(&fixture).get(&format!("/v1/cases?group={group}")).await.expect(200).json;
    let rows = listed["items"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{listed}");
    for row in rows {
        assert_eq!(row["facet"], "vehicle_or_document_status");
    }
}

#[tokio::test]
async fn shared_information_opens_a_case_in_which_nobody_owes_anything() {
    let fixture = Fixture::start().await;
    let share = example("info-share");
    assert_eq!(officer(&fixture).post("/v1/messages", &share).await.expect(403).code(), "second_person");
    let mut nobody = share;
    let body = nobody["body"].as_object_mut().expect("a body");
    body.remove("subjects");
    body.remove("person_link");
    let id = officer(&fixture).post("/v1/messages", &nobody).await.expect(201).id();
    let case = officer(&fixture).get(&format!("/v1/cases/info/mz.prm/{id}")).await.expect(200).json;
    assert_eq!(
        (&case["case"]["state"], &case["case"]["ball"]),
        (&json!("shared"), &json!("nobody")),
        "{case}"
    );
}

#[tokio::test]
async fn leave_is_asked_given_and_lapses_by_itself() {
    let fixture = Fixture::start().await;
    let id = officer(&fixture).post("/v1/messages", &example("permission-ask")).await.expect(201).id();
    let case = CaseId { kind: "permission".to_owned(), ..case_of("mz.prm", &id) };
    let asked = officer(&fixture).opened_case(&case).await;
    assert_eq!(
        (&asked["case"]["state"], &asked["case"]["ball"]),
        (&json!("asked"), &json!("theirs")),
        "{asked}"
    );
    let mut decide = example("permission-decide");
    decide["case"] = json!(case);
    decide["body"]["until"] = json!(rovuma_schemas::Date::of(fixture.now()).plus_days(10));
    // The agency that asked does not decide.
    let supervisor = fixture.person("supervisor-1", "mz.prm", &["supervisor"]);
    assert_eq!(supervisor.post("/v1/messages", &decide).await.expect(409).code(), "not_allowed_in_state");
    fixture.tpf_says(&decide, &case, (1, 1), &CaseSoFar::default()).await;
    let granted = officer(&fixture).opened_case(&case).await;
    assert_eq!(
        (&granted["case"]["state"], &granted["permission"]["decides"]),
        (&json!("granted"), &json!("tz.tpf"))
    );
    fixture.clock.advance(11 * 24 * HOUR);
    assert_eq!(officer(&fixture).opened_case(&case).await["case"]["state"], "lapsed");
    let lapsed = officer(&fixture).get("/v1/cases?kind=permission&state=lapsed").await.expect(200).json;
    assert_eq!(lapsed["items"].as_array().map(Vec::len), Some(1));
}
