//! Writing a draft, mending one that was returned, and releasing what was read.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::{
    harness::TestFolder,
    servers::{TestServer, desk_with_token},
};

const ID: &str = "0199c5a1-7b3e-7001-8a10-000000000001";

fn at(server: &TestServer, words: &str) -> String {
    format!("{words} --server {} --token-file token", server.url)
}

/// A draft as the gateway shows it.
fn draft(state: &str, version: i64, circumstances: &str, faults: u64) -> Value {
    let fault = json!({ "pointer": "/body/circumstances", "code": "too_short", "message": "It is empty." });
    json!({
        "id": ID, "type": "alert.issue", "state": state, "version": version, "author": "u1", "facet": "vehicle",
        "status": "exercise", "second_person": "person", "fault_count": faults, "return_reason": "Say where.",
        "created_at": "2026-11-27T10:00:00Z", "changed_at": "2026-11-27T10:00:00Z",
        "content": { "type": "alert.issue", "recipients": ["tz.tpf"],
                     "body": { "category": "vehicle", "circumstances": circumstances } },
        "faults": if faults == 0 { json!([]) } else { json!([fault]) },
        "advice": [{ "pointer": "/body/circumstances", "topic": "religion", "message": "Look again." }],
    })
}

fn answers<const N: usize>(drafts: [Value; N]) -> TestServer {
    TestServer::start(drafts.map(|draft| ("200 OK", draft.to_string())))
}

fn refusal(status: u16, code: &str) -> String {
    json!({ "type": "x", "title": "x", "status": status, "code": code, "detail": "No." }).to_string()
}

