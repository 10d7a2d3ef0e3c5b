//! Cases as people read them, and the names by which they call them.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_schemas::Timestamp;
use serde_json::{Value, json};

use crate::{
    harness::{CommandResult, TestFolder},
    servers::TestServer,
};

pub(crate) const OPENER: &str = "0199c5a1-7b3e-7001-8a10-000000000001";
pub(crate) const AGAIN: &str = "0199c5a1-7b3e-7001-8a10-000000000009";
pub(crate) const REPORT: &str = "0199c5a1-7b3e-7016-8a10-000000000016";
const CERTIFICATE: &str = "0199c5a1-7b3e-7017-8a10-000000000017";

/// A desk of somebody of this agency.
pub(crate) fn desk_of(agency: &str) -> TestFolder {
    let desk = TestFolder::new();
    let claims = URL_SAFE_NO_PAD.encode(json!({ "sub": "u1", "agency": agency }).to_string());
    desk.write_private("token", &format!("x.{claims}.x\n"));
    desk
}

pub(crate) fn run(desk: &TestFolder, server: &TestServer, words: &str) -> CommandResult {
    desk.run(&format!("{words} --server {} --token-file token", server.url))
}

pub(crate) fn row() -> Value {
    json!({
        "case": { "kind": "alert", "owner": "mz.prm", "id": OPENER }, "short_reference": "7K2MQX4", "state": "active",
        "ball": "nobody", "status": "exercise", "facet": "vehicle", "handling": "H0", "version": 2, "messages": 3,
        "missing": 0, "warnings": 0, "opened_at": "2026-11-27T10:00:00Z", "changed_at": "2026-11-27T12:00:00Z",
    })
}

/// The case of the stolen motorcycle in the view of its issuer.
pub(crate) fn case_view() -> Value {
    json!({
        "case": row(), "at": "2026-11-27T12:00:00Z",
        "possible": ["alert.issue", "alert.update", "alert.extend", "alert.withdraw", "alert.reply", "release.confirm"],
        "missing": [], "warnings": [],
        "hanging": [],
        "freshness": [
            { "agency": "tz.tpf", "last_word_at": ago(14 * 60 + 30) },
            { "agency": "tz.tisd", "last_word_at": ago(3 * 86_400 + 60), "missing_since": "2026-11-26T10:00:00Z" },
            { "agency": "tz.dci" },
        ],
        "alert": {
            "version": 2, "ends": "2029-11-27T10:00:00Z", "subjects": ["l1", "v1"], "retain_until": "2036-12-31",
            "flagged": ["tz.tisd"], "flagged_countries": ["tz"],
            "reports": [
                { "id": REPORT, "agency": "tz.tpf", "version": 1 },
                { "id": AGAIN, "agency": "tz.dci", "version": 1, "answer": "not_accepted" },
            ],
            "recipients": [
                { "agency": "tz.dci", "state": "not_delivered" },
                { "agency": "tz.tisd", "state": "applied" },
                { "agency": "tz.tpf", "state": "delivered" },
            ],
        },
    })
}

fn ago(seconds: u64) -> String {
    Timestamp::system_now().minus(Duration::from_secs(seconds)).to_string()
}

pub(crate) fn step(id: &str, kind: &str, sender: &str, turn: u64, more: &Value) -> Value {
    let mut step = json!({
        "id": id, "ids": [id], "type": kind, "sender": sender, "turn": turn, "created": "2026-11-27T10:00:00Z", "seen": {},
        "effect": "applied", "receipts": [],
    });
    step.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    step
}

