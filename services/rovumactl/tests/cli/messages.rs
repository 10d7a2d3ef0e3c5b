//! Sending, drafts and lists, at a gateway that answers as it is told.

use serde_json::{Value, json};

use crate::{
    harness::{CommandResult, TestFolder},
    servers::{TestServer, desk_with_token},
};

const ID: &str = "0199c5a1-7b3e-7001-8a10-000000000001";
const REPLIED: &str = "0199c5a1-7b3e-7001-8a10-000000000002";

fn desk() -> TestFolder {
    let desk = desk_with_token();
    desk.write("draft.json", "{}");
    desk
}

fn run(desk: &TestFolder, server: &TestServer, words: &str) -> CommandResult {
    desk.run(&format!("{words} --server {} --token-file token", server.url))
}

fn problem(status: u16, code: &str, faults: &Value) -> String {
    json!({
        "type": format!("urn:rovuma:problem:{code}"), "title": "x", "status": status, "code": code,
        "detail": "No.", "faults": faults,
    })
    .to_string()
}

/// A draft as the gateway shows it, with one member that this version does not know.
fn draft(faults: &Value, advice: &Value) -> Value {
    json!({
        "id": ID, "type": "alert.issue", "state": "draft", "version": 1, "author": "u1", "facet": "vehicle",
        "status": "actual", "reference": "PRM-7", "fault_count": faults.as_array().expect("a list").len(),
        "created_at": "2026-11-27T10:00:00Z", "changed_at": "2026-11-27T10:00:00Z",
        "content": { "type": "alert.issue" }, "faults": faults, "advice": advice, "of_a_later_version": true,
    })
}

fn two_faults() -> Value {
    json!([
        { "pointer": "/body/subjects", "code": "missing_field", "message": "The field is missing." },
        { "pointer": "", "code": "unknown_field", "message": "This is not known." },
    ])
}

fn advice() -> Value {
    json!([{ "pointer": "/body/remarks", "topic": "asylum", "message": "Look again." }])
}

#[test]
fn a_draft_with_faults_is_kept_and_says_so() {
    let (desk, kept) = (desk(), draft(&two_faults(), &advice()).to_string());
    let server = TestServer::start([("201 Created", kept.clone()), ("201 Created", kept)]);
    let ended = run(&desk, &server, "send draft.json");
    ended.is(0, &format!("{ID} draft\n"));
    ended.is(0, "cannot be released before its faults are mended");
    ended.is(0, "fault /body/subjects: The field is missing. (missing_field)\n");
    ended.is(0, "fault /: This is not known. (unknown_field)\n");
    ended.is(0, "advice /body/remarks: Look again. (asylum)\n");
    let ended = run(&desk, &server, "--json send draft.json");
    assert_eq!(ended.json(), draft(&two_faults(), &advice()), "nothing of the answer is lost");
    assert_eq!(server.requests(), ["POST /v1/drafts", "POST /v1/drafts"]);
}

#[test]
fn faults_that_the_answer_does_not_list_are_counted() {
    let (mut kept, mut refusal) = (draft(&two_faults(), &advice()), json!({ "faults_total": 1002 }));
    kept["faults_total"] = json!(1002);
    let problem: Value = serde_json::from_str(&problem(422, "draft_faulty", &two_faults())).expect("JSON");
    refusal.as_object_mut().expect("an object").extend(problem.as_object().expect("an object").clone());
    let server = TestServer::start([
        ("201 Created", kept.to_string()),
        ("422 Unprocessable Content", refusal.to_string()),
    ]);
    run(&desk(), &server, "send draft.json").is(0, "and 1000 more faults\n");
    run(&desk(), &server, "send draft.json --release").is(3, "and 1000 more faults");
}

#[test]
fn a_draft_without_faults_says_nothing_of_them() {
    let server = TestServer::start([("201 Created", draft(&json!([]), &json!([])).to_string())]);
    let ended = run(&desk(), &server, "send draft.json");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, format!("{ID} draft\n").as_str()), "{ended:?}");
}

