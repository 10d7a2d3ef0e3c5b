//! A message as people read it, in the three languages.

use serde_json::{Value, json};

use crate::{
    harness::TestFolder,
    servers::{TestServer, desk_with_token},
};

/// A message as the gateway shows it to a recipient, with these members of its row.
fn received(row: &Value) -> Value {
    let payload: Value =
        serde_json::from_str(include_str!("../../../../schemas/examples/valid/message-alert.issue.json"))
            .expect("JSON");
    let header = &payload["header"];
    let mut whole_row = json!({
        "id": header["id"], "type": "alert.issue", "facet": "vehicle", "status": "exercise", "sender": "mz.prm",
        "lane": "urgent", "created": header["created"], "received_at": "2025-03-14T05:10:01Z",
        "disposition": "operative", "case": header["case"], "turn": 1,
    });
    whole_row.as_object_mut().expect("an object").extend(row.as_object().expect("an object").clone());
    json!({
        "direction": "received", "header": header, "payload": payload, "state": "active",
        "terms": { "urgency": "urgent", "purpose": "detection", "legal_basis": "example_police_memorandum_2018",
                   "handling": "H0", "evaluation": { "source": "A", "information": "1" } },
        "received": { "row": whole_row, "digest": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                      "key_id": "k1", "expires": header["expires"], "read_by": "u1" },
    })
}

fn show(desk: &TestFolder, message: &Value, words: &str) -> String {
    let server = TestServer::start([("200 OK", message.to_string())]);
    let id = message["header"]["id"].as_str().expect("an id");
    desk.ok(&format!("show {id} {words} --server {} --token-file token", server.url)).stdout
}

#[test]
fn a_message_reads_well_in_each_language() {
    let desk = desk_with_token();
    let message = received(&json!({ "read_at": "2025-03-14T06:00:00Z" }));
    for language in ["pt", "sw", "en"] {
        insta::assert_snapshot!(
            format!("message_{language}"),
            show(&desk, &message, &format!("--language {language}"))
        );
    }
    let raw: Value = serde_json::from_str(&show(&desk, &message, "--json")).expect("JSON");
    assert_eq!(raw, message, "JSON is what the gateway gave");
}

#[test]
fn a_message_that_must_not_be_acted_on_says_why() {
    let desk = desk_with_token();
    let late = received(&json!({ "disposition": "inoperative", "received_at": "2025-06-20T05:10:01Z" }));
    let shown = show(&desk, &late, "");
    let why = "DO NOT ACT ON IT: it expired on the way. It was to arrive by 2025-06-12 07:10:00 +02:00 and came \
               2025-06-20 07:10:01 +02:00.";
    assert!(shown.contains(why), "{shown}");
    let rejected = received(&json!({ "disposition": "rejected", "rejection_code": "clock" }));
    let shown = show(&desk, &rejected, "");
    assert!(shown.contains("rejected on arrival: The time is not plausible."), "{shown}");
    let compromised = received(&json!({ "compromised_at": "2025-03-15T00:00:00Z" }));
    let shown = show(&desk, &compromised, "");
    assert!(
        shown.contains("DO NOT ACT ON IT without asking the sender: since 2025-03-15 02:00:00 +02:00"),
        "{shown}"
    );
}

#[test]
fn header_facts_alone_have_labels_too() {
    let mut message = received(&json!({}));
    message.as_object_mut().expect("an object").remove("payload");
    let shown = show(&desk_with_token(), &message, "--metadata --language sw");
    assert!(shown.contains("Taarifa za kichwa na misimbo tu: bila yaliyomo."), "{shown}");
    assert!(!shown.contains("Mueda na noite"), "{shown}");
}

#[test]
fn what_a_stranger_wrote_does_not_move_the_cursor() {
    let mut message = received(&json!({}));
    message["payload"]["body"]["circumstances"] = json!("a\u{1b}[2Jb\nc");
    let shown = show(&desk_with_token(), &message, "");
    assert!(!shown.contains('\u{1b}') && shown.contains("[2Jb"), "{shown}");
}
