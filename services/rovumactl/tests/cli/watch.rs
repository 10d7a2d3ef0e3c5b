//! `rovumactl audit watch` over the turn of a year: logs that were really signed and cosigned, served as files are.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::Arc,
};

use serde_json::{Value, json};

use crate::{
    harness::{Desk, Ended},
    logs::{Files, Keys, Year, origin},
};

/// Serves these files; what is not there is 404.
pub(crate) fn serve(files: Files) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a caller");
            let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
            let first = lines.next().expect("a line").expect("text");
            // The rest of the head: a connection that is closed with something unread is reset.
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let path = first.split(' ').nth(1).expect("a path").to_owned();
            let found = files.lock().expect("not poisoned").get(&path).cloned();
            let (status, body) = found.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    url
}

/// Somebody who watches.
struct Watcher {
    desk: Desk,
    files: Files,
    url: String,
}

impl Watcher {
    fn new(keys: &Keys) -> Self {
        let (desk, files) = (Desk::new(), Files::default());
        desk.write_private("token", "a-token\n");
        desk.write("policy", keys.policy());
        let watcher = Self { url: serve(Arc::clone(&files)), desk, files };
        watcher.sources(&json!([]));
        watcher
    }

    fn sources(&self, sources: &Value) {
        let body = json!({ "end": 0, "sources": sources, "quarantine": [] }).to_string().into_bytes();
        self.files.lock().expect("not poisoned").insert("/v1/sources".to_owned(), body);
    }

    /// The logs that there are, as the audit service lists them.
    fn logs(&self, years: &[&Year]) {
        years.iter().for_each(|year| year.put(&self.files));
        let logs: Vec<Value> = years
            .iter()
            .map(|year| {
                let size = year.leaves.len();
                json!({ "origin": origin(year.year), "first_index": 0, "size": size, "good": { "size": size } })
            })
            .collect();
        let body = json!({ "logs": logs, "alarms": [] }).to_string().into_bytes();
        self.files.lock().expect("not poisoned").insert("/v1/logs".to_owned(), body);
    }

    fn look(&self, log: &str) -> Ended {
        self.desk.run(&format!(
            "--json audit watch {log} --policy policy --state state --once --server {} --token-file token",
            self.url
        ))
    }

    #[track_caller]
    fn finds(&self, log: &str, code: i32, finding: &str, word: &str) {
        let ended = self.look(log);
        assert_eq!((ended.code, &ended.json()["finding"]), (code, &json!(finding)), "{ended:?}");
        ended.is(code, word);
    }
}

#[test]
fn a_watch_goes_on_with_the_log_of_the_next_year() {
    let keys = Keys::new();
    let watcher = Watcher::new(&keys);
    let old = Year::new(&keys, 2026, None, 5);
    watcher.logs(&[&old]);
    watcher.finds("mz.audit", 0, "good", "mz.audit/2026");
    // The old log goes on after the last look; two years turn before the next one.
    let old = old.grown(&keys, 3);
    let next = Year::new(&keys, 2027, Some(&old.checkpoint), 2);
    let after = Year::new(&keys, 2028, Some(&next.checkpoint), 4);
    watcher.logs(&[&old, &next, &after]);
    watcher.finds("mz.audit", 0, "good", "mz.audit/2028");
    assert!(watcher.desk.read("state").starts_with("mz.audit/2028\n"), "it is remembered");
    let after = after.grown(&keys, 1);
    watcher.logs(&[&old, &next, &after]);
    watcher.finds("mz.audit", 0, "good", "5");
    // Who follows one year's log follows that one.
    watcher.look("mz.audit/2026").is(2, "not a good head of this log");
}

#[test]
fn a_log_that_does_not_follow_the_one_before_is_a_fork() {
    let keys = Keys::new();
    let old = Year::new(&keys, 2026, None, 5);
    let other = Year::new(&keys, 2026, None, 7);
    let of_other = Year::new(&keys, 2027, Some(&other.checkpoint), 2);
    let of_nothing = Year::new(&keys, 2027, None, 2);
    let cases = [
        (
            "it begins with another head",
            vec![&old, &of_other],
            "does not begin with the last head of mz.audit/2026",
        ),
        ("it names no head", vec![&old, &of_nothing], "does not begin with the last head of mz.audit/2026"),
        ("the old log was replaced", vec![&other, &of_other], "not the log of 5 leaves gone on"),
    ];
    for (what, years, word) in cases {
        let watcher = Watcher::new(&keys);
        watcher.logs(&[&old]);
        watcher.finds("mz.audit", 0, "good", "mz.audit/2026");
        let before = watcher.desk.read("state");
        watcher.logs(&years);
        watcher.finds("mz.audit", 5, "fork", word);
        assert_eq!(watcher.desk.read("state"), before, "{what}: the former head is kept");
    }
    // An old log that lost leaves after it was seen.
    let watcher = Watcher::new(&keys);
    let longer = Year::new(&keys, 2026, None, 9);
    watcher.logs(&[&longer]);
    watcher.finds("mz.audit", 0, "good", "mz.audit/2026");
    watcher.logs(&[&old, &Year::new(&keys, 2027, Some(&old.checkpoint), 2)]);
    watcher.finds("mz.audit", 5, "shrunken", "9 leaves were signed before");
}

#[test]
fn events_that_have_not_come_are_told() {
    let keys = Keys::new();
    let watcher = Watcher::new(&keys);
    watcher.logs(&[&Year::new(&keys, 2026, None, 5)]);
    let missing = json!({ "first": 7, "last": 9, "since": "2026-11-27T10:00:00Z" });
    watcher.sources(&json!([
        { "source": "mz.identity", "epochs": [{ "epoch": "07" }] },
        { "source": "mz.gateway.police", "epochs": [{ "epoch": "07", "missing": missing }] },
    ]));
    watcher.finds("mz.audit/2026", 1, "gap", "events 7 to 9 of mz.gateway.police have not come");
    watcher.sources(&json!([]));
    watcher.finds("mz.audit/2026", 0, "good", "went on");
    watcher.look("tz.audit").is(2, "not a good head of this log");
}
