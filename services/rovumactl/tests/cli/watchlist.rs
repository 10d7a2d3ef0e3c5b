//! Screening, and the lists of the watchlist.

use serde_json::{Value, json};

use crate::{
    harness::{CommandResult, TestFolder},
    servers::{TestServer, desk_with_token},
};

const ID: &str = "0199c5a1-7b3e-7001-8a10-000000000001";

fn run(desk: &TestFolder, server: &TestServer, words: &str) -> CommandResult {
    desk.run(&format!("{words} --server {} --token-file token", server.url))
}

fn screening(verdict: &str, hits: &[Value]) -> Value {
    json!({
        "verdict": verdict,
        "understood": { "kind": "document", "fields": { "number": "AB123001" }, "warnings": ["country_guessed"] },
        "lists": [
            { "id": "alerts.mz.prm", "version": 8, "age_s": 4, "state": "current" },
            { "id": "un", "version": 2, "age_s": 1728000, "state": "stale" },
        ],
        "hits": hits,
        "of_a_later_version": 1,
    })
}

fn hit() -> Value {
    json!({
        "id": ID, "reference": "7K2MQX4", "list": "alerts.mz.prm", "rule": "document_exact", "rule_version": 1, "score": 1.0,
        "action": "seize", "actions": ["seize"], "warnings": ["armed", "violent"], "status": "exercise", "forwarded": false,
        "not_forwarded": ["protection"], "possible_misuse": true, "repeated": false,
        "explanation": [{ "feature": "number", "query": "AB123001", "listed": "AB 123001", "effect": "equal" }],
        "call": { "name": "Desk", "phone": "+258 82 000 0000" },
    })
}

const AT_NAMOTO: &str = "--post namoto_kilambo --direction entry";

#[test]
fn a_verdict_says_first_what_matters_most() {
    for (locale, words) in [
        (
            "en_GB",
            [
                "HIT",
                "WARNING: Armed",
                "NO REAL CASE: EXERCISE",
                "Action",
                "Reference",
                "Telephone",
                "Understood as",
                "STALE",
            ],
        ),
        (
            "pt_MZ",
            [
                "CORRESPONDÊNCIA",
                "ATENÇÃO: ",
                "NÃO É UM CASO REAL: EXERCISE",
                "Ação",
                "Referência",
                "Telefone",
                "Entendido como",
                "DESATUALIZADA",
            ],
        ),
        (
            "sw_TZ",
            [
                "IMEPATIKANA",
                "TAHADHARI: ",
                "SI KESI HALISI: EXERCISE",
                "Hatua",
                "Rejea",
                "Simu",
                "Ilieleweka kama",
                "IMEPITWA",
            ],
        ),
    ] {
        let desk = desk_with_token();
        let answer = json!({ "items": [screening("hit", &[hit()])] });
        let server = TestServer::start([("200 OK", answer.to_string())]);
        let line = format!("screen AB123001 {AT_NAMOTO} --server {} --token-file token", server.url);
        let ended = desk.run_with(&line, "", &[("LANG", locale)]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.starts_with(words[0]), "{}", ended.stdout);
        let at =
            words.map(|word| ended.stdout.find(word).unwrap_or_else(|| panic!("{word}: {}", ended.stdout)));
        assert!(at.is_sorted(), "{at:?}: {}", ended.stdout);
    }
}

#[test]
fn what_is_screened_is_sent_as_it_was_given() {
    let desk = desk_with_token();
    let answer = json!({ "items": [screening("no_hit", &[])] });
    let server = TestServer::start([("200 OK", answer.to_string()), ("200 OK", answer.to_string())]);
    let words = "--json screen AB123001 --kind document --state MOZ --type passport --confirmed --make Toyota --colour red";
    let ended = run(&desk, &server, &format!("{words} {AT_NAMOTO} --asks-protection"));
    assert_eq!(ended.json()["of_a_later_version"], 1, "{ended:?}");
    assert_eq!(run(&desk, &server, "screen X1 --purpose investigation --reference 114/2026").code, 0);
    let sent: Vec<Value> = server
        .whole_requests()
        .iter()
        .map(|request| serde_json::from_str(&request.body).expect("JSON"))
        .collect();
    assert_eq!(
        sent[0],
        json!({
            "items": [{ "text": "AB123001", "kind": "document", "state": "MOZ", "document_type": "passport", "confirmed": true,
                "vehicle": { "make": "Toyota", "colour": "red" } }],
            "crossing": { "post": "namoto_kilambo", "direction": "entry", "asks_protection": true },
        })
    );
    assert_eq!(
        sent[1],
        json!({ "items": [{ "text": "X1", "confirmed": false }], "purpose": { "code": "investigation", "reference": "114/2026" } })
    );
}

