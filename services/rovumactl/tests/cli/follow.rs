//! Following a message: each step as it comes, and why one waits.

use serde_json::{Value, json};

use crate::servers::{TestServer, desk_with_token};

const ID: &str = "0199c5a1-7b3e-7001-8a10-000000000001";

fn trace(state: &str, steps: &[&str]) -> String {
    let hops: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(second, hop)| json!({ "hop": hop, "at": format!("2026-11-27T10:00:0{second}Z"), "clock": "own" }))
        .collect();
    let copy = json!({
        "recipient": "tz.tpf", "lane": "normal", "state": state, "since": "2026-11-27T10:00:01Z", "attempts": 1,
    });
    json!({ "id": ID, "direction": "sent", "hops": hops, "copies": [copy] }).to_string()
}

#[test]
fn each_step_is_shown_once_as_it_comes() {
    let server = TestServer::start([
        // The live events, which end at once, and the trace at that moment.
        ("200 OK", String::new()),
        ("200 OK", trace("waiting", &["released"])),
        ("200 OK", String::new()),
        ("200 OK", trace("queued", &["released", "queued"])),
        ("200 OK", String::new()),
        ("200 OK", trace("delivered", &["released", "queued", "delivered"])),
    ]);
    let line = format!("trace {ID} --follow --server {} --token-file token", server.url);
    let ended = desk_with_token().ok(&line);
    insta::assert_snapshot!("followed", ended.stdout);
}

#[test]
fn a_message_of_which_nothing_has_left_is_not_called_sent() {
    let streams = json!({ "incoming": [], "outgoing": [] }).to_string();
    let server = TestServer::start([("200 OK", trace("waiting", &["released"])), ("200 OK", streams)]);
    let ended = desk_with_token().ok(&format!("trace {ID} --server {} --token-file token", server.url));
    ended.is(0, "(released; nothing has left yet)");
    ended.is(0, "tz.tpf: it waits in this country since 2026-11-27 12:00:01 +02:00");
    let server = TestServer::start([("200 OK", trace("delivered", &["released"]))]);
    let ended = desk_with_token().ok(&format!("trace {ID} --server {} --token-file token", server.url));
    ended.is(0, &format!("message {ID} (sent)"));
}

#[test]
fn a_silent_partner_is_named() {
    let heard = json!({
        "recipient": "tz.tpf", "lane": "normal", "stream": "00".repeat(16), "last": 7, "voided": [],
        "heard_at": "2026-11-27T09:00:00Z",
    });
    let streams = json!({ "incoming": [], "outgoing": [heard] }).to_string();
    let server =
        TestServer::start([("200 OK", trace("queued", &["released", "queued"])), ("200 OK", streams)]);
    let ended = desk_with_token().ok(&format!("trace {ID} --server {} --token-file token", server.url));
    ended.is(0, "no receipt since 2026-11-27 12:00:01 +02:00");
    ended.is(0, "their gateway was last heard at 2026-11-27 11:00:00 +02:00");
}
