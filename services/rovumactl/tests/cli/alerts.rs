//! What follows an alert: drafts with the terms of their case, shown, sent, or handed to a supervisor.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::{
    cases::{OPENER, REPORT, case_view, desk_of, row, run, steps},
    harness::TestFolder,
    servers::TestServer,
};

pub(crate) const DRAFT: &str = "0199c5a1-7b3e-7001-8a10-00000000000a";

type Answers = Vec<(&'static str, String)>;

/// The alert as the gateway shows it to its issuer.
fn message() -> Value {
    let payload: Value =
        serde_json::from_str(include_str!("../../../../schemas/examples/valid/message-alert.issue.json"))
            .expect("JSON");
    json!({
        "direction": "sent", "header": payload["header"], "payload": payload, "state": "active",
        "sent": { "released_by": "u1", "signed": [], "copies": [], "receipts": [] },
    })
}

/// What the gateway answers when a case is opened to write in it.
fn opened() -> Answers {
    let found = json!({ "items": [row()] });
    [&found, &case_view(), &json!({ "steps": steps() }), &message()]
        .map(|answer| ("200 OK", answer.to_string()))
        .to_vec()
}

pub(crate) fn released() -> (&'static str, String) {
    let copies = json!([{ "recipient": "tz.tpf", "lane": "normal", "stream": "5f0c1d2e3a4b4c5d8e6f708192a3b4c5", "number": 7 }]);
    let answer = json!({ "id": DRAFT, "created": "2026-11-27T10:00:00Z", "copies": copies });
    ("201 Created", answer.to_string())
}

pub(crate) fn refusal(status: &'static str, code: &str) -> (&'static str, String) {
    let number: u16 = status[..3].parse().expect("a status");
    (
        status,
        json!({ "type": "x", "title": "x", "status": number, "code": code, "detail": "No." }).to_string(),
    )
}

pub(crate) fn draft_view(state: &str) -> (&'static str, String) {
    let draft = json!({
        "id": DRAFT, "type": "alert.withdraw", "state": state, "version": 1, "author": "u1", "fault_count": 0,
        "created_at": "2026-11-27T10:00:00Z", "changed_at": "2026-11-27T10:00:00Z", "faults": [],
    });
    ("201 Created", draft.to_string())
}

fn server(more: impl IntoIterator<Item = (&'static str, String)>) -> TestServer {
    TestServer::start(opened().into_iter().chain(more))
}

pub(crate) fn posted(server: &TestServer) -> Value {
    let request = server.whole_requests().into_iter().find(|request| request.line == "POST /v1/messages");
    serde_json::from_str(&request.expect("posted").body).expect("JSON")
}

#[test]
fn a_withdrawal_has_the_terms_of_its_case_and_is_shown_first() {
    let desk = desk_of("mz.prm");
    let line = |server: &TestServer, more: &str| {
        format!(
            "alert withdraw 7K2MQX4 --reason error --note Errado {more} --server {} --token-file token",
            server.url
        )
    };
    let asked = server([]);
    let ended = desk.run_with(&line(&asked, ""), "n\n", &[]);
    ended.is(1, "nothing is sent");
    for told in [
        "7K2MQX4 · Withdrawal of the alert",
        "tz.tpf",
        "The alert was wrong",
        "Nothing brings the alert back",
        "Send it?",
    ] {
        assert!(ended.stderr.contains(told), "{told:?} was not shown: {ended:?}");
    }
    assert_eq!(asked.requests().len(), 4, "nothing was posted");
    desk.run(&line(&server([]), "")).is(2, "give --yes once you have read it");

    let sent = server([released()]);
    let ended = desk.run_with(&line(&sent, ""), "sim\n", &[]);
    ended.is(0, "to tz.tpf in lane normal");
    ended.is(0, &format!("rovumactl trace {DRAFT} --follow"));
    let draft = posted(&sent);
    let terms = &message()["payload"]["terms"];
    for kept in ["purpose", "legal_basis", "handling", "evaluation", "language"] {
        assert_eq!(draft["terms"][kept], terms[kept], "{kept}");
    }
    assert_eq!(draft["terms"]["urgency"], json!({ "level": "normal" }));
    assert!(
        draft["terms"]["retain_until"].as_str().is_some_and(|day| day < "2036-12-31"),
        "soon erased: {draft}"
    );
    assert_eq!(draft["body"], json!({ "reason": "error", "note": "Errado" }));
    assert_eq!((&draft["status"], &draft["case"]), (&json!("exercise"), &row()["case"]));
    let chosen = server([released()]);
    desk.ok(&line(&chosen, "--yes --retain-until 2027-03-31 --written-in sw"));
    let terms = &posted(&chosen)["terms"];
    assert_eq!((&terms["retain_until"], &terms["language"]), (&json!("2027-03-31"), &json!("sw")));
    desk.run("alert withdraw 7K2MQX4 --reason superseded").is(2, "--superseded-by");
    desk.run("alert withdraw 7K2MQX4 --reason found").is(2, "purpose_achieved");
}

#[test]
fn what_a_supervisor_must_release_becomes_a_draft() {
    let desk = desk_of("mz.prm");
    let words = "alert extend 7K2MQX4 --until 2027-06-30 --reason Ainda --yes";
    let kept = server([refusal("403 Forbidden", "supervisor_only"), draft_view("draft")]);
    run(&desk, &kept, words).is(3, &format!("rovumactl draft submit {DRAFT}"));
    assert_eq!(kept.requests()[4..], ["POST /v1/messages", "POST /v1/drafts"]);
    let body = posted(&kept)["body"].clone();
    assert_eq!(
        body,
        json!({ "until": "2027-07-01T00:00:00Z", "reason": "Ainda" }),
        "the day counts to its end"
    );

    let submitted = server([
        refusal("403 Forbidden", "supervisor_only"),
        draft_view("draft"),
        draft_view("pending_release"),
    ]);
    let ended = run(&desk, &submitted, &format!("{words} --submit"));
    ended.is(0, "nothing has been sent yet");
    ended.is(0, &format!("rovumactl draft release {DRAFT}"));
    assert_eq!(submitted.requests()[6], format!("POST /v1/drafts/{DRAFT}/submit"));
}

#[test]
fn a_refusal_says_what_the_case_is_now() {
    let desk = desk_of("mz.prm");
    let mut withdrawn = case_view();
    withdrawn["case"]["state"] = json!("withdrawn");
    withdrawn["alert"]["withdrawn"] = json!("purpose_achieved");
    let now = ("200 OK", withdrawn.to_string());
    let refused = server([refusal("409 Conflict", "not_allowed_in_state"), now]);
    let ended = run(&desk, &refused, "alert withdraw 7K2MQX4 --reason error --yes");
    ended.is(3, "7K2MQX4 is now: withdrawn: Purpose achieved");
    ended.is(3, "next: see what came and what you may do: rovumactl case show 7K2MQX4");
}

#[test]
fn a_recipient_flags_reports_and_certifies() {
    let desk = desk_of("tz.tpf");
    let sent = |words: &str| {
        let sent = server([released()]);
        let ended = run(&desk, &sent, &format!("{words} --yes"));
        assert_eq!(ended.code, 0, "{ended:?}");
        posted(&sent)["body"].clone()
    };
    assert_eq!(
        sent("alert flag 7K2MQX4 --on --reason own_proceedings --instead locate"),
        json!({ "flag": "on", "version": 2, "reason": "own_proceedings", "instead": "locate" })
    );
    assert_eq!(sent("alert flag 7K2MQX4 --off"), json!({ "flag": "off", "version": 2 }));
    assert_eq!(
        sent("alert report-error 7K2MQX4 --subject v1 --at /subjects/vehicles/0/plate --proposal X"),
        json!({ "version": 2, "errors": [{ "subject": "v1", "at": "/subjects/vehicles/0/plate", "proposal": "X" }] })
    );
    assert_eq!(
        sent("alert certify 7K2MQX4 --outcome retained --ground court_order --until 2028-12-31"),
        json!({ "outcome": "retained", "ground": "court_order", "until": "2028-12-31" })
    );
    for wrong in [
        "alert flag 7K2MQX4 --on --reason own_proceedings",
        "alert flag 7K2MQX4 --off --reason own_proceedings",
        "alert flag 7K2MQX4",
        "alert certify 7K2MQX4 --outcome retained",
        "alert report-error 7K2MQX4 --proposal X",
    ] {
        assert_eq!(desk.run(wrong).code, 2, "{wrong}");
    }
    let unknown = run(&desk, &server([]), "alert report-error 7K2MQX4 --subject v7 --proposal X --yes");
    unknown.is(2, "has no subject v7");
    unknown.is(2, "its subjects are l1, v1");
}

#[test]
fn what_was_erased_can_still_be_certified() {
    let mut codes = message();
    codes.as_object_mut().expect("an object").remove("payload");
    codes["terms"] = json!({
        "urgency": "urgent", "purpose": "detection", "legal_basis": "example_police_memorandum_2018", "handling": "H0",
        "evaluation": { "source": "A", "information": "1" },
    });
    let mut answers = opened();
    answers.truncate(3);
    answers.extend([refusal("410 Gone", "erased"), ("200 OK", codes.to_string()), released()]);
    let sent = TestServer::start(answers);
    let ended = run(&desk_of("tz.tpf"), &sent, "alert certify 7K2MQX4 --outcome erased --language sw --yes");
    assert_eq!(ended.code, 0, "{ended:?}");
    let terms = posted(&sent)["terms"].clone();
    assert_eq!((&terms["handling"], &terms["language"]), (&json!({ "code": "H0" }), &json!("sw")));
    assert!(sent.requests()[4].contains("view=metadata"), "{:?}", sent.requests());

    let mut answers = opened();
    answers.truncate(3);
    answers.extend([refusal("410 Gone", "erased"), ("200 OK", codes.to_string())]);
    let nothing = TestServer::start(answers);
    run(&desk_of("mz.prm"), &nothing, "alert update 7K2MQX4").is(3, "was erased: there is nothing to change");
}

#[test]
fn an_answer_names_what_it_answers() {
    let desk = desk_of("mz.prm");
    let metadata = |id: &str| {
        let mut message = message();
        message["header"]["id"] = json!(id);
        message["header"]["case"] = row()["case"].clone();
        message.as_object_mut().expect("an object").remove("payload");
        ("200 OK", message.to_string())
    };
    let answers = |id: &str| {
        let mut answers = vec![metadata(id)];
        answers.extend(opened().into_iter().skip(1));
        answers.push(released());
        TestServer::start(answers)
    };
    let replied = answers(REPORT);
    assert_eq!(run(&desk, &replied, &format!("alert reply {REPORT} --reason Correcto --yes")).code, 0);
    let draft = posted(&replied);
    assert_eq!((&draft["in_reply_to"], &draft["body"]), (&json!(REPORT), &json!({ "reason": "Correcto" })));
    let other = answers(OPENER);
    run(&desk, &other, &format!("alert reply {OPENER} --reason X --yes")).is(2, "is no error report");
    let confirmed = answers(OPENER);
    assert_eq!(run(&desk, &confirmed, &format!("alert confirm {OPENER} --yes")).code, 0);
    assert_eq!(posted(&confirmed)["in_reply_to"], OPENER);
    let mut own = vec![metadata(OPENER)];
    own.extend(opened().into_iter().skip(1));
    own.push(refusal("403 Forbidden", "second_person"));
    let own = TestServer::start(own);
    run(&desk, &own, &format!("alert confirm {OPENER} --yes")).is(3, "another supervisor of your agency");
}

fn validated() -> (&'static str, String) {
    let checked = json!({ "summary": "x", "second_person": [], "advice": [], "recipients": [] });
    ("200 OK", checked.to_string())
}

#[test]
fn a_new_version_begins_with_the_one_in_force() {
    let desk = desk_of("mz.prm");
    let sent = server([validated(), released()]);
    let words = "alert update 7K2MQX4 --set /subjects/vehicles/0/colour=blue --change Corrigida --drop l1=error --yes";
    let ended = run(&desk, &sent, &format!("{words} --answers {REPORT}"));
    assert_eq!(ended.code, 0, "{ended:?}");
    let draft = posted(&sent);
    let (alert, before) = (&draft["body"]["alert"], &message()["payload"]["body"]);
    assert_eq!(alert["subjects"]["vehicles"][0]["colour"], "blue");
    assert_eq!(alert["subjects"]["vehicles"][0]["key"], "v1", "a subject keeps its key");
    assert_eq!(alert["circumstances"], before["circumstances"]);
    assert_eq!(draft["body"]["dropped"], json!([{ "key": "l1", "reason": "error" }]));
    assert_eq!((&draft["in_reply_to"], &draft["body"]["change"]), (&json!(REPORT), &json!("Corrigida")));
    assert_eq!(draft["reference"], message()["header"]["reference"]);
    let nowhere = run(&desk, &server([]), "alert update 7K2MQX4 --set /subjects/persons/0/sex=f --yes");
    nowhere.is(2, "/subjects/persons/0 is not there");
    desk.run("alert update 7K2MQX4 --drop v1=lost").is(2, "no_longer_sought");
}

/// An editor that changes the text with this `sed` programme.
fn editor(desk: &TestFolder, programme: &str) -> String {
    let path = desk.write("editor", format!("#!/bin/sh\nsed -i '{programme}' \"$1\"\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("mode set");
    path.to_string_lossy().into_owned()
}

#[test]
fn leaving_out_a_subject_in_the_editor_asks_why() {
    let desk = desk_of("mz.prm");
    // The place loses its key, so the gateway would give it another: the old subject is left out.
    let editor = editor(&desk, r#"s/"key": "l1",//; s/"change": ""/"change": "Outro lugar"/"#);
    let line =
        |server: &TestServer| format!("alert update 7K2MQX4 --server {} --token-file token", server.url);
    let sent = server([validated(), released()]);
    let ended = desk.run_with(&line(&sent), "lost\nerror\ny\n", &[("EDITOR", &editor)]);
    ended.is(0, "l1 is no longer there: why? found (Found), error (It was there by mistake)");
    ended.is(0, "- /subjects/places/l1");
    assert_eq!(posted(&sent)["body"]["dropped"], json!([{ "key": "l1", "reason": "error" }]));
    let left = std::fs::read_dir(desk.path(".local/state/rovuma")).expect("a folder").count();
    assert_eq!(left, 0, "the text is left on this machine");

    let silent = server([]);
    let ended = desk.run_with(&line(&silent), "", &[("EDITOR", &editor)]);
    ended.is(2, "give --drop l1=REASON");
    ended.is(2, "your text is kept in ");
    desk.run_with(&line(&server([])), "", &[("EDITOR", &editor)])
        .is(2, "rovumactl alert update 7K2MQX4 --file");
}

#[test]
fn an_editor_that_changes_nothing_sends_nothing() {
    let desk = desk_of("mz.prm");
    let unchanged = server([]);
    let line = format!("alert update 7K2MQX4 --server {} --token-file token", unchanged.url);
    desk.run_with(&line, "", &[("EDITOR", "true")]).is(1, "nothing is changed since version 2");
    assert_eq!(unchanged.requests().len(), 4);
}

#[test]
fn an_emergency_release_says_what_it_obliges_to() {
    let desk = desk_of("mz.prm");
    desk.write("draft.json", r#"{"type":"alert.issue","terms":{"purpose":"x"}}"#);
    let sent = TestServer::start([released(), refusal("404 Not Found", "not_found")]);
    let line = format!("send draft.json --server {} --token-file token --emergency", sent.url);
    let words = line.split_whitespace().chain(["A criança foi vista agora."]);
    let ended = desk.run_args(words);
    ended.is(
        0,
        "A second person of your agency must confirm it within 12 hours, by 2026-11-28 00:00:00 +02:00",
    );
    ended.is(0, &format!("rovumactl alert confirm {DRAFT}"));
    assert_eq!(posted(&sent)["terms"]["emergency"], json!({ "reason": "A criança foi vista agora." }));
    desk.run("send draft.json --emergency x --validate").is(2, "cannot be used with");

    let draft = |state: &str| {
        let (_, draft) = draft_view(state);
        let mut draft: Value = serde_json::from_str(&draft).expect("JSON");
        draft["content"] = json!({ "type": "alert.issue", "terms": {} });
        ("200 OK", draft.to_string())
    };
    let sent = TestServer::start([
        draft("draft"),
        draft("draft"),
        released(),
        refusal("404 Not Found", "not_found"),
    ]);
    let ended = run(&desk, &sent, &format!("draft emergency {DRAFT} --reason Agora --yes"));
    ended.is(0, "within 12 hours");
    let put = &sent.whole_requests()[1];
    assert!(
        put.line.starts_with("PUT ") && put.body.contains(r#""emergency":{"reason":"Agora"}"#),
        "{put:?}"
    );
    let pending = TestServer::start([draft("pending_release")]);
    run(&desk, &pending, &format!("draft emergency {DRAFT} --reason Agora --yes"))
        .is(3, "your supervisor has it");
}