pub(crate) fn steps() -> Value {
    let receipts = json!([
        { "recipient": "tz.tpf", "kind": "delivered", "said_at": "2026-11-27T10:00:01Z" },
        { "recipient": "tz.tpf", "kind": "read", "said_at": "2026-11-27T10:05:00Z" },
    ]);
    json!([
        step(OPENER, "alert.issue", "mz.prm", 1, &json!({ "ids": [OPENER, AGAIN], "receipts": receipts })),
        step(
            REPORT,
            "alert.error_report",
            "tz.tpf",
            1,
            &json!({ "received_at": "2026-11-27T11:00:00Z", "in_reply_to": OPENER })
        ),
        step(
            CERTIFICATE,
            "alert.withdraw",
            "tz.tpf",
            2,
            &json!({ "effect": "unlawful", "reason": "not_its_part" })
        ),
        step(
            AGAIN,
            "alert.extend",
            "mz.prm",
            2,
            &json!({ "effect": "without_effect", "reason": "after_end" })
        ),
        step(AGAIN, "alert.merge", "tz.tpf", 3, &json!({ "effect": "unjudged", "reason": "type_unknown" })),
    ])
}

/// What the gateway answers to `case show` with a short reference.
fn shown(view: &Value, steps: &Value) -> TestServer {
    let found = json!({ "items": [view["case"]] });
    let timeline = json!({ "steps": steps });
    TestServer::start([&found, view, &timeline].map(|answer| ("200 OK", answer.to_string())))
}

#[test]
fn a_case_reads_well_in_each_language() {
    let desk = desk_of("mz.prm");
    for language in ["pt", "sw", "en"] {
        let server = shown(&case_view(), &steps());
        let ended = run(&desk, &server, &format!("case show 7k2m-qx4 --language {language}"));
        assert_eq!(ended.code, 0, "{ended:?}");
        insta::assert_snapshot!(format!("case_{language}"), ended.stdout);
        let path = format!("/v1/cases/alert/mz.prm/{OPENER}");
        assert_eq!(
            server.requests(),
            [
                "GET /v1/cases?reference=7k2m-qx4&limit=6".to_owned(),
                format!("GET {path}"),
                format!("GET {path}/timeline")
            ]
        );
    }
    let server = shown(&case_view(), &steps());
    let raw = run(&desk, &server, "--json case show 7K2MQX4").json();
    let (mut expected, mut raw) = (case_view(), raw);
    assert_eq!(raw["steps"], steps());
    // The spans of the two are a moment apart.
    for case in [&mut expected, &mut raw] {
        let case = case.as_object_mut().expect("an object");
        case.remove("freshness");
        case.remove("steps");
    }
    assert_eq!(raw, expected, "JSON is what the gateway gave");
}

#[test]
fn a_withdrawn_alert_shows_who_has_certified_what() {
    let mut view = case_view();
    view["case"]["state"] = json!("withdrawn");
    view["alert"]["withdrawn"] = json!("superseded");
    view["alert"]["superseded_by"] = json!(AGAIN);
    view["alert"]["recipients"] = json!([
        { "agency": "tz.dci", "state": "certified", "certificate": "never_held" },
        { "agency": "tz.tisd", "state": "certified", "certificate": "retained", "retained_until": "2028-12-31" },
        { "agency": "tz.tpf", "state": "delivered", "posts": [
            { "post": "namatil", "last_word": "2026-11-27T10:00:00Z" },
            { "post": "namoto_kilambo", "since": "2026-11-29T14:02:00Z", "last_word": "2026-11-29T14:02:00Z" },
        ] },
    ]);
    let certificate = json!([step(CERTIFICATE, "purge.certify", "tz.tisd", 2, &json!({}))]);
    let server = shown(&view, &certificate);
    let shown = run(&desk_of("mz.prm"), &server, "case show 7K2MQX4").stdout;
    for line in [
        "withdrawn: Another alert takes its place",
        &format!("The alert {AGAIN} takes its place."),
        "To do       answer the open error reports: 1\n",
        "wait: certificates are missing from tz.tpf",
        "certified: never held",
        &format!("certified: kept until 2028-12-31 (why: rovumactl show {CERTIFICATE})"),
        "post Namatil: not yet; its last word 2026-11-27",
        "post Namoto–Kilambo (ferry): in effect since 2026-11-29",
    ] {
        assert!(shown.contains(line), "{line:?} is not in {shown}");
    }
}