#[test]
fn what_is_released_at_once_was_no_draft() {
    let copies = json!([{ "recipient": "tz.tpf", "lane": "urgent", "stream": "00".repeat(16), "number": 1 }]);
    let released = json!({ "id": ID, "created": "2026-11-27T10:00:00Z", "copies": copies }).to_string();
    let server = TestServer::start([("201 Created", released)]);
    let ended = run(&desk(), &server, "send draft.json --release");
    ended.is(0, &format!("{ID} released\n  to tz.tpf in lane urgent\n"));
    assert_eq!(server.requests(), ["POST /v1/messages"]);
}

#[test]
fn every_fault_is_shown_at_its_pointer_and_nothing_is_kept() {
    let (desk, faulty) = (desk(), problem(422, "draft_faulty", &two_faults()));
    let server = TestServer::start([
        ("422 Unprocessable Content", faulty.clone()),
        ("422 Unprocessable Content", faulty),
    ]);
    let ended = run(&desk, &server, "send draft.json --release");
    ended.is(3, "/body/subjects: The field is missing. (missing_field)");
    ended.is(3, "/: This is not known. (unknown_field)");
    let ended = run(&desk, &server, "--json send draft.json --release");
    assert_eq!(ended.error()["problem"]["faults"].as_array().map(Vec::len), Some(2));
    assert_eq!(server.requests(), ["POST /v1/messages", "POST /v1/messages"]);
}

#[test]
fn what_needs_a_second_person_becomes_a_draft() {
    let refusal = problem(403, "second_person", &json!([]));
    let server = TestServer::start([
        ("403 Forbidden", refusal.clone()),
        ("201 Created", draft(&two_faults(), &json!([])).to_string()),
    ]);
    let ended = run(&desk(), &server, "send draft.json --release");
    ended.is(
        3,
        &format!("the draft {ID} is kept; mend its faults (2: rovumactl draft show {ID}), then hand it"),
    );
    let server = TestServer::start([
        ("403 Forbidden", refusal),
        ("201 Created", draft(&json!([]), &json!([])).to_string()),
    ]);
    let ended = run(&desk(), &server, "send draft.json --release");
    ended.is(3, "(second_person)");
    ended.is(3, &format!("the draft {ID} is kept; hand it to a supervisor: rovumactl draft submit {ID}"));
    assert_eq!(server.requests(), ["POST /v1/messages", "POST /v1/drafts"]);
}

#[test]
fn no_other_refusal_keeps_a_draft() {
    let server = TestServer::start([("403 Forbidden", problem(403, "may_not_send", &json!([])))]);
    let ended = run(&desk(), &server, "send draft.json --release");
    ended.is(3, "(may_not_send)");
    assert!(!ended.stderr.contains("is kept"), "{ended:?}");
    assert_eq!(server.requests(), ["POST /v1/messages"]);
}

#[test]
fn a_validation_shows_advice() {
    let checked = json!({
        "summary": "vehicle", "second_person": ["person"], "advice": advice(), "recipients": ["tz.tpf"],
    });
    let server = TestServer::start([("200 OK", checked.to_string())]);
    let ended = run(&desk(), &server, "send draft.json --validate");
    ended.is(0, "no faults: vehicle");
    ended.is(0, "advice /body/remarks: Look again. (asylum)");
    ended.is(0, "a second person must release it: person");
    assert_eq!(server.requests(), ["POST /v1/drafts/validate"]);
}

