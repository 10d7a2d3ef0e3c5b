//! What follows a request, on both sides.

use serde_json::{Value, json};

use crate::{
    alerts::{DRAFT, draft_view, posted, refusal, released},
    cases::{AGAIN, OPENER, REPORT, desk_of, run, step},
    harness::TestFolder,
    servers::TestServer,
};

const ASK: &str = "0199c5a1-7b3e-7033-8a10-000000000033";

pub(crate) type Answers = Vec<(&'static str, String)>;

pub(crate) fn row(kind: &str, state: &str) -> Value {
    json!({
        "case": { "kind": kind, "owner": "mz.prm", "id": OPENER }, "short_reference": "7K2MQX4", "state": state,
        "ball": "theirs", "status": "exercise", "handling": "H0", "version": 0, "messages": 1, "missing": 0, "warnings": 0,
        "opened_at": "2026-11-27T10:00:00Z", "changed_at": "2026-11-27T12:00:00Z",
    })
}

/// A request of mz.prm to tz.tpf with two questions.
pub(crate) fn view(state: &str) -> Value {
    let mut row = row("request", state);
    row["facet"] = json!("identity_check");
    row["due"] = json!("2026-11-29T12:35:00Z");
    json!({
        "case": row, "at": "2026-11-27T12:00:00Z", "possible": [], "missing": [], "warnings": [], "freshness": [], "hanging": [],
        "request": {
            "answerer": "tz.tpf", "direct": true, "acknowledged": false, "limit_hours": 8, "spent_s": 10_800,
            "punctuality": "in_time", "overdue": false, "clarification_overdue": false, "cancelled_late": false,
            "disclosed": false, "erasure_due": false, "outcomes": [], "dormant": false, "certificates": [],
            "questions": [
                { "n": 1, "ask": "identity_of_holder", "subject": "d1" },
                { "n": 2, "ask": "wanted_here", "subject": "p1" },
            ],
        },
    })
}

pub(crate) fn set(view: &mut Value, pointer: &str, value: impl Into<Value>) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    view.pointer_mut(parent).expect("there")[name] = value.into();
}

pub(crate) fn opening_step(message_type: &str) -> Value {
    step(OPENER, message_type, "mz.prm", 1, &json!({}))
}

/// What the gateway answers when the case is opened to write in it.
pub(crate) fn opened(view: &Value, steps: &Value, payload: &str, is_own: bool) -> Answers {
    let mut payload: Value = serde_json::from_str(payload).expect("JSON");
    payload["terms"]["retain_until"] = json!("2036-12-31");
    let mut message = json!({
        "direction": "received", "header": payload["header"], "payload": payload, "state": "open",
    });
    if is_own {
        message["direction"] = json!("sent");
        message["sent"] = json!({ "released_by": "u1", "signed": [], "copies": [], "receipts": [] });
    }
    let found = json!({ "items": [view["case"]] });
    [&found, view, &json!({ "steps": steps }), &message].map(|answer| ("200 OK", answer.to_string())).to_vec()
}

pub(crate) const REQUEST: &str =
    include_str!("../../../../schemas/examples/valid/message-request.submit.json");