#[test]
fn a_recipient_is_told_first_whether_to_act() {
    let desk = desk_of("tz.tpf");
    let view = |state: &str| {
        let mut view = case_view();
        view["case"]["state"] = json!(state);
        view["alert"]["recipients"] = json!([]);
        view["alert"]["flagged"] = json!([]);
        view["alert"]["flagged_countries"] = json!([]);
        view["possible"] = json!(["alert.flag", "alert.error_report", "purge.certify"]);
        view
    };
    for (state, first) in [
        ("active", "To do       act as the alert asks"),
        ("suspended", "To do       DO NOT ACT ON IT"),
        ("expired", "To do       DO NOT ACT ON IT: it is a record only"),
        ("withdrawn", "To do       DO NOT ACT ON IT; erase the data by 2036-12-31 and certify it"),
        ("not_arrived", "To do       DO NOT ACT ON IT: the alert itself has not arrived"),
    ] {
        let shown = run(&desk, &shown(&view(state), &steps()), "case show 7K2MQX4").stdout;
        assert!(shown.contains(first), "{state}: {shown}");
    }
    let mut suspended = view("suspended");
    suspended["alert"]["confirm_by"] = json!("2026-11-27T12:35:00Z");
    suspended["warnings"] = json!([{ "agency": "mz.prm", "turn": 2, "code": "case_turn_reused" }]);
    suspended["missing"] = json!([{ "agency": "mz.prm", "from": 3, "to": 4 }]);
    let shown = run(&desk, &shown(&suspended, &steps()), "case show 7K2MQX4").stdout;
    for line in [
        "suspended since 2026-11-27 15:35 EAT · 14:35 CAT: nobody confirmed",
        "used its message no. 2 twice with different content",
        "(mz.prm): 2 messages; the state may be older",
        "rovumactl alert flag 7K2MQX4 --on --reason CODE --instead ACTION\n",
        "rovumactl alert report-error 7K2MQX4 --subject KEY",
    ] {
        assert!(shown.contains(line), "{line:?} is not in {shown}");
    }
}

#[test]
fn a_replay_asks_for_the_instant_and_says_so() {
    let server = shown(&case_view(), &json!([]));
    let ended = run(&desk_of("mz.prm"), &server, "case replay 7K2MQX4 --at 2026-11-27T11:00:00Z");
    ended.is(0, "AS IT WAS 2026-11-27 13:00:00 +02:00");
    ended.is(0, "no message");
    assert!(!ended.stdout.contains("rovumactl alert"), "nobody acts in the past: {ended:?}");
    assert!(server.requests()[1].ends_with("?at=2026-11-27T11%3A00%3A00Z"), "{:?}", server.requests());
}

