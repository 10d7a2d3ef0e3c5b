//! `rovumactl audit search` and `audit erase`: what people see, and what is asked before something is lost.

use serde_json::json;

use crate::servers::{TestServer, desk_with_token};

#[test]
fn the_table_shows_erased_entries_places_and_how_much_was_read() {
    const EPOCH: &str = "07070707070707070707070707070707";
    let leaf = |sequence: u64, action: &str| {
        json!({
            "time": "2026-11-27T10:00:00Z", "actor": "officer-1", "agency": "mz.prm", "action": action,
            "object": { "kind": "message", "id": "m-1" }, "outcome": "success", "source": "mz.gateway.police",
            "epoch": EPOCH, "sequence": sequence,
        })
    };
    let entry = |sequence: u64, view: Option<&str>| {
        let event = view.map(|view| json!({ "reason": "seen", "details": { "view": view } }));
        json!({
            "index": sequence, "digest": "", "stored_at": "2026-11-27T10:00:00Z",
            "leaf": leaf(sequence, "message.read"), "event": event,
        })
    };
    let mut erased = entry(43, None);
    erased["erased_by"] = json!(50);
    erased["erasure"] = json!({ "at": "2026-11-28T09:00:00Z", "agency": "mz.node", "legal_basis": "Lei n.º 3/2017, art. 63" });
    let mut withheld = entry(44, None);
    withheld["erased_by"] = json!(51);
    withheld["erasure"] = json!({ "at": "2026-11-28T09:00:00Z", "agency": "mz.node" });
    let page = json!({ "items": [entry(41, Some("content")), entry(42, Some("trace")), erased, withheld] });
    let TestServer { url, .. } = TestServer::start([("200 OK", page.to_string())]);
    let desk = desk_with_token();
    let ended = desk.ok(&format!("audit search --server {url} --token-file token"));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{ended:?}");
    for (line, words) in lines.iter().zip([
        ["SOURCE", "EPOCH", "SEQUENCE"],
        ["message.read: content", "success seen", "41"],
        ["message.read: trace", "success seen", "42"],
        ["ERASED 2026-11-28T09:00:00Z by mz.node: Lei n.º 3/2017, art. 63", "officer-1", "43"],
        ["a basis that only the orderer's log shows", "message m-1", "44"],
    ]) {
        for word in words {
            assert!(line.contains(word), "{word} is not in {line}");
        }
        assert!(line.contains(EPOCH) || line.contains("EPOCH"), "{line}");
    }
}

#[test]
fn nothing_is_erased_before_somebody_has_said_so() {
    let counted = json!({ "entries": 7 }).to_string();
    let answers: Vec<_> = std::iter::repeat_n(("200 OK", counted), 7).collect();
    let (server, desk) = (TestServer::start(answers), desk_with_token());
    let erase = |more: &str, answer: &str| {
        let words = "audit erase message/m-1 --token-file token --legal-basis Lei-3/2017,art.63 --server";
        let ended = desk.run_with(&format!("{words} {} {more}", server.url), answer, &[]);
        let sent: Vec<bool> =
            server.whole_requests().iter().map(|request| request.body.contains("\"dry_run\":true")).collect();
        (ended, sent)
    };
    // Nobody answers, or says no: it is only counted.
    let (ended, sent) = erase("", "");
    ended.is(2, "--yes");
    assert_eq!(sent, [true]);
    let (ended, sent) = erase("", "no\n");
    ended.is(1, "nothing was erased");
    assert_eq!(sent, [true, true]);
    let (ended, sent) = erase("", "sim\n");
    ended.is(0, "7 entries: only their leaves remain");
    ended.is(
        0,
        "7 entries about message/m-1 lose everything but their leaves, on the basis of: Lei-3/2017,art.63",
    );
    assert_eq!(sent, [true, true, true, false]);
    let (ended, sent) = erase("--dry-run", "");
    ended.is(0, "7 entries would lose everything but their leaves; nothing was erased");
    assert_eq!(sent[4..], [true]);
    let (ended, sent) = erase("--yes", "");
    ended.is(0, "7 entries: only their leaves remain");
    assert_eq!(sent[5..], [false]);
    erase("--yes --dry-run", "").0.is(2, "cannot be used with");
}

#[test]
fn a_search_that_is_kept_is_replaced_only_with_force() {
    let refusal = json!({
        "type": "urn:rovuma:problem:already_there", "title": "Precondition Failed", "status": 412,
        "code": "already_there", "detail": "A search \"sent\" is there already, and was not replaced.",
    });
    let answers = [("412 Precondition Failed", refusal.to_string()), ("204 No Content", String::new())];
    let (server, desk) = (TestServer::start(answers), desk_with_token());
    let save = format!("audit save sent --action message.send --token-file token --server {}", server.url);
    let refused = desk.run(&save);
    refused.is(3, "is there already");
    refused.is(3, "--force");
    desk.run(&format!("{save} --force")).is(0, "saved as \"sent\"");
    let conditions: Vec<_> =
        server.whole_requests().into_iter().map(|request| request.if_none_match).collect();
    assert_eq!(conditions, [Some("*".to_owned()), None]);
}