/// A gateway at which tz.tpf writes in the request, and which then answers `more`.
fn answering(view: &Value, more: impl IntoIterator<Item = (&'static str, String)>) -> TestServer {
    let steps = json!([opening_step("request.submit")]);
    TestServer::start(opened(view, &steps, REQUEST, false).into_iter().chain(more))
}

#[test]
fn a_request_begins_as_a_draft() {
    let desk = TestFolder::new();
    let ended = desk.ok("draft new request.identity_check --to tz.tpf");
    let draft = ended.json();
    assert_eq!((&draft["type"], &draft["recipients"]), (&json!("request.submit"), &json!(["tz.tpf"])));
    assert_eq!(draft["body"]["kind"], "identity_check");
    assert_eq!(
        draft["body"]["questions"][0],
        json!({ "n": 1, "ask": "identity_of_holder", "subject": "d1" })
    );
    assert!(ended.stderr.contains("It goes to one agency."), "{ended:?}");
    for other in ["request.answer", "info.share", "permission.ask", "purge.certify"] {
        assert_eq!(desk.ok(&format!("draft new {other}")).json()["type"], other);
    }
}

#[test]
fn an_answer_is_one_in_part_while_a_question_stays_open() {
    let desk = desk_of("tz.tpf");
    desk.write("holder.json", r#"{"documents":[{"type":"passport","number":"TAE000481"}]}"#);
    let sent = |view: &Value, words: &str| {
        let server = answering(view, [released()]);
        let ended = run(&desk, &server, &format!("request answer 7K2MQX4 {words} --yes"));
        assert_eq!(ended.code, 0, "{words}: {ended:?}");
        (posted(&server), ended.stderr)
    };
    let (draft, told) = sent(&view("open"), "--no-record 2 --later 1=2026-12-01T10:00:00Z");
    assert_eq!((&draft["type"], &draft["status"]), (&json!("request.answer_partial"), &json!("exercise")));
    assert_eq!(
        draft["body"]["answers"],
        json!([
            { "n": 1, "result": "later", "expected_by": "2026-12-01T10:00:00Z" },
            { "n": 2, "result": "no_record" },
        ]),
        "they are in the order of the questions"
    );
    assert!(told.contains("in part: it leaves open 1."), "{told}");
    let (draft, told) = sent(&view("open"), "--no-record 1");
    assert_eq!(draft["type"], "request.answer_partial", "nobody has answered question 2");
    assert!(told.contains("it leaves open 2."), "{told}");

    let words = "--data 1=holder.json --refused 2=human_rights --protection-check --graded B2 --handling H1";
    let (draft, told) = sent(&view("open"), words);
    assert_eq!(draft["type"], "request.answer");
    assert!(told.contains("no question stays open"), "{told}");
    let data = json!({ "documents": [{ "type": "passport", "number": "TAE000481" }] });
    assert_eq!(
        draft["body"]["answers"],
        json!([
            { "n": 1, "result": "found", "data": data },
            { "n": 2, "result": "refused", "reason": "human_rights" },
        ])
    );
    let terms = &draft["terms"];
    assert_eq!(terms["protection_check"], json!({ "confirmed": true }));
    assert_eq!(terms["evaluation"], json!({ "source": "B", "information": "2" }));
    assert_eq!(terms["handling"], json!({ "code": "H1" }));
    assert_eq!((&terms["purpose"], &terms["retain_until"]), (&json!("identification"), &json!("2036-12-31")));
    assert_eq!(terms["urgency"], json!({ "level": "normal" }));

    let mut begun = view("open");
    set(&mut begun, "/request/questions/0/result", "no_record");
    set(&mut begun, "/request/questions/1/result", "later");
    let (draft, _) = sent(&begun, "--not-here 2=tz.tisd");
    assert_eq!(draft["type"], "request.answer", "question 1 was answered before");
    assert_eq!(draft["body"]["answers"], json!([{ "n": 2, "result": "not_here", "try_agency": "tz.tisd" }]));
}

#[test]
fn an_answer_that_cannot_be_right_is_not_sent() {
    let desk = desk_of("tz.tpf");
    let unconfirmed = desk.run("request answer 7K2MQX4 --found 1=Sim --no-record 2");
    unconfirmed.is(2, "something was found, and nobody confirmed the protection check");
    unconfirmed.is(2, "give --protection-check");
    desk.run("request answer 7K2MQX4 --found 1 --protection-check")
        .is(2, "give --found 1=TEXT, or --data 1=FILE");
    desk.run("request answer 7K2MQX4 --no-record 1 --later 1").is(2, "question 1 has two results");
    desk.run("request answer 7K2MQX4 --refused 1=mood").is(2, "human_rights");
    desk.run("request answer 7K2MQX4").is(2, "--no-record");
    let other = answering(&view("open"), []);
    run(&desk, &other, "request answer 7K2MQX4 --no-record 3 --yes").is(2, "its questions are 1, 2");
    assert_eq!(other.requests().len(), 4, "nothing was posted");
    let asked = answering(&view("open"), []);
    run(&desk, &asked, "request ask 7K2MQX4 --text Qual? --question 7 --yes").is(2, "has no question 7");
    let alert = TestServer::start([("200 OK", json!({ "items": [row("request", "open")] }).to_string())]);
    run(&desk, &alert, "alert flag 7K2MQX4 --off --yes").is(2, "a case of the kind request");
}

#[test]
fn a_refusal_goes_to_a_supervisor() {
    let desk = desk_of("tz.tpf");
    let words = "request refuse 7K2MQX4 --reason not_available --try-agency tz.tisd --yes";
    let kept = answering(&view("open"), [refusal("403 Forbidden", "supervisor_only"), draft_view("draft")]);
    run(&desk, &kept, words).is(3, &format!("rovumactl draft submit {DRAFT}"));
    assert_eq!(kept.requests()[4..], ["POST /v1/messages", "POST /v1/drafts"]);
    assert_eq!(posted(&kept)["body"], json!({ "reason": "not_available", "try_agency": "tz.tisd" }));
    let submitted = answering(
        &view("open"),
        [refusal("403 Forbidden", "supervisor_only"), draft_view("draft"), draft_view("pending_release")],
    );
    run(&desk, &submitted, &format!("{words} --submit")).is(0, "nothing has been sent yet");
    desk.run("request refuse 7K2MQX4 --reason already_answered").is(2, "--answered-reference");
    desk.run("request refuse 7K2MQX4 --reason human_rights --try-agency tz.tisd")
        .is(2, "--try-agency belongs to the reason not_available");
}

#[test]
fn the_answerer_says_when_it_expects_to_answer_and_why_it_takes_longer() {
    let desk = desk_of("tz.tpf");
    let sent = |words: &str| {
        let server = answering(&view("open"), [released()]);
        let ended = run(&desk, &server, &format!("{words} --yes"));
        assert_eq!(ended.code, 0, "{ended:?}");
        (posted(&server)["type"].clone(), posted(&server)["body"].clone())
    };
    let (kind, body) = sent(
        "request acknowledge 7K2MQX4 --contact Zamu --phone +255740000202 --expected-by 2026-12-01 --our-reference TPF/7",
    );
    assert_eq!(kind, "request.acknowledge");
    assert_eq!(
        body,
        json!({
            "contact": { "name": "Zamu", "phone": "+255740000202" }, "expected_by": "2026-12-02T00:00:00Z",
            "our_reference": "TPF/7",
        })
    );
    let (kind, body) = sent("request delay 7K2MQX4 --until 2026-12-03T08:00:00Z --reason paper_archive");
    assert_eq!(kind, "request.delay");
    assert_eq!(body, json!({ "until": "2026-12-03T08:00:00Z", "reason": "paper_archive" }));
    let (kind, body) = sent("request ask 7K2MQX4 --text Qual? --question 2");
    assert_eq!((kind, body), (json!("request.ask"), json!({ "text": "Qual?", "questions": [2] })));
    desk.run("request acknowledge 7K2MQX4 --contact Zamu --phone 0740000202").is(2, "+258840000000");
}

#[test]
fn a_clarification_answers_the_open_question() {
    let desk = desk_of("mz.prm");
    let asked = |effect: &str, turn: u64, id: &str| {
        step(id, "request.ask", "tz.tpf", turn, &json!({ "effect": effect }))
    };
    let steps = json!([
        opening_step("request.submit"),
        asked("applied", 1, REPORT),
        asked("applied", 2, ASK),
        asked("without_effect", 3, AGAIN),
    ]);
    let clarified = |state: &str, more: &str| {
        let answers = opened(&view(state), &steps, REQUEST, true).into_iter().chain([released()]);
        let server = TestServer::start(answers);
        let ended = run(&desk, &server, &format!("request clarify 7K2MQX4 --text Sim. --yes {more}"));
        (server, ended)
    };
    let (server, ended) = clarified("clarification", "");
    assert_eq!(ended.code, 0, "{ended:?}");
    let draft = posted(&server);
    assert_eq!((&draft["type"], &draft["in_reply_to"]), (&json!("request.clarify"), &json!(ASK)));
    assert_eq!((&draft["body"], &draft["case"]), (&json!({ "text": "Sim." }), &view("open")["case"]["case"]));
    let (server, _) = clarified("clarification", &format!("--in-reply-to {REPORT}"));
    assert_eq!(posted(&server)["in_reply_to"], REPORT);
    let (server, _) = clarified("open", "");
    assert_eq!(posted(&server).get("in_reply_to"), None, "no question is open");
    let (_, ended) = clarified("clarification", &format!("--in-reply-to {OPENER}"));
    ended.is(2, "is no question of the answerer");
}

#[test]
fn the_requester_reminds_cancels_and_closes() {
    let desk = desk_of("mz.prm");
    let sent = |words: &str| {
        let steps = json!([opening_step("request.submit")]);
        let answers = opened(&view("answered"), &steps, REQUEST, true).into_iter().chain([released()]);
        let server = TestServer::start(answers);
        let ended = run(&desk, &server, &format!("request {words} --yes"));
        assert_eq!(ended.code, 0, "{ended:?}");
        let draft = posted(&server);
        assert_eq!(draft["reference"], "PRM-EX-2026-0088", "its own file number");
        (draft["type"].clone(), draft["body"].clone())
    };
    assert_eq!(sent("remind 7K2MQX4"), (json!("request.remind"), json!({})));
    assert_eq!(
        sent("cancel 7K2MQX4 --reason solved_here --note Obrigado"),
        (json!("request.cancel"), json!({ "reason": "solved_here", "note": "Obrigado" }))
    );
    assert_eq!(
        sent("close 7K2MQX4 --outcome person_identified --outcome alert_issued"),
        (json!("request.close"), json!({ "outcomes": ["person_identified", "alert_issued"] }))
    );
    desk.run("request close 7K2MQX4").is(2, "--outcome");
}