#[test]
fn the_list_asks_for_what_is_wanted() {
    let desk = desk_of("tz.tpf");
    let mut later = row();
    later.as_object_mut().expect("an object").remove("short_reference");
    later["case"]["owner"] = json!("tz.tpf");
    later["state"] = json!("suspended");
    later["ball"] = json!("ours");
    later["due"] = json!("2026-11-29T21:35:00Z");
    later["missing"] = json!(1);
    let page = json!({ "items": [later, row()], "next": "n" }).to_string();
    let server = TestServer::start([("200 OK", page)]);
    let ended = run(&desk, &server, "case list --limit 2");
    insta::assert_snapshot!("case_list", ended.stdout);
    assert!(ended.stderr.contains("there are more"), "{ended:?}");
    let server = TestServer::start([("200 OK", r#"{"items":[]}"#), ("200 OK", r#"{"items":[]}"#)]);
    run(&desk, &server, "case list --mine");
    run(
        &desk,
        &server,
        "case list --state not_arrived --ball theirs --kind alert --category vehicle --status actual --due 2026-11-29 \
         --partner mz.prm --reference PRM --limit 7",
    );
    assert_eq!(
        server.requests(),
        [
            "GET /v1/cases?ball=ours&limit=50",
            "GET /v1/cases?kind=alert&state=not_arrived&ball=theirs&category=vehicle&status=actual\
             &due=2026-11-30T00%3A00%3A00Z&partner=mz.prm&reference=PRM&limit=7"
        ]
    );
    desk.run("case list --mine --ball ours").is(2, "cannot be used with");
}

#[test]
fn a_case_that_is_not_clear_is_asked_about() {
    let desk = desk_of("tz.tpf");
    let server = TestServer::start([("200 OK", r#"{"items":[]}"#)]);
    let ended = run(&desk, &server, "case show ZZZZZZZ");
    ended.is(3, "no case with the short reference or file number \"ZZZZZZZ\"");
    ended.is(3, "rovumactl case list");
    let mut other = row();
    other["short_reference"] = json!("222222A");
    let server = TestServer::start([("200 OK", json!({ "items": [row(), other] }).to_string())]);
    run(&desk, &server, "case show PRM").is(3, "several file numbers: 7K2MQX4, 222222A");

    let header = json!({
        "id": REPORT, "type": "stream.status", "version": "1.1", "status": "exercise", "sender": { "agency": "tz.tpf" },
        "recipients": [], "created": "2026-11-27T10:00:00Z",
    });
    let message = json!({ "direction": "sent", "header": header });
    let server = TestServer::start([("200 OK", message.to_string())]);
    run(&desk, &server, &format!("case show {REPORT}")).is(3, "belongs to no case");
    assert_eq!(server.requests(), [format!("GET /v1/messages/{REPORT}?view=metadata")]);
}

#[test]
fn a_case_is_held_and_freed_and_what_is_due_is_listed() {
    let desk = desk_of("mz.prm");
    let name = format!("alert/mz.prm/{OPENER}");
    let hold = json!({
        "ground": "court_order", "reason": "TJ-12", "until": "2027-02-01T00:00:00Z", "set_by": "u2",
        "set_at": "2026-11-27T10:00:00Z",
    });
    let retained = |hold: Option<&Value>| {
        let mut row = json!({
            "case": row()["case"], "state": "withdrawn", "messages": 3, "erase_at": "2026-12-01T00:00:00Z",
            "unsettled": false, "due": hold.is_none(),
        });
        if let Some(hold) = hold {
            row["hold"] = hold.clone();
        }
        row
    };
    let server = TestServer::start([("200 OK", retained(Some(&hold)).to_string())]);
    let words = format!("case hold {name} --ground court_order --reason TJ-12 --until 2027-01-31");
    run(&desk, &server, &words).is(0, "is held until 2027-02-01 02:00:00 +02:00");
    let request = &server.whole_requests()[0];
    let body: Value = serde_json::from_str(&request.body).expect("JSON");
    assert_eq!(request.line, format!("PUT /v1/cases/{name}/hold"));
    assert_eq!(body, json!({ "ground": "court_order", "reason": "TJ-12", "until": "2027-01-31" }));
    let server = TestServer::start([("200 OK", retained(None).to_string())]);
    run(&desk, &server, &format!("case free {name}")).is(2, "give --yes");
    let freed = run(&desk, &server, &format!("case free {name} --yes"));
    freed.is(0, "is not held\nits content is to be erased 2026-12-01 02:00:00 +02:00");
    assert_eq!(server.requests(), [format!("DELETE /v1/cases/{name}/hold")]);

    let retention = json!({
        "at": "2026-11-27T10:00:00Z", "until": "2026-12-27T10:00:00Z", "upcoming_count": 9, "upcoming": [retained(None)],
        "held_count": 1, "held": [retained(Some(&hold))],
    });
    let server = TestServer::start([("200 OK", retention.to_string())]);
    insta::assert_snapshot!("retention", run(&desk, &server, "retention --dry-run --days 7").stdout);
    assert_eq!(server.requests(), ["GET /v1/retention?days=7"]);
    desk.run("retention").is(2, "--dry-run");
}
