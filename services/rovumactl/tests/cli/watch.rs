//! `rovumactl audit watch` across a change of year, with signed and cosigned logs that a small server serves.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::Arc,
};

use serde_json::{Value, json};

use crate::{
    harness::{CommandResult, TestFolder},
    logs::{LogKeys, ServedFiles, YearLog, origin},
};

/// Serves these files, and answers 404 for others.
pub(crate) fn serve(files: ServedFiles) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a caller");
            let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
            let first = lines.next().expect("a line").expect("text");
            // Read the rest of the request: closing a connection with unread data resets it.
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

/// A source of one epoch, as the audit service shows it.
fn source(name: &str, missing: &Value) -> Value {
    let epoch = json!({
        "epoch": "07", "opened_at": "2026-11-27T10:00:00Z", "last_sequence": 6, "last_digest": "", "missing": missing,
    });
    json!({ "source": name, "configured": true, "epochs": [epoch], "alarms": [] })
}

/// A watch of a log, and the server that it asks.
struct Watcher {
    desk: TestFolder,
    files: ServedFiles,
    url: String,
}

impl Watcher {
    fn new(keys: &LogKeys) -> Self {
        let (desk, files) = (TestFolder::new(), ServedFiles::default());
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

    /// Sets the logs that the audit service lists.
    fn logs(&self, years: &[&YearLog]) {
        years.iter().for_each(|year| year.put(&self.files));
        let logs: Vec<Value> = years
            .iter()
            .map(|year| {
                let size = year.leaves.len();
                let good = json!({ "size": size, "made_at": "2026-11-27T10:00:00Z", "checkpoint": "" });
                json!({ "origin": origin(year.year), "first_index": 0, "size": size, "good": good })
            })
            .collect();
        let body = json!({ "logs": logs, "alarms": [] }).to_string().into_bytes();
        self.files.lock().expect("not poisoned").insert("/v1/logs".to_owned(), body);
    }

    fn look(&self, log: &str) -> CommandResult {
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
    let keys = LogKeys::new();
    let watcher = Watcher::new(&keys);
    let old = YearLog::new(&keys, 2026, None, 5);
    watcher.logs(&[&old]);
    watcher.finds("mz.audit", 0, "good", "mz.audit/2026");
    // The old log grows after the last check, and two more years begin before the next one.
    let old = old.grown(&keys, 3);
    let next = YearLog::new(&keys, 2027, Some(&old.checkpoint), 2);
    let after = YearLog::new(&keys, 2028, Some(&next.checkpoint), 4);
    watcher.logs(&[&old, &next, &after]);
    watcher.finds("mz.audit", 0, "good", "mz.audit/2028");
    assert!(watcher.desk.read("state").starts_with("mz.audit/2028\n"), "it is remembered");
    let after = after.grown(&keys, 1);
    watcher.logs(&[&old, &next, &after]);
    watcher.finds("mz.audit", 0, "good", "5");
    // A watch of one year's log does not follow others.
    watcher.look("mz.audit/2026").is(2, "not a good head of this log");
}

#[test]
fn a_log_that_does_not_follow_the_one_before_is_a_fork() {
    let keys = LogKeys::new();
    let old = YearLog::new(&keys, 2026, None, 5);
    let other = YearLog::new(&keys, 2026, None, 7);
    let of_other = YearLog::new(&keys, 2027, Some(&other.checkpoint), 2);
    let of_nothing = YearLog::new(&keys, 2027, None, 2);
    let cases = [
        (
            "it begins with another head",
            vec![&old, &of_other],
            "does not begin with the last head of mz.audit/2026",
        ),
        ("it names no head", vec![&old, &of_nothing], "does not begin with the last head of mz.audit/2026"),
        ("the old log was replaced", vec![&other, &of_other], "does not continue the log of 5 leaves"),
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
    let longer = YearLog::new(&keys, 2026, None, 9);
    watcher.logs(&[&longer]);
    watcher.finds("mz.audit", 0, "good", "mz.audit/2026");
    watcher.logs(&[&old, &YearLog::new(&keys, 2027, Some(&old.checkpoint), 2)]);
    watcher.finds("mz.audit", 5, "shrunken", "9 leaves were signed before");
}

#[test]
fn events_that_have_not_come_are_told() {
    let keys = LogKeys::new();
    let watcher = Watcher::new(&keys);
    watcher.logs(&[&YearLog::new(&keys, 2026, None, 5)]);
    let missing = json!({ "first": 7, "last": 9, "since": "2026-11-27T10:00:00Z" });
    watcher.sources(&json!([source("mz.identity", &Value::Null), source("mz.gateway.police", &missing),]));
    watcher.finds("mz.audit/2026", 1, "gap", "events 7 to 9 of mz.gateway.police have been missing");
    watcher.sources(&json!([]));
    watcher.finds("mz.audit/2026", 0, "good", "continues");
    watcher.look("tz.audit").is(2, "not a good head of this log");
}
