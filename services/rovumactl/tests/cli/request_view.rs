//! Requests as both sides read them.

use serde_json::{Value, json};

use crate::{
    cases::{AGAIN, OPENER, REPORT, desk_of, run},
    requests::{opening_step, set, view},
    servers::TestServer,
};

/// What `case show` answers.
fn shown(agency: &str, view: &Value, more: &str) -> String {
    let found = json!({ "items": [view["case"]] });
    let steps = json!({ "steps": [opening_step("request.submit")] });
    let server = TestServer::start([&found, view, &steps].map(|answer| ("200 OK", answer.to_string())));
    let ended = run(&desk_of(agency), &server, &format!("case show 7K2MQX4 {more}"));
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stdout
}

#[track_caller]
fn has(shown: &str, lines: &[&str]) {
    for line in lines {
        assert!(shown.contains(line), "{line:?} is not in {shown}");
    }
}

#[test]
fn an_overdue_request_says_so_first_on_both_sides() {
    let mut late = view("open");
    set(&mut late, "/request/overdue", true);
    set(&mut late, "/request/punctuality", "late");
    set(&mut late, "/request/spent_s", 43_200);
    set(&mut late, "/request/delayed_until", "2026-11-28T08:00:00Z");
    set(&mut late, "/request/delay_reason", "paper_archive");
    set(&mut late, "/request/questions/0/result", "no_record");
    set(&mut late, "/request/questions/0/message", AGAIN);
    set(&mut late, "/possible", json!(["request.answer_partial", "request.answer", "request.refuse"]));
    let of_answerer = shown("tz.tpf", &late, "");
    has(
        &of_answerer,
        &[
            "7K2MQX4 · Identity check · open, OVERDUE since 2026-11-29 15:35 EAT · 14:35 CAT\n",
            "To do       ANSWER NOW: overdue since 2026-11-29 15:35 EAT · 14:35 CAT\n",
            "Due         OVERDUE since 2026-11-29 15:35 EAT · 14:35 CAT\n",
            "12 h of 8 h, LATE\n",
            "until 2026-11-28 11:00 EAT · 10:00 CAT: The archive is on paper\n",
            &format!("searched and no record found  rovumactl show {AGAIN}\n"),
            "  2  Whether the person is wanted in the answering country  p1  not answered\n",
            "  rovumactl request answer 7K2MQX4 --found N=TEXT",
            "  rovumactl request refuse 7K2MQX4 --reason CODE  # a supervisor\n",
        ],
    );
    assert_eq!(
        of_answerer.matches("request answer 7K2MQX4").count(),
        1,
        "one command answers whole and in part"
    );
    set(&mut late, "/possible", json!(["request.remind", "request.cancel"]));
    has(
        &shown("mz.prm", &late, ""),
        &[
            "the answer is OVERDUE since 2026-11-29 14:35 CAT · 15:35 EAT: you may send a reminder\n",
            "mz.prm, your agency",
            "  rovumactl request remind 7K2MQX4\n",
        ],
    );
    has(
        &shown("mz.prm", &late, "--language pt"),
        &["aberto, COM PRAZO ULTRAPASSADO desde 2026-11-29 14:35 CAT"],
    );
    has(&shown("tz.tpf", &late, "--language sw"), &["KUJIBU SASA: muda umepita tangu 2026-11-29 15:35 EAT"]);
}

#[test]
fn a_request_says_what_each_side_must_do() {
    for (state, change, agency, line) in [
        ("open", None, "tz.tpf", "answer by 2026-11-29 15:35 EAT · 14:35 CAT\n"),
        ("open", None, "mz.prm", "wait for the answer\n"),
        ("open", Some(("/request/spent_s", Value::Null)), "mz.prm", "open, not delivered yet: no time runs"),
        ("clarification", None, "mz.prm", "say what the answerer asks, by 2026-11-29 14:35 CAT"),
        ("clarification", None, "tz.tpf", "your time stands still\n"),
        ("answered", None, "mz.prm", "read the answer and close it\n"),
        ("answered", None, "tz.tpf", "To do       nothing\n"),
        (
            "refused",
            Some(("/request/refused", json!("human_rights"))),
            "mz.prm",
            "refused: An answer would violate human rights\n",
        ),
        (
            "cancelled",
            Some(("/request/erasure_due", json!(true))),
            "mz.prm",
            "erase what was disclosed and certify it\n",
        ),
        ("closed", Some(("/request/outcomes", json!(["arrested"]))), "tz.tpf", "closed: Person arrested\n"),
        (
            "suspended",
            Some(("/request/confirm_by", json!("2026-11-27T12:35:00Z"))),
            "tz.tpf",
            "DO NOT ACT ON IT",
        ),
    ] {
        let mut view = view(state);
        if let Some((pointer, value)) = change {
            set(&mut view, pointer, value);
        }
        has(&shown(agency, &view, ""), &[line]);
    }
}

#[test]
fn a_group_shows_who_has_answered_what() {
    let desk = desk_of("mz.prm");
    let mut other = view("answered");
    set(&mut other, "/case/short_reference", "222222A");
    set(&mut other, "/request/answerer", "tz.tisd");
    set(&mut other, "/request/questions/0/result", "found");
    set(&mut other, "/request/questions/1/result", "later");
    let page = json!({ "items": [view("open")["case"], other["case"]] });
    let server =
        TestServer::start([&page, &view("open"), &other].map(|answer| ("200 OK", answer.to_string())));
    let ended = run(&desk, &server, &format!("request group {REPORT}"));
    has(
        &ended.stdout,
        &[
            "Tanzania Police Force (tz.tpf)",
            "0 of 2",
            "222222A",
            "answered",
            "1 of 2: 1 found; 2 to be answered later",
        ],
    );
    let path = format!("GET /v1/cases/request/mz.prm/{OPENER}");
    assert_eq!(
        server.requests(),
        [format!("GET /v1/cases?group={REPORT}&kind=request&limit=200"), path.clone(), path]
    );
    let none = TestServer::start([("200 OK", r#"{"items":[]}"#)]);
    run(&desk, &none, &format!("request group {REPORT}")).is(1, "no request of the group");
}
