//! Hits, on both sides.

use serde_json::{Value, json};

use crate::{
    alerts::{posted, refusal, released},
    cases::{OPENER, case_view, desk_of, run, steps},
    requests::{opened, opening_step, row},
    servers::TestServer,
};

const NOTIFY: &str = include_str!("../../../../schemas/examples/valid/message-hit.notify.json");
const ALERT: &str = include_str!("../../../../schemas/examples/valid/message-alert.issue.json");

fn hit(state: &str) -> Value {
    let mut row = row("hit", state);
    row["facet"] = json!("plate");
    json!({
        "case": row, "at": "2026-11-27T12:00:00Z", "possible": [], "missing": [], "warnings": [], "freshness": [], "hanging": [],
        "hit": {
            "alert_owner": "tz.tpf", "may_act": false, "must_release": false, "contested": false, "overdue": false,
            "actions": [], "certificates": [],
            "found": {
                "alert": { "kind": "alert", "owner": "tz.tpf", "id": OPENER }, "version": 2, "subject": "v1",
                "matched": "plate", "rule": "vehicle_exact", "rule_version": 3, "found_at": "2026-11-27T11:00:00Z",
                "post": "namoto_kilambo", "direction": "entry", "possible_misuse": false, "retroactive": false,
            },
        },
    })
}

/// A gateway at which an agency writes in the hit, and which then takes the message.
fn taking(view: &Value, is_own: bool) -> TestServer {
    let steps = json!([opening_step("hit.notify")]);
    TestServer::start(opened(view, &steps, NOTIFY, is_own).into_iter().chain([released()]))
}

/// What is sent in the hit with these words.
fn sent(agency: &str, words: &str) -> Value {
    let server = taking(&hit("notified"), agency == "mz.prm");
    let ended = run(&desk_of(agency), &server, &format!("hit {words} --yes"));
    assert_eq!(ended.code, 0, "{words}: {ended:?}");
    let draft = posted(&server);
    assert_eq!(draft["case"], hit("notified")["case"]["case"], "{words}");
    json!([draft["type"], draft["body"]])
}

const CONTACT: &str = "--contact Posto --phone +258840000404";

#[test]
fn the_reporter_asks_reports_takes_back_and_closes() {
    let contact = json!({ "name": "Posto", "phone": "+258840000404" });
    assert_eq!(
        sent("mz.prm", &format!("ask 7K2MQX4 {CONTACT}")),
        json!(["hit.ask_confirmation", { "held": false, "contact": contact }])
    );
    assert_eq!(
        sent("mz.prm", &format!("ask 7K2MQX4 {CONTACT} --held-until 2026-11-27T20:00:00Z")),
        json!(["hit.ask_confirmation", { "held": true, "held_until": "2026-11-27T20:00:00Z", "contact": contact }])
    );
    assert_eq!(
        sent("mz.prm", "report 7K2MQX4 --act action --action seize --at 2026-11-27T11:30:00Z"),
        json!(["hit.action_report", { "act": "action", "actions": ["seize"], "at": "2026-11-27T11:30:00Z" }])
    );
    assert_eq!(
        sent("mz.prm", "report 7K2MQX4 --act not_possible --reason gone --at 2026-11-27T11:30:00Z"),
        json!(["hit.action_report", { "act": "not_possible", "reason": "gone", "at": "2026-11-27T11:30:00Z" }])
    );
    assert_eq!(
        sent("mz.prm", "retract 7K2MQX4 --reason reading_error"),
        json!(["hit.retract", { "reason": "reading_error" }])
    );
    assert_eq!(sent("mz.prm", "close 7K2MQX4"), json!(["hit.close", {}]));
    let desk = desk_of("mz.prm");
    desk.run("hit report 7K2MQX4 --act released --action seize").is(2, "--action goes with the act action");
    desk.run("hit report 7K2MQX4 --act action").is(2, "--action goes with the act action");
    desk.run("hit report 7K2MQX4 --act not_possible").is(2, "--reason goes with the act not_possible");
}