#[test]
fn drafts_are_listed_and_shown() {
    let page =
        |next: Option<&str>| json!({ "items": [draft(&two_faults(), &advice())], "next": next }).to_string();
    let server = TestServer::start([
        ("200 OK", page(None)),
        ("200 OK", page(Some("c"))),
        ("200 OK", page(None)),
        ("200 OK", draft(&two_faults(), &advice()).to_string()),
    ]);
    let desk = desk();
    let ended = run(&desk, &server, "draft list");
    ended.is(0, "FACET    REFERENCE  STATUS  FAULTS");
    ended.is(0, "alert.issue  vehicle  PRM-7      actual  2");
    let both = draft(&two_faults(), &advice());
    let listed = run(&desk, &server, "--json draft list").json();
    assert_eq!(listed, json!({ "items": [both, both] }), "nothing of both pages is lost");
    assert_eq!(server.requests()[2], "GET /v1/drafts?limit=199&cursor=c");
    let ended = run(&desk, &server, &format!("draft show {ID}"));
    for line in ["type alert.issue", "kind Vehicle", "reference PRM-7", "faults 2"] {
        ended.is(0, &format!("  {line}\n"));
    }
    ended.is(0, "fault /body/subjects: The field is missing. (missing_field)\n");
    ended.is(0, "advice /body/remarks: Look again. (asylum)\n");
    ended.is(0, "Type  alert.issue");
}

#[test]
fn lists_are_narrowed_to_a_case_or_to_answers() {
    let row = json!({
        "id": ID, "type": "request.answer", "facet": "person", "status": "actual", "sender": "tz.tpf",
        "lane": "normal", "created": "2026-11-27T10:00:00Z", "received_at": "2026-11-27T10:00:01Z",
        "disposition": "of_a_later_version",
    });
    let (empty, page) = (r#"{"items":[]}"#.to_owned(), json!({ "items": [row] }).to_string());
    let server = TestServer::start([("200 OK", page), ("200 OK", empty)]);
    let desk = desk();
    let ended = run(&desk, &server, &format!("inbox --facet person --case alert/mz.prm/{ID}"));
    ended.is(0, "TYPE            ABOUT   FROM");
    ended.is(0, "request.answer  person  tz.tpf");
    run(&desk, &server, &format!("sent --in-reply-to {REPLIED}")).is(0, "TYPE  ABOUT  RELEASED");
    assert_eq!(
        server.requests(),
        [
            format!("GET /v1/inbox?facet=person&case=alert%2Fmz.prm%2F{ID}&limit=50"),
            format!("GET /v1/sent?in_reply_to={REPLIED}&limit=50"),
        ]
    );
    run(&desk, &server, &format!("inbox --case alert/mz.prm/{ID} --in-reply-to {ID}"))
        .is(2, "cannot be used with");
    run(&desk, &server, "inbox --case nonsense").is(2, "case");
}

#[test]
fn the_lists_say_what_is_urgent_about_what_and_in_which_case() {
    let case = json!({ "kind": "alert", "owner": "mz.prm", "id": ID });
    let received = json!({
        "id": ID, "type": "alert.issue", "facet": "missing_person", "status": "actual", "sender": "mz.prm",
        "lane": "urgent", "created": "2026-11-27T10:00:00Z", "received_at": "2026-11-27T10:00:01Z",
        "disposition": "rejected", "rejection_code": "expired", "case": case,
    });
    let copies = json!([
        { "recipient": "tz.tpf", "lane": "urgent", "state": "delivered", "since": "2026-11-27T10:00:01Z", "attempts": 1 },
        { "recipient": "tz.tisd", "lane": "urgent", "state": "rejected", "since": "2026-11-27T10:00:01Z",
          "code": "expired", "attempts": 1 },
    ]);
    let sent = json!({
        "id": ID, "type": "alert.issue", "facet": "missing_person", "status": "actual", "lane": "urgent",
        "created": "2026-11-27T10:00:00Z", "released_by": "u1", "case": case, "copies": copies,
    });
    let page = |row: &Value| json!({ "items": [row] }).to_string();
    let server = TestServer::start([("200 OK", page(&received)), ("200 OK", page(&sent))]);
    let desk = desk();
    insta::assert_snapshot!("inbox", run(&desk, &server, "inbox").stdout);
    insta::assert_snapshot!("sent", run(&desk, &server, "sent").stdout);
}