/// An editor that puts `text` in the place of what it finds.
fn editor(desk: &TestFolder, text: &str) -> String {
    let path = desk.write("editor", format!("#!/bin/sh\ncat > \"$1\" <<'END'\n{text}\nEND\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("mode set");
    path.to_string_lossy().into_owned()
}

#[test]
fn a_new_draft_is_a_file_with_help_beside_it() {
    let desk = TestFolder::new();
    desk.write("ctl.toml", "country = \"mz\"\n");
    let ended = desk.ok("--config ctl.toml draft new vehicle --out stolen.json --to tz.tpf --language pt");
    ended.is(0, "fill in the empty texts");
    let draft: Value = serde_json::from_str(&desk.read("stolen.json")).expect("JSON");
    assert_eq!((&draft["type"], &draft["recipients"]), (&json!("alert.issue"), &json!(["tz.tpf"])));
    assert_eq!((&draft["status"], &draft["terms"]["language"]), (&json!("actual"), &json!("pt")));
    assert_eq!(draft["body"]["subjects"]["vehicles"][0]["plate"]["country"], "MOZ");
    assert_eq!(desk.mode("stolen.json"), 0o600, "it will have personal data");
    let help = desk.read("stolen.json.help.txt");
    for line in [
        "/body/actions: seize, locate",
        "* /body/offences: a list: a code of the list offences (rovumactl codes offences)",
        "  /body/subjects/vehicles/0/colour: a code of the list colours (rovumactl codes colours)",
        "/body/subjects/vehicles/0/vin: a VIN: 17 capitals and digits",
    ] {
        assert!(help.contains(line), "{line:?} is not in {help}");
    }
    desk.run("draft new vehicle --out stolen.json").is(2, "is there already");
    let ended = desk.ok("draft new wanted_person");
    assert_eq!(ended.json()["body"]["category"], "wanted_person");
    assert!(ended.stderr.contains("It names the decision that it rests on."), "{ended:?}");
    desk.run("draft new bicycle").is(2, "missing_person");
}

#[test]
fn no_editor_opens_for_a_draft_that_cannot_be_changed() {
    let desk = desk_with_token();
    let editor = editor(&desk, "{}");
    for (state, why) in [("pending_release", "is with a supervisor"), ("released", "is released already")] {
        let server = answers([draft(state, 4, "Stolen.", 0)]);
        let line = at(&server, &format!("draft edit {ID}"));
        desk.run_with(&line, "\n", &[("EDITOR", &editor)]).is(3, why);
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn a_returned_draft_is_mended_in_an_editor() {
    let desk = desk_with_token();
    let mut mended = draft("returned", 6, "", 0);
    mended["content"] = json!({ "unit": "turn 2" });
    let server = answers([draft("returned", 4, "Stolen.", 0), draft("returned", 5, "", 1), mended]);
    // An editor that writes something else each time.
    let editor = desk.write(
        "editor",
        r#"#!/bin/sh
echo >> turns
echo "{\"unit\":\"turn $(($(wc -l < turns)))\"}" > "$1"
"#,
    );
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o700)).expect("mode set");
    let editor = editor.to_string_lossy().into_owned();
    let ended = desk.run_with(&at(&server, &format!("draft edit {ID}")), "\n", &[("EDITOR", &editor)]);
    ended.is(0, "fault /body/circumstances: It is empty. (too_short)");
    ended.is(0, "version 5 is kept, with 1 faults. Edit on?");
    let requests = server.whole_requests();
    let puts: Vec<_> = requests[1..].iter().map(|put| (put.line.as_str(), put.if_match.as_deref())).collect();
    let put = format!("PUT /v1/drafts/{ID}");
    assert_eq!(puts, [(put.as_str(), Some("\"4\"")), (put.as_str(), Some("\"5\""))]);
    assert_eq!(requests[1].body.trim(), r#"{"unit":"turn 1"}"#);
    let left = std::fs::read_dir(desk.path(".local/state/rovuma")).expect("a folder").count();
    assert_eq!(left, 0, "the text is left on this machine");
}

#[test]
fn what_was_typed_is_kept_when_the_gateway_does_not_take_it() {
    let desk = desk_with_token();
    let kept = ("200 OK", draft("returned", 4, "Stolen.", 0).to_string());
    let server = TestServer::start([kept.clone(), ("412 Precondition Failed", refusal(412, "version"))]);
    let editor = editor(&desk, r#"{"type":"alert.issue","unit":"Mueda"}"#);
    let edit = |server: &TestServer| {
        desk.run_with(&at(server, &format!("draft edit {ID}")), "", &[("VISUAL", &editor)])
    };
    let ended = edit(&server);
    ended.is(3, "read it again");
    ended.is(3, "your text is kept in ");
    let name = format!(".local/state/rovuma/draft-{ID}.json");
    assert!(desk.read(&name).contains("Mueda") && desk.mode(&name) == 0o600);
    // The next edit goes on with it.
    let mut mended = draft("returned", 5, "", 0);
    mended["content"] = json!({ "type": "alert.issue", "unit": "Mueda" });
    let server = TestServer::start([kept.clone(), ("200 OK", mended.to_string())]);
    let line = at(&server, &format!("draft edit {ID}"));
    let ended = desk.run_with(&line, "\n", &[("VISUAL", "grep -q Mueda")]);
    ended.is(0, "Go on with your text?");
    assert!(server.whole_requests()[1].body.contains("Mueda"));
    assert!(!desk.path(&name).exists());
    // Or, if nobody says that it should, begins with the gateway's and says where the other is.
    desk.write(&name, "left over");
    desk.write(&format!(".local/state/rovuma/draft-{ID}.1.json"), "older");
    let server = TestServer::start([kept]);
    let ended = desk.run_with(&at(&server, &format!("draft edit {ID}")), "", &[("VISUAL", "grep -q Stolen")]);
    let aside = desk.path(&format!(".local/state/rovuma/draft-{ID}.2.json"));
    ended.is(0, &format!("use it with rovumactl draft change {ID} {}", aside.display()));
    ended.is(0, "nothing is changed since version 4");
    assert_eq!(desk.read(&format!(".local/state/rovuma/draft-{ID}.2.json")), "left over");
    assert_eq!(desk.read(&format!(".local/state/rovuma/draft-{ID}.1.json")), "older");
}

#[test]
fn an_editor_that_changes_nothing_changes_nothing() {
    let desk = desk_with_token();
    let server = answers([draft("draft", 1, "Stolen.", 0)]);
    let line = at(&server, &format!("draft edit {ID}"));
    desk.run_with(&line, "", &[("EDITOR", "true")]).is(0, "nothing is changed");
    let server = answers([draft("draft", 1, "Stolen.", 0)]);
    desk.run_with(&at(&server, &format!("draft edit {ID}")), "", &[("EDITOR", "false")]).is(7, "the editor");
}

#[test]
fn a_file_takes_the_place_of_a_drafts_content() {
    let desk = desk_with_token();
    desk.write("new.json", r#"{"type":"alert.issue"}"#);
    let server = answers([draft("returned", 4, "Stolen.", 0), draft("returned", 5, "", 1)]);
    let ended = desk.ok(&at(&server, &format!("draft change {ID} new.json")));
    ended.is(0, "returned version 5");
    ended.is(0, "returned: Say where.");
    ended.is(0, "advice /body/circumstances: Look again. (religion)");
    let put = &server.whole_requests()[1];
    assert_eq!((put.if_match.as_deref(), put.body.as_str()), (Some("\"4\""), r#"{"type":"alert.issue"}"#));
    let server = answers([draft("returned", 5, "", 1)]);
    desk.ok(&at(&server, &format!("draft change {ID} new.json --version 4")));
    assert_eq!(server.requests(), [format!("PUT /v1/drafts/{ID}")]);
}

#[test]
fn discarding_asks_first() {
    let desk = desk_with_token();
    let server = answers([draft("discarded", 5, "", 0)]);
    let line = at(&server, &format!("draft discard {ID}"));
    desk.run(&line).is(2, "nobody answered: nothing was done");
    desk.run_with(&line, "no\n", &[]).is(1, "is not discarded");
    assert!(server.requests().is_empty(), "it was discarded before the answer");
    desk.run_with(&line, "sim\n", &[]).is(0, "discarded version 5");
    assert_eq!(server.requests(), [format!("DELETE /v1/drafts/{ID}")]);
}

#[test]
fn a_release_shows_the_draft_and_asks() {
    let desk = desk_with_token();
    let released = json!({ "id": ID, "created": "2026-11-27T10:00:00Z", "copies": [] }).to_string();
    let shown = draft("pending_release", 7, "Stolen.", 0).to_string();
    let line = |server: &TestServer, more: &str| at(server, &format!("draft release {ID}{more}"));

    let server = TestServer::start([("200 OK", shown.clone()), ("200 OK", shown.clone())]);
    desk.run_with(&line(&server, ""), "n\n", &[]).is(1, "is not released");
    desk.run(&line(&server, "")).is(2, "give --yes --version 7 once you have read it");
    assert!(server.requests().iter().all(|request| request.starts_with("GET ")), "{:?}", server.requests());

    let server = TestServer::start([("200 OK", shown.clone()), ("200 OK", released.clone())]);
    let ended = desk.run_with(&line(&server, ""), "y\n", &[]);
    ended.is(0, "released");
    for seen in ["EXERCISE: not a real case", "It is about a person", "Circumstances  Stolen.", "(religion)"]
    {
        assert!(ended.stderr.contains(seen), "{seen:?} was not shown: {ended:?}");
    }
    assert_eq!(
        server.whole_requests()[1].if_match.as_deref(),
        Some("\"7\""),
        "the version shown, and no other"
    );

    let server = TestServer::start([("200 OK", shown)]);
    desk.run_with(&line(&server, " --version 6"), "y\n", &[]).is(3, "is at version 7, not 6");
    desk.run("draft release 0199c5a1-7b3e-7001-8a10-000000000001 --yes").is(2, "--version");
    let server = TestServer::start([("200 OK", released)]);
    desk.ok(&line(&server, " --yes --version 7"));
    assert_eq!(server.requests(), [format!("POST /v1/drafts/{ID}/release")]);
}

#[test]
fn what_is_not_submitted_is_not_asked_about() {
    let desk = desk_with_token();
    let server = answers([draft("draft", 1, "Stolen.", 0)]);
    let ended = desk.run_with(&at(&server, &format!("draft release {ID}")), "y\n", &[]);
    ended.is(3, "is still with its author");
    ended.is(3, &format!("rovumactl draft submit {ID}"));
    assert_eq!(server.requests().len(), 1);
}
