//! What a case says in words, names and numbers is shown by the message alone, to those who may read it: by no list, no event, alarm, audit
//! event or log line. Only the watchlist's machine reads what identifies the subjects of alerts in force (`screening`).

use std::{
    io,
    sync::{Arc, Mutex},
};

use rovuma_policy::Role;
use rovuma_schemas::{CaseId, CaseSoFar, MessageId};
use serde_json::{Value, json};

use super::{
    hits::notice,
    support::{Fixture, example, motorcycle},
};

/// What a draft says that is no code, instant or id: texts, names, numbers.
fn narrative(draft: &Value) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => members.values().for_each(|member| collect(member, found)),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::String(text) => {
                let is_code = text.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.'));
                let is_instant = text.len() >= 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
                let is_id = text.parse::<MessageId>().is_ok();
                if text.chars().count() >= 6 && !is_code && !is_instant && !is_id {
                    found.push(text.clone());
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&draft["body"], &mut found);
    collect(&draft["terms"]["urgency"]["statement"], &mut found);
    found
}

/// Everything that is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panicked")).into_owned()
    }
}

/// Logs everything that this crate and those below it say, however little it matters.
fn log_everything() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

impl Fixture {
    /// Asks for the case and its messages in every way that does not open a message, as every role, and looks for these words
    /// everywhere. Returns how many answers there were.
    async fn looks_for(&self, case: &CaseId, messages: &[String], words: &[String]) -> usize {
        let mut paths: Vec<String> = vec![format!("/v1/cases/{case}"), format!("/v1/cases/{case}/timeline")];
        for list in ["cases", "events", "alarms", "inbox", "sent", "drafts", "held", "retention"] {
            paths.push(format!("/v1/{list}"));
        }
        for figures in ["requests?status=exercise", "requests/cases?status=exercise"] {
            paths.push(format!("/v1/figures/{figures}"));
        }
        for id in messages {
            paths.extend([format!("/v1/messages/{id}?view=metadata"), format!("/v1/messages/{id}/trace")]);
        }
        let mut shown = 0;
        for role in Role::ALL {
            // A machine's roles are held by machines alone, and people's by people.
            let (name, role) = (format!("reader-{role}"), role.to_string());
            let reader = match role.as_str() {
                "watchlist_service" | "agency_system" => self.machine(&name, "mz.prm", &[&role]),
                _ => self.person(&name, "mz.prm", &[&role]),
            };
            for path in &paths {
                let reply = reader.get(path).await;
                shown += usize::from(reply.status == 200);
                for word in words {
                    assert!(!reply.json.to_string().contains(word), "{role} {path}: {word:?}: {reply:?}");
                }
            }
        }
        for table in [
            "SELECT subject, detail FROM alarm",
            "SELECT fact FROM case_message",
            "SELECT event FROM domain_event",
            "SELECT body FROM trail_event",
        ] {
            let rows = self.rows(table).await.join(" ");
            assert!(!rows.is_empty() || table.contains("alarm"), "{table} has no rows");
            for word in words {
                assert!(!rows.contains(word), "{table}: {word:?}: {rows}");
            }
        }
        // Nobody else's agency sees that there is such a case.
        let other = self.person("officer-9", "mz.senami", &["liaison_officer"]);
        other.get(&format!("/v1/cases/{case}")).await.expect(404);
        let listed = other.get("/v1/cases").await.expect(200).json;
        assert!(listed["items"].as_array().is_some_and(Vec::is_empty), "{listed}");
        shown
    }
}

fn following(name: &str, case: &CaseId) -> Value {
    let mut draft = example(name);
    draft["case"] = json!(case);
    draft.as_object_mut().expect("a draft").remove("in_reply_to");
    draft
}

#[tokio::test]
async fn nothing_but_its_messages_shows_what_an_alert_says() {
    let (log, _guard) = log_everything();
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut alert = motorcycle();
    alert["recipients"] = json!(["tz.tpf"]);
    let id = officer.issue(&alert).await;
    let case: CaseId = format!("alert/mz.prm/{id}").parse().expect("a case");
    let report = following("alert-error-report", &case);
    let reported = fixture.says("tz.tpf", &report, &case, (1, 1), &CaseSoFar::default()).await;
    let withdraw = following("alert-withdraw", &case);
    let chief = fixture.person("chief-1", "mz.prm", &["supervisor"]);
    let withdrawn = chief.post("/v1/messages", &withdraw).await.expect(201).id();
    let words = [narrative(&alert), narrative(&report), narrative(&withdraw)].concat();
    let shown = fixture.looks_for(&case, &[id.clone(), reported.to_string(), withdrawn], &words).await;
    assert!(shown > 40, "only {shown} answers were looked at");
    let read = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json.to_string();
    assert!(words.iter().any(|word| read.contains(word)), "the words are in the message: {read}");
    assert_nothing_logged(&log, &words);
}

