//! Servers that are down, unsafe, or refuse.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use crate::harness::TestFolder;

/// A server that gives these answers, one after the other, each a status line and a body.
pub(crate) struct TestServer {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<TestRequest>>>,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct TestRequest {
    /// Method and address.
    pub(crate) line: String,
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    /// The access token.
    pub(crate) token: Option<String>,
    pub(crate) body: String,
}

impl TestServer {
    pub(crate) fn start<S: Into<String>>(answers: impl IntoIterator<Item = (&'static str, S)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let answers: Vec<(&str, String)> =
            answers.into_iter().map(|(status, body)| (status, body.into())).collect();
        std::thread::spawn(move || {
            for (status, body) in answers {
                let Ok((stream, _)) = listener.accept() else { return };
                let _ = answer(stream, status, &body, &log);
            }
        });
        Self { url, requests }
    }

    /// Method and address of each request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.whole_requests().into_iter().map(|request| request.line).collect()
    }

    pub(crate) fn whole_requests(&self) -> Vec<TestRequest> {
        self.requests.lock().expect("not poisoned").clone()
    }

    /// The access token of each request so far that had one.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.whole_requests().into_iter().filter_map(|request| request.token).collect()
    }
}

fn answer(
    mut stream: TcpStream,
    status: &str,
    body: &str,
    log: &Mutex<Vec<TestRequest>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut request, mut length) = (String::new(), 0);
    let (mut if_match, mut if_none_match, mut token) = (None, None, None);
    reader.read_line(&mut request)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().expect("a number"),
            "if-match" => if_match = Some(value.trim().to_owned()),
            "if-none-match" => if_none_match = Some(value.trim().to_owned()),
            "authorization" => token = Some(value.trim().trim_start_matches("Bearer ").to_owned()),
            _ => {}
        }
    }
    // Closing a connection with unread data resets it.
    let mut content = vec![0; length];
    reader.read_exact(&mut content)?;
    let (method_and_path, _) = request.rsplit_once(' ').expect("a request line");
    log.lock().expect("not poisoned").push(TestRequest {
        line: method_and_path.to_owned(),
        if_match,
        if_none_match,
        token,
        body: String::from_utf8(content).expect("UTF-8"),
    });
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

pub(crate) fn desk_with_token() -> TestFolder {
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
        let TestServer { url, .. } = TestServer::start([(status, "{}")]);
        let ended = desk.run(&format!("inbox --server {url} --token-file token"));
        assert_eq!(ended.code, code, "{status}: {ended:?}");
    }
}

#[test]
fn what_a_server_says_does_not_move_the_cursor() {
    let desk = desk_with_token();
    const EVIL: &str = r#"{"type":"x","title":"x","status":403,"code":"x","detail":"a\u001b[2Jb"}"#;
    let TestServer { url, .. } = TestServer::start([("403 Forbidden", EVIL)]);
    let ended = desk.run(&format!("inbox --server {url} --token-file token"));
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:?}");
}

#[test]
fn a_redirect_is_not_followed() {
    let desk = desk_with_token();
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("set");
    let status = format!("302 Found\r\nlocation: http://{}/", elsewhere.local_addr().expect("bound"));
    let TestServer { url, .. } = TestServer::start([(&*status.leak(), "")]);
    let ended = desk.run(&format!("inbox --server {url} --token-file token"));
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(elsewhere.accept().is_err(), "the token went elsewhere");
}

#[test]
fn an_answer_of_another_shape_is_explained() {
    let desk = desk_with_token();
    const OTHER: &str = r#"{"items":[{"id":"0199c5a1-7b3e-7001-8a10-000000000001","type":7}]}"#;
    let TestServer { url, .. } =
        TestServer::start([("200 OK", OTHER), ("200 OK", "[]"), ("200 OK", "<html>")]);
    let ended = desk.run(&format!("inbox --server {url} --token-file token"));
    ended.is(4, "the answer to GET /v1/inbox");
    ended.is(4, "items[0].type: ");
    desk.run(&format!("inbox --server {url} --token-file token")).is(4, "the answer to GET /v1/inbox");
    desk.run(&format!("inbox --server {url} --token-file token")).is(4, "something else than JSON");
}