#[test]
fn the_owner_says_one_word() {
    let contact = json!({ "name": "Posto", "phone": "+258840000404" });
    for (option, word) in [("--confirmed", "confirmed"), ("--not-confirmed", "not_confirmed")] {
        let expected = json!(["hit.confirm", { "word": word, "contact": contact }]);
        assert_eq!(sent("tz.tpf", &format!("confirm 7K2MQX4 {option} {CONTACT}")), expected);
    }
    assert_eq!(
        sent("tz.tpf", &format!("confirm 7K2MQX4 --more-time 2026-11-27T20:00:00Z {CONTACT}")),
        json!(["hit.confirm", { "word": "more_time", "until": "2026-11-27T20:00:00Z", "contact": contact }])
    );
    let desk = desk_of("tz.tpf");
    desk.run(&format!("hit confirm 7K2MQX4 {CONTACT}")).is(2, "required");
    desk.run(&format!("hit confirm 7K2MQX4 --confirmed --not-confirmed {CONTACT}")).is(2, "cannot be used");
}

#[test]
fn a_hit_is_reported_to_the_owner_of_the_alert_that_it_names() {
    let alert = case_view();
    let answers = opened(&alert, &steps(), ALERT, false).into_iter().chain([released()]);
    let server = TestServer::start(answers);
    let desk = desk_of("tz.tpf");
    let ended = run(
        &desk,
        &server,
        &format!(
            "hit notify 7K2MQX4 --matched plate=AAA000CD --subject v1 --post namoto_kilambo --direction entry \
                  --found-at 2026-11-27T11:00:00Z {CONTACT} --yes"
        ),
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    let draft = posted(&server);
    assert_eq!((&draft["type"], &draft["recipients"]), (&json!("hit.notify"), &json!(["mz.prm"])));
    assert_eq!(draft.get("case"), None, "it opens a case of its own");
    assert_eq!(draft["body"]["alert"], alert["case"]["case"]);
    assert_eq!(draft["body"]["matched"], json!({ "kind": "plate", "value": "AAA000CD" }));
    assert_eq!(draft["body"]["rule"], json!({ "code": "review", "version": 1 }));
    desk.run(&format!("hit notify 7K2MQX4 --matched AAA000CD --post namoto_kilambo {CONTACT}"))
        .is(2, "KIND=VALUE");
}

/// What a person decided is sent once, and the watchlist knows by which message.
#[test]
fn what_was_decided_is_reported_and_noted() {
    let alert = case_view();
    let notice = json!({
        "type": "hit.notify", "status": "exercise", "recipients": ["mz.prm"],
        "terms": { "language": "pt", "retain_until": "2027-11-27" }, "body": { "alert": alert["case"]["case"] },
    });
    let candidate = json!({
        "id": OPENER, "state": "confirmed", "found_at": "2026-11-27T11:00:00Z", "last_at": "2026-11-27T11:00:00Z", "times": 1,
        "hit": {
            "id": OPENER, "reference": "7K2MQX4", "list": "alerts.tz.tpf", "rule": "review", "rule_version": 1, "score": 0.8,
            "action": "seize", "actions": ["seize"], "warnings": [], "forwarded": false, "not_forwarded": ["only_alike"],
            "possible_misuse": false, "repeated": false, "explanation": [], "case": alert["case"]["case"],
        },
        "matched": "plate", "value": "AAA000CD", "discreet": false, "notice": notice,
    });
    let mut noted = candidate.clone();
    noted["state"] = json!("forwarded");
    let watchlist = TestServer::start([("200 OK", candidate.to_string()), ("200 OK", noted.to_string())]);
    // The case is opened by its name, which nobody has to look for.
    let answers = opened(&alert, &steps(), ALERT, false).into_iter().skip(1).chain([released()]);
    let gateway = TestServer::start(answers);
    let words =
        format!("watchlist report {OPENER} --watchlist {} --retain-until 2027-01-31 --yes", watchlist.url);
    let ended = run(&desk_of("tz.tpf"), &gateway, &words);
    assert_eq!(ended.code, 0, "{ended:?}");
    let draft = posted(&gateway);
    assert_eq!(draft["terms"]["retain_until"], "2027-01-31", "what was asked for on the command line");
    let note = watchlist.whole_requests().remove(1);
    assert_eq!(note.line, format!("POST /v1/candidates/{OPENER}/notice"));
    let released: Value = serde_json::from_str(&released().1).expect("JSON");
    assert_eq!(note.body, json!({ "message": released["id"] }).to_string());
}

/// A border officer reads no content, and needs none to follow a hit.
#[test]
fn a_border_officer_follows_a_hit_by_its_codes() {
    let mut view = hit("notified");
    view["hit"]["retain_until"] = json!("2036-05-04");
    let answers = opened(&view, &json!([opening_step("hit.notify")]), NOTIFY, true);
    let mut codes: Value = serde_json::from_str(&answers[3].1).expect("JSON");
    codes.as_object_mut().expect("an object").remove("payload");
    codes["terms"] = json!({
        "urgency": "normal", "purpose": "detection", "legal_basis": "example_police_memorandum_2018", "handling": "H0",
        "evaluation": { "source": "A", "information": "2" },
    });
    let refused = refusal("403 Forbidden", "role");
    let rest = [refused, ("200 OK", codes.to_string()), released()];
    let server = TestServer::start(answers.into_iter().take(3).chain(rest));
    let ended = run(&desk_of("mz.prm"), &server, &format!("hit ask 7K2MQX4 {CONTACT} --language pt --yes"));
    assert_eq!(ended.code, 0, "{ended:?}");
    let draft = posted(&server);
    assert_eq!(
        (&draft["type"], &draft["terms"]["retain_until"]),
        (&json!("hit.ask_confirmation"), &json!("2036-05-04"))
    );
}

#[test]
fn a_hit_says_what_to_do() {
    let shown = |agency: &str, view: &Value| {
        let steps = json!({ "steps": [opening_step("hit.notify")] });
        let found = json!({ "items": [view["case"]] });
        let agencies = json!({ "items": [] });
        let answers = [&found, view, &steps, &agencies].map(|answer| ("200 OK", answer.to_string()));
        let server = TestServer::start(answers);
        let ended = run(&desk_of(agency), &server, "case show 7K2MQX4 --language en");
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.stdout
    };
    let mut asked = hit("asked");
    asked["case"]["due"] = json!("2026-11-27T13:00:00Z");
    asked["possible"] = json!(["hit.confirm"]);
    let owner = shown("tz.tpf", &asked);
    assert!(owner.contains("Confirm it, or not, by"), "{owner}");
    assert!(owner.contains("rovumactl hit confirm 7K2MQX4 --confirmed"), "{owner}");
    assert!(owner.contains("Plate (v1): The same vehicle v3") && owner.contains("Namoto–Kilambo"), "{owner}");

    let mut red = hit("action");
    red["hit"]["contested"] = json!(true);
    red["hit"]["must_release"] = json!(true);
    let reporter = shown("mz.prm", &red);
    assert!(reporter.contains("ACTED ON WITHOUT GROUND"), "{reporter}");
    assert!(reporter.contains("Release, or stop, at once"), "{reporter}");
    assert!(shown("tz.tpf", &red).contains("The other side must release"));
    let mut confirmed = hit("confirmed");
    confirmed["hit"]["may_act"] = json!(true);
    assert!(shown("mz.prm", &confirmed).contains("you may do what the alert asks for"));
    confirmed["hit"]["may_act"] = json!(false);
    assert!(shown("mz.prm", &confirmed).contains("do not act"));
}
