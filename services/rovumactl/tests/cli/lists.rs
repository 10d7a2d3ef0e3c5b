//! What the gateway knows of codes, agencies and the exchange, as tables.

use serde_json::{Value, json};

use crate::{
    harness::CommandResult,
    servers::{TestServer, desk_with_token},
};

fn run(answers: &[Value], words: &str) -> (CommandResult, Vec<String>) {
    let server =
        TestServer::start(answers.iter().map(|answer| ("200 OK", answer.to_string())).collect::<Vec<_>>());
    let ended = desk_with_token().run(&format!("{words} --server {} --token-file token", server.url));
    (ended, server.requests())
}

fn colours() -> Value {
    let code = |code: &str, label: &str, in_force: bool| json!({ "code": code, "label": label, "in_force": in_force, "valid_until": "2020-12-31" });
    json!({
        "list": "colours", "lang": "pt", "title": "Cores", "source": "x",
        "entries": [code("white", "Branco", true), code("beige", "Bege", true), code("ivory", "Marfim", false)],
    })
}

#[test]
fn codes_are_listed_and_searched() {
    let (ended, requests) = run(&[colours()], "codes colours --language pt");
    ended.is(0, "white  Branco");
    ended.is(0, "not in force: until 2020-12-31");
    assert_eq!(requests, ["GET /v1/codes/colours?lang=pt"]);
    let (ended, _) = run(&[colours()], "--json codes colours BRAN");
    let found = ended.json()["entries"].clone();
    assert_eq!((found.as_array().map(Vec::len), &found[0]["code"]), (Some(1), &json!("white")));
    assert_eq!(run(&[colours()], "codes colours magenta").0.code, 1);
    let (ended, requests) = run(&[], "codes --language sw");
    ended.is(0, "colours ");
    assert!(requests.is_empty(), "the names of the lists need no gateway");
}

#[test]
fn a_list_that_is_not_there_is_named() {
    const MISSING: &str = r#"{"type":"x","title":"x","status":404,"code":"not_found"}"#;
    let server = TestServer::start([("404 Not Found", MISSING)]);
    let ended = desk_with_token().run(&format!("codes hues --server {} --token-file token", server.url));
    ended.is(3, "there is no code list \"hues\"");
    ended.is(3, "rovumactl codes shows the lists");
}

#[test]
fn agencies_that_cannot_be_reached_are_marked() {
    let agencies = json!({ "items": [
        { "code": "tz.tpf", "country": "tz", "name": "Tanzania Police Force", "parent": "moha", "reachable": true,
          "names": { "pt": "Polícia da Tanzânia", "sw": "Jeshi la Polisi Tanzania", "en": "Tanzania Police Force" } },
        { "code": "tz.tisd", "country": "tz", "name": "Immigration", "reachable": false,
          "names": { "pt": "Imigração", "sw": "Uhamiaji", "en": "Immigration" } },
    ]});
    insta::assert_snapshot!("agencies", run(&[agencies], "agencies").0.stdout);
}

#[test]
fn every_page_of_a_list_is_fetched() {
    let alarm = |subject: &str| {
        json!({ "id": 7, "kind": "conflict", "severity": "serious", "subject": subject, "detail": "from tz.tpf", "times": 2,
                "first_at": "2026-11-27T10:00:00Z", "last_at": "2026-11-27T11:00:00Z" })
    };
    let pages = [json!({ "items": [alarm("m1")], "next": "c1" }), json!({ "items": [alarm("m2")] })];
    let (ended, requests) = run(&pages, "alarms");
    insta::assert_snapshot!("alarms", ended.stdout);
    assert_eq!(requests, ["GET /v1/alarms?limit=200", "GET /v1/alarms?limit=199&cursor=c1"]);
    assert!(!ended.stderr.contains("there are more"), "{ended:?}");
    let (cut, _) = run(&pages[..1], "alarms --limit 1");
    assert!(cut.stderr.contains("these are 1 rows, and there are more: give --limit"), "{cut:?}");
    assert_eq!(run(&pages[..1], "--json alarms --limit 1").0.json()["next"], "c1");
}

#[test]
fn alarms_are_narrowed_and_acknowledged() {
    let nothing = json!({ "items": [] });
    let (_, requests) = run(&[nothing], "alarms --open --severity critical");
    assert_eq!(requests, ["GET /v1/alarms?open=true&severity=critical&limit=200"]);
    assert_eq!(run(&[], "alarms --severity loud").0.code, 2);
    let server = TestServer::start([(
        "200 OK",
        json!({ "id": 7, "kind": "conflict", "severity": "serious", "subject": "m1", "detail": "from tz.tpf", "times": 2,
                "first_at": "2026-11-27T10:00:00Z", "last_at": "2026-11-27T11:00:00Z",
                "acknowledged": { "at": "2026-11-27T12:00:00Z", "by": "u1", "reason": "asked" } })
        .to_string(),
    )]);
    let line = ["alarms", "acknowledge", "7", "--times", "2", "--reason", "asked tz.tpf by telephone"];
    let to = ["--server", &server.url, "--token-file", "token"];
    desk_with_token().run_args(line.iter().chain(&to)).is(0, "asked");
    let asked = server.whole_requests().remove(0);
    assert_eq!(asked.line, "POST /v1/alarms/7/acknowledge");
    assert_eq!(asked.body, r#"{"times":2,"reason":"asked tz.tpf by telephone"}"#);
}

#[test]
fn what_waits_and_what_could_not_be_read_is_listed() {
    let digest = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let held = json!({ "items": [{
        "digest": digest, "unverified_sender": "tz.tpf", "lane": "normal", "reason": "unknown_key",
        "held_at": "2026-11-27T10:00:00Z", "tried_at": "2026-11-27T11:00:00Z",
    }]});
    insta::assert_snapshot!("held", run(&[held], "held").0.stdout);
    let quarantined = json!({ "items": [{
        "digest": digest, "reason": "signature", "queue": "inbox.maputo.normal", "exchange": "ingress.tz",
        "unverified_routing_key": "x", "size_bytes": 700, "kept": true, "times": 3,
        "first_at": "2026-11-27T10:00:00Z", "last_at": "2026-11-27T11:00:00Z",
    }]});
    insta::assert_snapshot!("quarantine", run(&[quarantined], "quarantine").0.stdout);
}

#[test]
fn a_gap_in_a_stream_is_a_negative_answer() {
    let stream = "00".repeat(16);
    let gap = json!({
        "count": 3, "missing": [{ "from": 7, "to": 8 }, { "from": 11, "to": 11 }], "since": "2026-11-27T10:00:00Z",
        "requests": 2,
    });
    let streams = json!({
        "incoming": [{ "sender": "tz.tpf", "lane": "normal", "stream": stream, "last": 12, "gap": gap }],
        "outgoing": [{ "recipient": "tz.tpf", "lane": "urgent", "stream": stream, "last": 4, "voided": [3] }],
    });
    let (ended, _) = run(&[streams], "streams");
    assert_eq!(ended.code, 1);
    insta::assert_snapshot!("streams", ended.stdout);
}

#[test]
fn trust_status_warns() {
    let trust = json!({
        "lists": [{ "country": "tz", "state": "overdue", "serial": 3, "next_update": "2026-11-01T00:00:00Z", "agencies": [] }],
        "warnings": [{ "code": "list_overdue", "subject": "tz", "at": "2026-11-01T00:00:00Z" }],
    });
    let (ended, _) = run(&[trust], "trust status");
    ended.is(1, "tz       overdue  3");
    ended.is(1, "warning: list_overdue tz 2026-11-01 02:00:00 +02:00");
}