#[test]
fn a_new_password_goes_to_its_file_alone() {
    let desk = desk_with_token();
    const CREATED: &str = r#"{"user":{"id":"0199c5a1-7b3e-7001-8a10-000000000001","agency":"mz.prm","login":"maria",
        "name":"Maria","roles":["liaison_officer"],"must_change_password":true,"created_at":"2026-11-27T10:00:00Z",
        "of_a_later_version":1},"one_time_password":"correct-horse"}"#;
    let TestServer { url, .. } = TestServer::start([("201 Created", CREATED), ("201 Created", CREATED)]);
    let create = |out: &str| {
        format!("users create maria --name Maria --secret-out {out} --server {url} --token-file token")
    };
    let ended = desk.ok(&create("one"));
    ended.is(0, "maria  Maria  liaison_officer");
    assert!(!ended.stdout.contains("correct-horse"), "{ended:?}");
    assert_eq!((desk.read("one").as_str(), desk.mode("one")), ("correct-horse\n", 0o600));
    let created = desk.json(&create("two"));
    assert_eq!(created["account"]["of_a_later_version"], 1, "{created}");
    assert!(!created.to_string().contains("correct-horse"), "{created}");
}

#[test]
fn what_is_not_there_is_named_with_the_command_that_lists_what_is() {
    let desk = desk_with_token();
    const ID: &str = "0199c5a1-7b3e-7001-8a10-000000000001";
    for (words, next) in [
        (format!("show {ID}"), "rovumactl inbox and rovumactl sent"),
        (format!("trace {ID}"), "rovumactl inbox and rovumactl sent"),
        (format!("draft show {ID}"), "rovumactl draft list"),
        ("audit forget sent".to_owned(), "rovumactl audit saved"),
    ] {
        let detail = format!("There is no such thing as {ID} that you may see.");
        let problem = format!(
            r#"{{"type":"x","title":"Not Found","status":404,"code":"not_found","detail":"{detail}"}}"#
        );
        let TestServer { url, .. } = TestServer::start([("404 Not Found", problem)]);
        let ended = desk.run(&format!("{words} --server {url} --token-file token"));
        ended.is(3, &detail);
        ended.is(3, &format!("next: check the id: {next}"));
    }
}

#[test]
fn no_list_of_no_rows_is_asked_for() {
    let desk = desk_with_token();
    for list in ["inbox", "sent", "draft list", "users list", "alarms", "audit search"] {
        desk.run(&format!("{list} --limit 0 --server http://127.0.0.1:9 --token-file token"))
            .is(2, "--limit");
    }
}

#[test]
fn a_refusal_says_what_helps_against_it() {
    let desk = desk_with_token();
    for (code, next) in [
        ("role", "ask an administrator of your agency for a role"),
        ("second_person", "rovumactl draft submit"),
        ("supervisor_only", "rovumactl draft submit"),
        ("case_unknown", "rovumactl case list"),
        ("own_draft", "ask another supervisor"),
        ("reason_required", "give --reason"),
        ("not_allowed_in_state", "rovumactl draft show"),
        ("other_author", "ask its author"),
        ("ambiguous_id", "give --sender"),
    ] {
        let problem = format!(r#"{{"type":"x","title":"x","status":403,"code":"{code}","detail":"No."}}"#);
        let TestServer { url, .. } = TestServer::start([("403 Forbidden", problem)]);
        let ended = desk.run(&format!("inbox --server {url} --token-file token"));
        ended.is(3, next);
        assert_eq!(ended.stderr.contains("for a role"), code == "role", "{ended:?}");
    }
}