#[test]
fn why_somebody_screens_is_asked_for() {
    let desk = desk_with_token();
    for words in [
        "screen AB123001",
        "screen --post namoto_kilambo --direction entry",
        "screen AB123001 --post namoto_kilambo",
        "screen AB123001 --purpose investigation",
        "screen AB123001 --purpose investigation --reference 1 --post namoto_kilambo --direction entry",
        "screen AB123001 --file f --post namoto_kilambo --direction entry",
        "screen AB123001 --kind whatever --post namoto_kilambo --direction entry",
        "screen AB123001 --purpose investigation --reference 1 --asks-protection",
    ] {
        assert_eq!(
            desk.run(&format!("{words} --server http://127.0.0.1:9 --token-file token")).code,
            2,
            "{words}"
        );
    }
}

#[test]
fn a_file_is_screened_in_requests_of_a_hundred() {
    let desk = desk_with_token();
    let lines: String = (0..150).map(|number| format!("AB{number:06}\n")).collect();
    desk.write("ferry.txt", lines);
    let page = |count: usize, first: Value| {
        let mut items = vec![screening("no_hit", &[]); count];
        items[0] = first;
        json!({ "items": items }).to_string()
    };
    let mut second = hit();
    (second["reference"], second["status"]) = (json!("8L3NRY5"), json!("actual"));
    let mut unreadable = screening("unreadable", &[]);
    unreadable["unreadable"] = json!({ "code": "no_number", "detail": "no number in it" });
    let pages = [("200 OK", page(100, screening("hit", &[hit(), second]))), ("200 OK", page(50, unreadable))];
    let server = TestServer::start(pages.clone());
    let ended = run(&desk, &server, &format!("screen --file ferry.txt {AT_NAMOTO} --language en"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(server.requests().len(), 2);
    let rows: Vec<&str> = ended.stdout.lines().collect();
    assert!(rows[0].starts_with("LINE") && rows[0].ends_with("TELEPHONE"), "{}", ended.stdout);
    assert!(rows[1].starts_with("1 ") && rows[1].contains("HIT WARNING: Armed"), "{}", ended.stdout);
    for words in ["NO REAL CASE: EXERCISE", "The holder is not the listed person", "7K2MQX4, 8L3NRY5"] {
        assert!(rows[1].contains(words), "{words}: {}", ended.stdout);
    }
    assert!(rows[2].starts_with("101 ") && rows[2].contains("UNREADABLE"), "{}", ended.stdout);
    assert!(rows[2].contains("no number in it"), "{}", ended.stdout);
    // The list that is not current, once.
    assert_eq!(rows.iter().filter(|row| row.contains("STALE")).count(), 1, "{}", ended.stdout);
    assert!(!ended.stdout.contains("alerts.mz.prm"), "{}", ended.stdout);
    for row in ["NO HIT      148", "HIT         1", "UNREADABLE  1"] {
        assert!(ended.stdout.contains(row), "{row}: {}", ended.stdout);
    }
    let server = TestServer::start(pages);
    let ended = run(&desk, &server, &format!("--json screen --file ferry.txt --fail-on-hit {AT_NAMOTO}"));
    assert_eq!((ended.code, ended.json()["items"].as_array().map(Vec::len)), (8, Some(150)), "{ended:?}");
}

fn report(result: &str) -> Value {
    json!({
        "name": "un", "source": "un", "result": result, "records_before": 9, "reasons": [],
        "file": { "digest": "abc", "dated": "2026-11-28", "records": 10, "sections": { "individuals": 7, "entities": 3 } },
        "counts": { "persons": 7, "organisations": 3, "aliases_good": 5, "aliases_weak": 2, "births": { "day": 4, "year": 1 },
            "documents": 6, "ranges": 1, "vehicles": 0, "skipped": 1 },
        "skipped": [{ "line": 12, "record": "77", "reason": "the birth date is not understood" }],
        "encoding": "UTF-8", "warnings": [],
    })
}

#[test]
fn an_import_sends_the_file_and_says_what_it_has() {
    let desk = desk_with_token();
    desk.write("un.xml", "<LIST/>");
    let server = TestServer::start([("200 OK", report("loaded").to_string())]);
    let ended = run(&desk, &server, "watchlist import --source un un.xml --dated 2026-11-28");
    assert_eq!(ended.code, 0, "{ended:?}");
    for words in [
        "un (un) is in force",
        "10 (before: 9)",
        "good 5, weak 2",
        "day 4, year 1",
        "line 12, record 77: the birth",
    ] {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    let request = server.whole_requests().remove(0);
    assert_eq!(request.line, "POST /v1/lists/un?source=un&dry_run=false&dated=2026-11-28");
    assert_eq!(request.body, "<LIST/>");
}

#[test]
fn the_two_files_of_ofac_go_in_one_body() {
    let desk = desk_with_token();
    desk.write("sdn.csv", "list");
    desk.write("alt.csv", "aliases,");
    let server = TestServer::start([("200 OK", report("dry_run").to_string())]);
    let ended = run(&desk, &server, "watchlist import --source ofac sdn.csv --alt alt.csv --dry-run");
    ended.is(0, "was only read");
    let request = server.whole_requests().remove(0);
    assert_eq!(request.line, "POST /v1/lists/ofac?source=ofac&dry_run=true&aliases_bytes=8");
    assert_eq!(request.body, "aliases,list");
    run(&desk, &server, "watchlist import --source un sdn.csv --alt alt.csv").is(2, "leave --alt out");
    run(&desk, &server, "watchlist import --source csv sdn.csv").is(2, "--name");
    run(&desk, &server, "watchlist import --source un nowhere.xml").is(2, "nowhere.xml");
}

fn lists(proposal: Value) -> String {
    json!({ "items": [{
        "list": { "id": "un", "version": 2, "age_s": 60, "state": "current" }, "source": "un", "entries": 10,
        "file": { "digest": "abc", "dated": "2026-11-28", "records": 10, "sections": {} }, "proposal": proposal,
    }]})
    .to_string()
}

#[test]
fn a_second_person_sees_the_figures_and_approves_those() {
    let desk = desk_with_token();
    desk.write("un.xml", "<LIST/>");
    let problem = json!({ "type": "x", "title": "Conflict", "status": 409, "code": "needs_second_person", "detail": "The file has 5." });
    let server = TestServer::start([("409 Conflict", problem.to_string())]);
    let ended = run(&desk, &server, "watchlist import --source un un.xml");
    ended.is(3, "next: a colleague approves it: rovumactl watchlist approve un");

    let proposal = json!({
        "id": ID, "act": "import", "proposed_by": "u1", "proposed_at": "2026-11-30T08:00:00Z", "ends": "2026-12-01T08:00:00Z",
        "reasons": ["fewer_records"], "records_before": 10,
        "file": { "digest": "def", "records": 5, "sections": { "individuals": 5 } },
    });
    let server = TestServer::start([("200 OK", lists(proposal.clone())), ("200 OK", lists(Value::Null))]);
    let line = format!("watchlist approve un --server {} --token-file token", server.url);
    let ended = desk.run_with(&line, "yes\n", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stderr.contains("import of 5 records (individuals 5)")
            && ended.stderr.contains("fewer_records"),
        "{ended:?}"
    );
    assert_eq!(server.requests()[1], format!("POST /v1/lists/un/approval?proposal={ID}"));

    let server = TestServer::start([("200 OK", lists(proposal))]);
    let line = format!("watchlist approve un --server {} --token-file token", server.url);
    assert_eq!(desk.run_with(&line, "no\n", &[]).code, 1);
    let server = TestServer::start([("200 OK", lists(Value::Null))]);
    run(&desk, &server, "watchlist approve un --yes").is(3, "rovumactl watchlist lists");
}

#[test]
fn a_removal_is_proposed() {
    let desk = desk_with_token();
    let proposal = json!({
        "id": ID, "act": "removal", "proposed_by": "u1", "proposed_at": "2026-11-30T08:00:00Z", "ends": "2026-12-01T08:00:00Z",
        "reasons": ["removal"], "records_before": 10,
    });
    let server = TestServer::start([("202 Accepted", proposal.to_string())]);
    run(&desk, &server, "watchlist remove un").is(0, "rovumactl watchlist approve un");
    assert_eq!(server.requests(), ["DELETE /v1/lists/un"]);
}

#[test]
fn candidates_are_listed_and_decided() {
    let desk = desk_with_token();
    let candidate = json!({
        "id": ID, "state": "review", "found_at": "2026-11-30T08:00:00Z", "last_at": "2026-11-30T08:00:00Z", "times": 2,
        "post": "namoto_kilambo", "direction": "entry", "hit": hit(), "matched": "document", "value": "AB123001", "discreet": true,
    });
    let page = json!({ "items": [candidate] }).to_string();
    let server = TestServer::start([("200 OK", page), ("200 OK", candidate.to_string())]);
    run(&desk, &server, "watchlist candidates").is(0, "review DISCREET");
    run(&desk, &server, &format!("watchlist decide {ID} --different --reason 114/2026")).is(0, "7K2MQX4");
    let requests = server.whole_requests();
    assert_eq!(requests[0].line, "GET /v1/candidates?state=review&limit=200");
    assert_eq!(requests[1].line, format!("POST /v1/candidates/{ID}/decision"));
    assert_eq!(requests[1].body, r#"{"same":false,"reason":"114/2026"}"#);
    run(&desk, &server, &format!("watchlist decide {ID} --reason 1")).is(2, "--same");

    let server = TestServer::start([("200 OK", candidate.to_string())]);
    let words = format!("watchlist decide {ID} --different --innocent --reason 1");
    run(&desk, &server, &words).is(0, "rovumactl watchlist approve-innocent");
    let body = &server.whole_requests()[0].body;
    assert_eq!(body, r#"{"same":false,"reason":"1","innocent":true}"#);
    run(&desk, &server, &format!("watchlist decide {ID} --same --innocent --reason 1")).is(2, "--innocent");
    let mut confirmed = candidate.clone();
    confirmed["notice"] = json!({ "type": "hit.notify" });
    let server = TestServer::start([("200 OK", confirmed.to_string())]);
    let ended = run(&desk, &server, &format!("watchlist decide {ID} --same --reason 1"));
    ended.is(0, &format!("rovumactl watchlist report {ID}"));
}

#[test]
fn what_is_expected_at_a_post_is_listed() {
    let desk = desk_with_token();
    let alert = json!({ "kind": "alert", "owner": "mz.prm", "id": ID });
    let expected = json!({
        "found_at": "2026-11-30T08:00:00Z", "until": "2026-11-30T14:00:00Z", "action": "seize", "warnings": ["armed"],
        "status": "exercise", "call": { "name": "Desk", "phone": "+258 82 000 0000" },
        "hit": {
            "case": { "kind": "hit", "owner": "tz.tpf", "id": ID }, "alert": alert, "reference": "7K2MQX4", "matched": "plate",
            "value": "ABD415CD", "actions": ["seize"], "discreet": true, "possible_misuse": false,
        },
    });
    let mut of_another =
        json!({ "action": "call", "status": "actual", "warnings": [], "call": expected["call"] });
    (of_another["found_at"], of_another["until"]) = (expected["found_at"].clone(), expected["until"].clone());
    let page = json!({ "items": [expected, of_another] }).to_string();
    let server = TestServer::start([("200 OK", page), ("200 OK", json!({ "items": [] }).to_string())]);
    let shown = run(&desk, &server, "watchlist expected --post namoto_kilambo");
    for words in ["ABD415CD", "DISCREET EXERCISE", "Armed", "call", "+258 82 000 0000 (Desk)"] {
        shown.is(0, words);
    }
    run(&desk, &server, "watchlist expected --post namoto_kilambo").is(0, "within the last six hours");
    assert_eq!(server.requests()[0], "GET /v1/expected?post=namoto_kilambo");
    run(&desk, &server, "watchlist expected --post nowhere").is(2, "namoto_kilambo");
}

#[test]
fn what_nobody_decided_or_must_not_be_told_is_not_reported() {
    let desk = desk_with_token();
    for (state, next) in [
        ("review", "watchlist decide"),
        ("confirmed", "what keeps it back: protection"),
        ("forwarded", "case list --kind hit"),
        ("kept", "watchlist candidates"),
    ] {
        let candidate = json!({
            "id": ID, "state": state, "found_at": "2026-11-30T08:00:00Z", "last_at": "2026-11-30T08:00:00Z", "times": 1,
            "hit": hit(), "matched": "document", "value": "AB123001", "discreet": false,
        });
        let server = TestServer::start([("200 OK", candidate.to_string())]);
        let words = format!("watchlist report {ID} --watchlist {} --yes --token-file token", server.url);
        desk.run(&words).is(3, next);
        assert_eq!(server.requests(), [format!("GET /v1/candidates/{ID}")]);
    }
}

#[test]
fn a_second_person_approves_an_innocent_and_a_rule() {
    let desk = desk_with_token();
    let innocent = json!({
        "id": ID, "list": "alerts.mz.prm", "record": "alert/tz.tpf/1", "reason": "FILE-1", "proposed_by": "u1",
        "proposed_at": "2026-11-30T08:00:00Z", "expires": "2027-11-30T08:00:00Z",
    });
    let page = json!({ "items": [innocent] }).to_string();
    let server = TestServer::start([("200 OK", page), ("204 No Content", String::new())]);
    run(&desk, &server, "watchlist innocents").is(0, "nobody yet");
    run(&desk, &server, &format!("watchlist approve-innocent {ID}")).is(0, "no longer stopped");
    assert_eq!(server.requests()[1], format!("POST /v1/innocents/{ID}/approval"));

    let rules = |proposal: Value| {
        json!({ "items": [{ "code": "vehicle_exact", "version": 1, "forwards": true, "proposal": proposal }] }).to_string()
    };
    let proposal = json!({
        "version": 2, "forwards": false, "reason": "FILE-2", "proposed_by": "u1", "proposed_at": "2026-11-30T08:00:00Z",
    });
    let server = TestServer::start([
        ("200 OK", rules(proposal.clone())),
        ("200 OK", rules(proposal.clone())),
        ("200 OK", rules(Value::Null)),
        ("200 OK", rules(Value::Null)),
    ]);
    let words = "watchlist change-rule vehicle_exact --forwards no --reason FILE-2";
    run(&desk, &server, words).is(0, "rovumactl watchlist approve-rule vehicle_exact");
    let ended = run(&desk, &server, "watchlist approve-rule vehicle_exact --yes");
    ended.is(0, "version 2: forwards no; proposed by u1");
    run(&desk, &server, "watchlist approve-rule vehicle_exact --yes").is(3, "watchlist rules");
    let requests = server.whole_requests();
    assert_eq!(requests[0].body, r#"{"forwards":false,"reason":"FILE-2"}"#);
    assert_eq!(
        (requests[2].line.as_str(), requests[2].body.as_str()),
        ("POST /v1/rules/vehicle_exact/approval", r#"{"version":2}"#)
    );
    let server = TestServer::start([("200 OK", rules(Value::Null))]);
    run(&desk, &server, "watchlist rules").is(0, "yes");
}

#[test]
fn one_list_is_shown_whole() {
    let desk = desk_with_token();
    let server = TestServer::start([("200 OK", lists(Value::Null)), ("200 OK", lists(Value::Null))]);
    run(&desk, &server, "watchlist show un").is(0, "digest    abc");
    run(&desk, &server, "watchlist show nothing").is(3, "rovumactl watchlist lists");
}