#[tokio::test]
async fn nothing_but_its_messages_shows_what_a_request_and_its_answers_say() {
    let (log, _guard) = log_everything();
    let fixture = Fixture::start().await;
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let mut request = example("request-vehicle");
    let body = request["body"].as_object_mut().expect("a body");
    for member in ["needed_by", "related", "group"] {
        body.remove(member);
    }
    let id = officer.post("/v1/messages", &request).await.expect(201).id();
    let case: CaseId = format!("request/mz.prm/{id}").parse().expect("a case");
    fixture.delivered("tz.tpf", "mz.prm", &id).await;
    let so_far = CaseSoFar {
        questions: [1, 2, 3, 4].into(),
        open_questions: [1, 2, 3, 4].into(),
        ..CaseSoFar::default()
    };
    let mut messages = vec![id.clone()];
    let mut words = narrative(&request);
    let mut turn = 0;
    for name in
        ["request-acknowledge", "request-ask", "request-delay", "request-answer-partial", "request-answer"]
    {
        let mut draft = following(name, &case);
        if name == "request-delay" {
            draft["body"]["until"] =
                json!(fixture.gateway.base.now().plus(std::time::Duration::from_secs(3600)));
        }
        turn += 1;
        words.extend(narrative(&draft));
        messages.push(fixture.says("tz.tpf", &draft, &case, (turn, 1), &so_far).await.to_string());
    }
    let close = following("request-close", &case);
    words.extend(narrative(&close));
    messages.push(officer.post("/v1/messages", &close).await.expect(201).id());
    words.sort_unstable();
    words.dedup();
    assert!(words.len() > 15, "{words:?}");
    let shown = fixture.looks_for(&case, &messages, &words).await;
    assert!(shown > 60, "only {shown} answers were looked at");
    let read = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json.to_string();
    assert!(words.iter().any(|word| read.contains(word)), "the words are in the message: {read}");
    assert_nothing_logged(&log, &words);
}

#[tokio::test]
async fn nothing_but_its_messages_shows_what_a_hit_found() {
    let (log, _guard) = log_everything();
    let fixture = Fixture::start().await;
    let (alert, content) = fixture.wanted().await;
    let notice = notice(&alert, &content);
    let border = fixture.person("border-1", "mz.prm", &["border_officer"]);
    let id = border.post("/v1/messages", &notice).await.expect(201).id();
    let case: CaseId = format!("hit/mz.prm/{id}").parse().expect("a case");
    let (confirm, mut report) = (following("hit-confirm", &case), following("hit-action-report", &case));
    let confirmed = fixture.says("tz.tpf", &confirm, &case, (1, 1), &CaseSoFar::default()).await.to_string();
    report["body"]["at"] = json!("2026-11-23T17:59:30Z");
    let reported = border.post("/v1/messages", &report).await.expect(201).id();
    let words = [narrative(&notice), narrative(&confirm), narrative(&report), narrative(&content)].concat();
    assert!(words.len() > 10, "{words:?}");
    let shown = fixture.looks_for(&case, &[id.clone(), confirmed, reported], &words).await;
    assert!(shown > 40, "only {shown} answers were looked at");
    let officer = fixture.person("officer-1", "mz.prm", &["liaison_officer"]);
    let read = officer.get(&format!("/v1/messages/{id}")).await.expect(200).json.to_string();
    assert!(words.iter().any(|word| read.contains(word)), "the words are in the message: {read}");
    assert_nothing_logged(&log, &words);
}

fn assert_nothing_logged(log: &Log, words: &[String]) {
    let logged = log.text();
    assert!(logged.lines().count() > 20, "hardly anything was logged: {logged}");
    for word in words {
        let line = logged.lines().find(|line| line.contains(word));
        assert!(line.is_none(), "{word:?} was logged: {line:?}");
    }
}
