//! Leave to use what another agency sent.

use serde_json::{Value, json};

use crate::{
    alerts::{DRAFT, draft_view, posted, refusal, released},
    cases::{OPENER, REPORT, desk_of, run, step},
    requests::{REQUEST, opened, opening_step, row, set, view},
    servers::TestServer,
};

const QUESTION: &str = include_str!("../../../../schemas/examples/valid/message-permission.ask.json");

#[test]
fn leave_is_asked_of_the_agency_at_the_other_end() {
    let desk = desk_of("mz.prm");
    let answer = step(REPORT, "request.answer", "tz.tpf", 1, &json!({}));
    let steps = json!([opening_step("request.submit"), answer]);
    let asked = |words: &str, more: Option<(&'static str, String)>| {
        let answers = opened(&view("answered"), &steps, REQUEST, true).into_iter().chain(more);
        let server = TestServer::start(answers);
        let ended =
            run(&desk, &server, &format!("permission ask --case 7K2MQX4 --reason Porque --yes {words}"));
        (server, ended)
    };
    let (server, ended) = asked("--use forward --use evidence --to mz.sernic", Some(released()));
    assert_eq!(ended.code, 0, "{ended:?}");
    let draft = posted(&server);
    let case = view("answered")["case"]["case"].clone();
    assert_eq!((&draft["type"], &draft["recipients"]), (&json!("permission.ask"), &json!(["tz.tpf"])));
    assert_eq!(draft.get("case"), None, "it opens a case of its own");
    assert_eq!(
        draft["body"],
        json!({ "about": { "case": case }, "uses": ["forward", "evidence"], "reason": "Porque", "to": ["mz.sernic"] })
    );
    assert_eq!(draft["terms"]["purpose"], "identification");
    let (server, _) = asked(&format!("--use export --message {REPORT}"), Some(released()));
    assert_eq!(posted(&server)["body"]["about"]["message"], REPORT);
    let (_, own) = asked(&format!("--use export --message {OPENER}"), None);
    own.is(2, "it needs no leave of another");
    desk.run("permission ask --case 7K2MQX4 --use forward --reason X").is(2, "give --to AGENCY");
}

/// The question as the deciding agency sees it.
fn question(state: &str) -> Value {
    let about = view("answered")["case"]["case"].clone();
    json!({
        "case": row("permission", state), "at": "2026-11-27T12:00:00Z", "possible": ["permission.decide"], "missing": [],
        "warnings": [], "freshness": [], "hanging": [],
        "permission": { "decides": "tz.tpf", "about": about, "uses": ["forward"], "to": ["tz.tisd"], "certificates": [] },
    })
}

#[test]
fn a_supervisor_decides_the_leave() {
    let desk = desk_of("tz.tpf");
    let steps = json!([opening_step("permission.ask")]);
    let decided = |words: &str| {
        let more = [refusal("403 Forbidden", "supervisor_only"), draft_view("draft")];
        let answers = opened(&question("asked"), &steps, QUESTION, false).into_iter().chain(more);
        let server = TestServer::start(answers);
        run(&desk, &server, &format!("permission decide 7K2MQX4 --yes {words}"))
            .is(3, &format!("rovumactl draft submit {DRAFT}"));
        posted(&server)
    };
    let granted = decided("--grant --until 2039-03-31 --condition Oralmente");
    assert_eq!(
        granted["body"],
        json!({ "decision": "granted", "until": "2039-03-31", "condition": "Oralmente" })
    );
    assert_eq!(
        granted["terms"]["retain_until"], "2039-04-30",
        "it can be proved for as long as it was given"
    );
    assert_eq!(decided("--deny --reason Nao")["body"], json!({ "decision": "denied", "reason": "Nao" }));
    for wrong in ["", "--grant", "--deny", "--grant --until 2027-03-31 --reason X", "--grant --deny"] {
        assert_eq!(desk.run(&format!("permission decide 7K2MQX4 {wrong}")).code, 2, "{wrong}");
    }
}

#[test]
fn a_question_for_leave_says_who_decides_what() {
    let shown = |agency: &str, view: &Value| {
        let found = json!({ "items": [view["case"]] });
        let steps = json!({ "steps": [opening_step("permission.ask")] });
        let server = TestServer::start([&found, view, &steps].map(|answer| ("200 OK", answer.to_string())));
        run(&desk_of(agency), &server, "case show 7K2MQX4").stdout
    };
    let asked = shown("tz.tpf", &question("asked"));
    for line in [
        "7K2MQX4 · Request for leave to use information · not decided yet\n",
        "decide the leave\n",
        "Forward the information to other agencies\n",
        "Immigration Services Department (tz.tisd)\n",
        "  rovumactl permission decide 7K2MQX4 --grant --until DATE  # a supervisor\n",
    ] {
        assert!(asked.contains(line), "{line:?} is not in {asked}");
    }
    let mut lapsed = question("lapsed");
    set(&mut lapsed, "/permission/until", "2026-11-20");
    let lapsed = shown("mz.prm", &lapsed);
    assert!(lapsed.contains("leave has lapsed: it was given until 2026-11-20\n"), "{lapsed}");
    assert!(lapsed.contains("use it only as its handling code allows\n"), "{lapsed}");
}
