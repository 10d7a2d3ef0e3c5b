//! Servers that are down, unsafe, or refuse.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use crate::harness::TestFolder;

/// Answers one request with this status line and body.
fn server(answers: &'static [(&'static str, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for (status, body) in answers {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n\
                 content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

fn desk_with_token() -> TestFolder {
    let desk = TestFolder::new();
    desk.write_private("token", "a-token\n");
    desk
}

#[test]
fn no_server_is_unreachable() {
    let desk = desk_with_token();
    let ended = desk.run("--json inbox --server http://127.0.0.1:9 --token-file token");
    assert_eq!(ended.code, 4, "{ended:?}");
    assert_eq!(ended.error()["exit"], "unreachable");
    assert!(ended.error()["next"].as_str().is_some_and(|next| !next.is_empty()));
}

#[test]
fn no_token_is_not_logged_in() {
    TestFolder::new().run("inbox --server http://127.0.0.1:9").is(6, "rovumactl login");
}

#[test]
fn an_address_that_is_not_known_is_asked_for() {
    desk_with_token().run("inbox --token-file token").is(2, "--server");
}

#[test]
fn a_token_is_not_sent_in_clear_text() {
    let desk = desk_with_token();
    desk.run("inbox --server http://gateway.mz.example --token-file token").is(2, "not encrypted");
}

#[test]
fn a_token_that_everybody_can_read_is_refused() {
    let desk = TestFolder::new();
    desk.write("token", "a-token\n");
    desk.run("inbox --server http://127.0.0.1:9 --token-file token").is(2, "chmod 600");
}

#[test]
fn statuses_have_exit_codes_of_their_own() {
    let desk = desk_with_token();
    for (status, code) in [
        ("401 Unauthorized", 6),
        ("403 Forbidden", 3),
        ("404 Not Found", 3),
        ("409 Conflict", 3),
        ("429 Too Many Requests", 4),
        ("503 Service Unavailable", 4),
    ] {
        let answers: &'static [(&str, &str)] = Box::leak(Box::new([(status, "{}")]));
        let url = server(answers);
        let ended = desk.run(&format!("inbox --server {url} --token-file token"));
        assert_eq!(ended.code, code, "{status}: {ended:?}");
    }
}

#[test]
fn every_fault_of_a_draft_is_shown_at_its_pointer() {
    const PROBLEM: &str = r#"{"type":"urn:rovuma:problem:draft_faulty","title":"Unprocessable Content",
        "status":422,"code":"draft_faulty","detail":"2 faults","faults":[
        {"pointer":"/body/subjects","code":"missing_field","message":"The field is missing."},
        {"pointer":"","code":"unknown_field","message":"This is not known."}]}"#;
    let desk = desk_with_token();
    desk.write("draft.json", "{}");
    let url = server(&[("422 Unprocessable Content", PROBLEM)]);
    let ended = desk.run(&format!("send draft.json --server {url} --token-file token"));
    ended.is(3, "/body/subjects: The field is missing. (missing_field)");
    ended.is(3, "/: This is not known. (unknown_field)");
    let url = server(&[("422 Unprocessable Content", PROBLEM)]);
    let ended = desk.run(&format!("--json send draft.json --server {url} --token-file token"));
    assert_eq!(ended.error()["problem"]["faults"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_a_server_says_does_not_move_the_cursor() {
    let desk = desk_with_token();
    const EVIL: &str = r#"{"type":"x","title":"x","status":403,"code":"x","detail":"a\u001b[2Jb"}"#;
    let url = server(&[("403 Forbidden", EVIL)]);
    let ended = desk.run(&format!("inbox --server {url} --token-file token"));
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:?}");
}

#[test]
fn a_redirect_is_not_followed() {
    let desk = desk_with_token();
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("set");
    let status = format!("302 Found\r\nlocation: http://{}/", elsewhere.local_addr().expect("bound"));
    let answers: &'static [(&str, &str)] = Box::leak(Box::new([(status.leak() as &str, "")]));
    let url = server(answers);
    let ended = desk.run(&format!("inbox --server {url} --token-file token"));
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(elsewhere.accept().is_err(), "the token went elsewhere");
}
