//! `rovumactl audit bundle` and `audit verify` with servers that answer from a log that is signed and cosigned here.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::{Jws, SigningKey, Typ, digest};
use rovuma_evidence::EvidenceBundle;
use rovuma_schemas::{
    Digest, Epoch, MessageId, StoreId, Timestamp,
    audit::{AUDIT_VERSION, AuditAction, AuditEvent, AuditLeaf, AuditObject, AuditOutcome, FIRST_PREVIOUS},
};
use serde_json::{Value, json};

use crate::{
    harness::{CommandResult, TestFolder, with_trust_list},
    logs::{LogKeys, YearLog},
};

const YEAR: i16 = 2026;
const REASON: &str = "AUD-7";
/// The salt of every leaf's commitment.
const SALT: [u8; 32] = [9; 32];
const CREATED: &str = "2026-06-01T00:00:00Z";

/// Answers by path with query: a status line and a body.
type Answers = Arc<Mutex<BTreeMap<String, (&'static str, Vec<u8>)>>>;

/// Serves these answers, 404 for others, and notes each path that was asked for.
fn serve(answers: Answers, asked: Arc<Mutex<Vec<String>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a caller");
            let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
            let Some(Ok(first)) = lines.next() else { continue };
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let path = first.split(' ').nth(1).expect("a path").to_owned();
            let found = answers.lock().expect("not poisoned").get(&path).cloned();
            asked.lock().expect("not poisoned").push(path);
            let problem = br#"{"type":"about:blank","title":"Not found","status":404,"code":"not_found"}"#;
            let (status, body) = found.unwrap_or(("404 Not Found", problem.to_vec()));
            let head =
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    url
}

/// An auditor's desk, a country's log with what happened to messages, and the servers that have both.
struct Bench {
    desk: TestFolder,
    keys: LogKeys,
    events: Vec<AuditEvent>,
    originals: BTreeMap<MessageId, Value>,
    answers: Answers,
    asked: Arc<Mutex<Vec<String>>>,
    url: String,
}

impl Bench {
    /// Two agencies, `mz.prm` and `mz.senami`. One key of the second ends on 2026-07-01.
    fn new() -> Self {
        let desk = TestFolder::new();
        with_trust_list(&desk);
        desk.ok("keys generate signing --out senami.pem");
        desk.ok("keys generate signing --out short.pem");
        desk.ok("trust revise mz.json --authority authority.jwk --draft two.draft");
        desk.ok("trust add-agency mz.senami --draft two.draft --name pt=SENAMI --from 2026-01-01");
        desk.ok("trust add-key mz.senami --draft two.draft --signing senami.jwk --from 2026-01-01");
        desk.ok(
            "trust add-key mz.senami --draft two.draft --signing short.jwk --from 2026-01-01 --valid-for 181d",
        );
        desk.ok("trust sign --draft two.draft --authority-key authority.pem --out two.json");
        desk.write_private("token", "a-token\n");
        let keys = LogKeys::new();
        desk.write("policy", keys.policy());
        let (answers, asked) = (Answers::default(), Arc::default());
        let url = serve(Arc::clone(&answers), Arc::clone(&asked));
        Self { desk, keys, events: Vec::new(), originals: BTreeMap::new(), answers, asked, url }
    }

    fn sign(&self, key: &str, message: &Value) -> String {
        let key = SigningKey::from_pkcs8_pem(&self.desk.read(key)).expect("a key");
        let payload = serde_json::to_vec(message).expect("JSON");
        Jws::sign(Typ::MESSAGE, payload, &key).expect("signed").to_compact()
    }

    /// Logs an event about a message at this time.
    fn log(&mut self, id: MessageId, action: AuditAction, at: &str, details: &[(&str, String)]) {
        let event = AuditEvent {
            version: AUDIT_VERSION,
            id: MessageId::draw("2026-11-27T10:00:00Z".parse().expect("RFC 3339")),
            source: "mz.gateway".to_owned(),
            epoch: Epoch::from_slice(&[7; 16]).expect("16 bytes"),
            sequence: self.events.len() as u64 + 1,
            previous: FIRST_PREVIOUS,
            time: at.parse().expect("RFC 3339"),
            actor: "officer-1".to_owned(),
            session: None,
            agency: Some("mz.prm".parse().expect("an agency")),
            action,
            object: Some(AuditObject::new("message", id.to_string())),
            purpose: None,
            outcome: AuditOutcome::Success,
            reason: None,
            blind: Some(StoreId::draw()),
            details: details.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        };
        self.events.push(event);
    }

    /// Sends a message of `mz.prm` to `mz.senami`.
    fn send(&mut self, number: u64) -> (MessageId, Digest) {
        let id: MessageId = format!("019a0000-0000-7000-8000-{number:012x}").parse().expect("an id");
        // A receipt is the smallest message, and stands for any.
        let about = json!([{ "id": "019a0000-0000-7000-8000-ffffffffffff", "digest": digest(b"x"), "read_at": CREATED }]);
        let jws = self.sign("prm.pem", &message(&id, "receipt.read", ("mz.prm", "mz.senami"), &about));
        let sent = digest(jws.as_bytes());
        self.log(id, AuditAction::MessageSend, CREATED, &[("digest", sent.to_string())]);
        let messages = json!([{ "country": "mz", "digest": sent, "jws": jws }]);
        let originals = json!({ "id": id, "signer": "mz.prm", "messages": messages, "receipts": [] });
        self.originals.insert(id, originals);
        (id, sent)
    }

    /// A receipt of `mz.senami`, created in June, that names these bytes of a message.
    fn receipt(&mut self, id: &MessageId, key: &str, named: (&MessageId, Digest)) -> Digest {
        let receipt = MessageId::draw("2026-06-01T00:00:00Z".parse().expect("RFC 3339"));
        let entries = json!([{ "id": named.0, "digest": named.1, "read_at": CREATED }]);
        let jws = self.sign(key, &message(&receipt, "receipt.read", ("mz.senami", "mz.prm"), &entries));
        let name = digest(jws.as_bytes());
        let one = json!({ "receipt": receipt, "signer": "mz.senami", "digest": name, "jws": jws });
        let receipts = &mut self.originals.get_mut(id).expect("a message")["receipts"];
        receipts.as_array_mut().expect("receipts").push(one);
        name
    }

    /// Logs that a receipt for the message was accepted.
    fn accept(&mut self, id: MessageId, sent: Digest, receipt: Digest, at: &str) {
        let details = [("digest", sent.to_string()), ("receipt", receipt.to_string())];
        self.log(id, AuditAction::ReceiptAccept, at, &details);
    }

    /// The answers of the servers to `query`: of all events the first `covered` have a cosigned head.
    fn answer(&self, query: &str, covered: usize) {
        let (events, later) = self.events.split_at(covered);
        let exact: Vec<String> =
            events.iter().map(|event| serde_json::to_string(event).expect("JSON")).collect();
        let commit = |exact: &String| digest(&[SALT.as_slice(), exact.as_bytes()].concat());
        let leaves: Vec<Vec<u8>> = events
            .iter()
            .zip(&exact)
            .map(|(event, exact)| AuditLeaf::of(event, commit(exact)).to_bytes())
            .collect();
        let proofs = match leaves.is_empty() {
            true => Vec::new(),
            false => YearLog::of(&self.keys, YEAR, leaves.clone()).proofs(),
        };
        let uncovered = later.first().map(|first| json!({ "count": later.len(), "since": first.time }));
        let (count, length) = (events.len(), self.events.len());
        let begin = json!({ "count": count, "end": count, "length": length, "uncovered": uncovered });
        let mut lines = vec![json!({ "begin": begin }).to_string()];
        // The exact texts of leaves and events count: a JSON value would order their members anew.
        let (salt, origin) = (URL_SAFE_NO_PAD.encode(SALT), crate::logs::origin(YEAR));
        let items = exact.iter().zip(&leaves).zip(&proofs).enumerate();
        lines.extend(items.map(|(index, ((exact, leaf), proof))| {
            let (leaf, proof) = (String::from_utf8_lossy(leaf), json!(proof));
            format!(
                r#"{{"item":{{"entry":{{"index":{index},"digest":"","stored_at":"{CREATED}","leaf":{leaf},"event":{exact},"salt":"{salt}"}},"origin":"{origin}","proof":{proof}}}}}"#
            )
        }));
        lines.push(json!({ "done": { "items": count, "orders": 0 } }).to_string());
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut answers = self.answers.lock().expect("not poisoned");
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        answers.insert(format!("/v1/evidence{query}"), ("200 OK", text.into_bytes()));
        for (id, originals) in &self.originals {
            let path = format!("/v1/messages/{id}/jws?reason={REASON}");
            answers.insert(path, ("200 OK", originals.to_string().into_bytes()));
        }
        let list = json!({ "country": "mz", "serial": 2, "state": "current", "agencies": [] });
        let trust = json!({ "lists": [list], "warnings": [] });
        answers.insert("/v1/trust".to_owned(), ("200 OK", trust.to_string().into_bytes()));
        let list = std::fs::read(self.desk.path("two.json")).expect("a list");
        answers.insert("/v1/trust/mz".to_owned(), ("200 OK", list));
    }

    fn bundle(&self, out: &str, more: &str) -> CommandResult {
        let url = &self.url;
        self.desk.run(&format!(
            "--json audit bundle --policy policy --out {out} --reason {REASON} --token-file token --server {url} \
             --gateway {url} {more}"
        ))
    }

    fn verify(&self, file: &str, more: &str) -> CommandResult {
        self.desk
            .run(&format!("--json audit verify {file} --policy policy --authority mz=authority.jwk {more}"))
    }

    /// Unpacks a bundle, bends it, and packs it again, with a manifest that fits.
    fn bend(&self, file: &str, bend: impl FnOnce(&mut EvidenceBundle)) {
        let bytes = std::fs::read(self.desk.path(file)).expect("a bundle");
        let mut bundle = EvidenceBundle::unpack(&bytes).expect("unpacks");
        bend(&mut bundle);
        self.desk.write("bent.zip", bundle.pack().expect("packs"));
    }
}

fn message(id: &MessageId, kind: &str, (from, to): (&str, &str), entries: &Value) -> Value {
    json!({
        "header": {
            "id": id, "type": kind, "version": "1.0", "status": "actual", "sender": { "agency": from },
            "recipients": [{ "agency": to, "lane": "urgent" }], "created": CREATED,
        },
        "body": { "entries": entries },
    })
}

#[test]
fn a_bundle_that_was_made_holds_and_one_bad_receipt_is_left_out_by_name() {
    let mut bench = Bench::new();
    let (id, sent) = bench.send(1);
    let good = bench.receipt(&id, "senami.pem", (&id, sent));
    bench.accept(id, sent, good, "2026-06-02T00:00:00Z");
    let bad = bench.receipt(&id, "senami.pem", (&id, digest(b"other bytes")));
    let unknown = bench.receipt(&id, "senami.pem", (&id, sent));
    bench.answer("", 2);
    let made = bench.bundle("e.zip", "");
    assert_eq!(made.code, 0, "{made:?}");
    let made = made.json();
    assert_eq!(made["counts"]["receipts"], 1, "{made}");
    let left_out: Vec<_> = made["receipts_left_out"].as_array().expect("a list").iter().collect();
    let named = |digest: Digest, why: &str| {
        let is_it = |left: &&&Value| left["receipt"]["digest"] == json!(digest) && left["why"] == why;
        assert!(left_out.iter().any(|left| is_it(&left)), "{why}: {left_out:?}");
    };
    named(bad, "other_message");
    named(unknown, "not_named");
    assert!(!bench.desk.path("e.zip.part").exists(), "nothing is left beside it");

    let checked = bench.verify("e.zip", "");
    assert_eq!(checked.code, 0, "{checked:?}");
    let stated = checked.json()["stated"].to_string();
    for word in [REASON, "everything", "0 messages and 2 receipts are not in it"] {
        assert!(stated.contains(word), "{word}: {stated}");
    }
    // The list of a country whose authority is not pinned proves nothing, and breaks nothing.
    std::fs::copy(bench.desk.path("authority.jwk"), bench.desk.path("other.jwk")).expect("copied");
    let partly = bench.desk.run("--json audit verify e.zip --policy policy --authority tz=other.jwk");
    assert_eq!(partly.code, 1, "{partly:?}");
    assert!(partly.json()["unchecked"].to_string().contains("give --authority for mz too"), "{partly:?}");
    let text = bench.desk.run("audit verify e.zip --policy policy --authority mz=authority.jwk");
    text.is(0, "Whoever made it says, and nothing proves:");
    let bytes = std::fs::read(bench.desk.path("e.zip")).expect("a bundle");
    let bundle = EvidenceBundle::unpack(&bytes).expect("unpacks");
    let receipt = bundle.contents.manifest.left_out[0].receipt.as_ref().expect("a receipt");
    assert!(bundle.report.contains(&receipt.id.to_string()), "the report names it");
}

#[test]
fn a_message_that_the_gateway_does_not_hand_on_is_withheld_by_its_digest_and_the_bundle_holds() {
    let mut bench = Bench::new();
    bench.send(1);
    let id: MessageId = "019a0000-0000-7000-8000-000000000002".parse().expect("an id");
    let digest = digest(b"what mz.senami signed");
    bench.log(id, AuditAction::MessageReceive, CREATED, &[("digest", digest.to_string())]);
    bench.answer("", 2);
    let problem = json!({
        "type": "urn:rovuma:problem:handling_breach", "title": "Forbidden", "status": 403, "code": "handling_breach",
    });
    let row = json!({
        "id": id, "type": "alert.issue", "status": "actual", "sender": "mz.senami", "lane": "urgent",
        "created": CREATED, "received_at": CREATED, "disposition": "operative",
    });
    let header = message(&id, "alert.issue", ("mz.senami", "mz.prm"), &json!([]))["header"].take();
    let terms = json!({
        "urgency": "urgent", "purpose": "detection", "legal_basis": "example", "handling": "H2",
        "evaluation": { "source": "A", "information": "1" },
    });
    let metadata = json!({
        "direction": "received", "header": header, "terms": terms,
        "received": { "row": row, "digest": digest, "key_id": "k" },
    });
    {
        let mut answers = bench.answers.lock().expect("not poisoned");
        let path = format!("/v1/messages/{id}/jws?reason={REASON}");
        answers.insert(path, ("403 Forbidden", problem.to_string().into_bytes()));
        let path = format!("/v1/messages/{id}?view=metadata");
        answers.insert(path, ("200 OK", metadata.to_string().into_bytes()));
    }
    let made = bench.bundle("e.zip", "");
    assert_eq!(made.code, 0, "{made:?}");
    let left = &made.json()["withheld"][0];
    assert_eq!((&left["id"], &left["why"]), (&json!(id), &json!("handling_breach")), "{made:?}");
    let checked = bench.verify("e.zip", "");
    assert_eq!(checked.code, 0, "{checked:?}");
    let expected = format!("withheld: handling code H2: message {id} of mz.senami (SHA-256 {digest})");
    let checked = checked.json();
    assert!(checked["stated"].to_string().contains(&expected), "{checked}");
    let names = "an entry names the SHA-256 of each message that is withheld";
    assert!(checked["checked"].to_string().contains(names), "{checked}");
    // Another digest is nobody's.
    bench.bend("e.zip", |bundle| {
        let left = &mut bundle.contents.manifest.left_out[0];
        left.withheld.iter_mut().for_each(|withheld| withheld.digest = rovuma_envelope::digest(b"other"));
    });
    bench.verify("bent.zip", "").is(5, "no entry of the bundle says that a message with its SHA-256");
}

#[test]
fn what_is_forged_beside_the_proofs_does_not_end_with_0() {
    let mut bench = Bench::new();
    let (id, sent) = bench.send(1);
    let good = bench.receipt(&id, "senami.pem", (&id, sent));
    bench.accept(id, sent, good, "2026-06-02T00:00:00Z");
    bench.answer("", 2);
    assert_eq!(bench.bundle("e.zip", "").code, 0);

    // A report with a script, whichever version it names as its maker.
    for made_with in ["rovumactl 9.9.9", concat!("rovumactl ", env!("CARGO_PKG_VERSION"), " ")] {
        bench.bend("e.zip", |bundle| {
            bundle.contents.manifest.made_with = made_with.to_owned();
            bundle.report = "<script>alert(1)</script>".to_owned();
        });
        bench.verify("bent.zip", "").is(5, "report.html is not the report that the files give");
    }
    assert!(!bench.desk.path("true.html").exists());
    let aside = bench.verify("bent.zip", "--set-report-aside --report true.html");
    aside.is(1, "report.html is NOT VERIFIED");
    assert!(bench.desk.read("true.html").contains(&id.to_string()));
    // A report that is as it should be needs no such word.
    assert_eq!(bench.verify("e.zip", "--set-report-aside").code, 0);

    let report = |bundle: &mut EvidenceBundle| {
        let policy = bench.keys.policy().parse().expect("a policy");
        let checked = rovuma_evidence::check(&bundle.contents, &policy).expect("it holds");
        bundle.report = rovuma_evidence::render(&bundle.contents, &checked).expect("renders");
    };
    bench.bend("e.zip", |bundle| {
        bundle.contents.policy = LogKeys::new().policy();
        report(bundle);
    });
    bench.verify("bent.zip", "").is(1, "its copy of the policy is another");
    // The maker's word is shown as that, and no more.
    bench.bend("e.zip", |bundle| {
        bundle.contents.manifest.requester.subject = "the minister".to_owned();
        bundle.contents.manifest.log_length = 7_000;
        report(bundle);
    });
    let claimed = bench.verify("bent.zip", "");
    assert_eq!(claimed.code, 0, "{claimed:?}");
    let claimed = claimed.json();
    assert!(!claimed["checked"].to_string().contains("minister"), "{claimed}");
    assert!(claimed["stated"].to_string().contains("the minister"), "{claimed}");
    assert!(claimed["stated"].to_string().contains("7000 entries"), "{claimed}");
    // A query that the entries do not match.
    bench.bend("e.zip", |bundle| {
        bundle.contents.manifest.query.insert("actor".to_owned(), "officer-2".to_owned());
    });
    bench.verify("bent.zip", "").is(5, "actor is not officer-2");
}

/// A key that ended in July signs, in November, a receipt that says it is of June.
#[test]
fn a_receipt_is_judged_at_the_time_at_which_it_was_accepted() {
    for (accepted_at, code) in [("2026-08-01T00:00:00Z", 0), ("2026-11-01T00:00:00Z", 5)] {
        let mut bench = Bench::new();
        let (id, sent) = bench.send(1);
        let receipt = bench.receipt(&id, "short.pem", (&id, sent));
        bench.accept(id, sent, receipt, accepted_at);
        bench.answer("", 2);
        assert_eq!(bench.bundle("e.zip", "").code, 0);
        let checked = bench.verify("e.zip", "");
        assert_eq!(checked.code, code, "{accepted_at}: {checked:?}");
        if code != 0 {
            checked.is(5, &format!("receipts/{receipt}.jws"));
        }
    }
}

/// Whoever makes a bundle chooses the trust lists in it, and could choose one from before a revocation.
#[test]
fn a_list_that_was_due_before_the_newest_entry_is_not_enough() {
    let mut bench = Bench::new();
    // The next list is due before the newest entry, which the log's clock puts a little into our future.
    let (sign, pem) = ("trust sign --draft two.draft", "--authority-key authority.pem");
    bench.desk.ok(&format!("{sign} {pem} --next-update 60s --out overdue.json"));
    std::fs::rename(bench.desk.path("overdue.json"), bench.desk.path("two.json")).expect("renamed");
    let later =
        |minutes: u64| Timestamp::system_now().plus(std::time::Duration::from_secs(60 * minutes)).to_string();
    let (id, sent) = bench.send(1);
    let receipt = bench.receipt(&id, "senami.pem", (&id, sent));
    bench.accept(id, sent, receipt, &later(4));
    bench.answer("", 2);
    assert_eq!(bench.bundle("e.zip", "").code, 0);
    bench.verify("e.zip", "").is(1, "whether mz revoked a key");
    bench.desk.ok("trust revise two.json --authority authority.jwk --draft three.draft");
    bench.desk.ok(&format!("trust sign --draft three.draft {pem} --out three.json"));
    assert_eq!(bench.verify("e.zip", "--trust three.json").code, 0);
}

#[test]
fn a_bundle_is_not_older_than_its_entries() {
    let mut bench = Bench::new();
    let (id, sent) = bench.send(1);
    let receipt = bench.receipt(&id, "senami.pem", (&id, sent));
    let tomorrow = Timestamp::system_now().plus(std::time::Duration::from_secs(24 * 60 * 60));
    bench.accept(id, sent, receipt, &tomorrow.to_string());
    bench.answer("", 2);
    bench.bundle("e.zip", "").is(5, "made_at");
    assert!(!bench.desk.path("e.zip").exists());
}

#[test]
fn entries_that_no_head_covers_are_named_and_the_command_does_not_end_with_0() {
    let mut bench = Bench::new();
    let (id, sent) = bench.send(1);
    let good = bench.receipt(&id, "senami.pem", (&id, sent));
    bench.accept(id, sent, good, "2026-06-02T00:00:00Z");
    bench.answer("", 1);
    let made = bench.bundle("e.zip", "");
    assert_eq!(made.code, 1, "{made:?}");
    assert_eq!(made.json()["uncovered"], json!({ "count": 1, "since": "2026-06-02T00:00:00Z" }));
    bench.verify("e.zip", "").is(1, "1 matching entries, the first stored at 2026-06-02T00:00:00Z");
    assert_eq!(bench.bundle("accepted.zip", "--without-uncovered").code, 0, "it was asked for");
    bench.verify("accepted.zip", "").is(1, "they are not in it");
    // Nothing at all that could be proved.
    bench.answer("", 0);
    let nothing = bench.bundle("nothing.zip", "--without-uncovered");
    assert_eq!(nothing.code, 1, "{nothing:?}");
    nothing.is(1, "nothing to prove yet: 2 matching entries, the first stored at 2026-06-01T00:00:00Z");
    bench.events.clear();
    bench.answer("", 0);
    bench.bundle("nothing.zip", "").is(1, "no entry matches");
    assert!(!bench.desk.path("nothing.zip").exists() && !bench.desk.path("nothing.zip.part").exists());
}

#[test]
fn a_command_that_broke_off_goes_on_where_it_stopped() {
    let mut bench = Bench::new();
    let ids: Vec<MessageId> = (1..=40).map(|number| bench.send(number).0).collect();
    bench.answer("", 40);
    let path = |id: &MessageId| format!("/v1/messages/{id}/jws?reason={REASON}");
    let expired = br#"{"type":"about:blank","title":"Log in","status":401,"code":"unauthenticated"}"#;
    bench
        .answers
        .lock()
        .expect("not poisoned")
        .insert(path(&ids[30]), ("401 Unauthorized", expired.to_vec()));
    let broken = bench.bundle("e.zip", "");
    assert_eq!(broken.code, 6, "{broken:?}");
    broken.is(6, "give the same command again: it goes on with what is in e.zip.part");
    assert!(bench.desk.path("e.zip.part").exists() && !bench.desk.path("e.zip").exists());
    assert_eq!(bench.desk.mode("e.zip.part"), 0o600, "it holds whole messages");
    let before = std::mem::take(&mut *bench.asked.lock().expect("not poisoned"));
    assert!(before.contains(&path(&ids[30])), "{before:?}");

    bench.answer("", 40);
    let other = bench.bundle("e.zip", "--actor officer-1");
    other.is(2, "what was fetched for another bundle");
    bench.asked.lock().expect("not poisoned").clear();
    let made = bench.bundle("e.zip", "");
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(made.json()["counts"]["messages"], 40);
    let asked = bench.asked.lock().expect("not poisoned").clone();
    assert!(!asked.iter().any(|path| path.starts_with("/v1/evidence")), "{asked:?}");
    assert!(asked.contains(&path(&ids[30])), "{asked:?}");
    assert!(asked.len() < 25, "most were fetched before: {asked:?}");
    assert!(!bench.desk.path("e.zip.part").exists());
    assert_eq!(bench.verify("e.zip", "").code, 0);
}

/// Hundreds of messages, each with a receipt: more than one tile of the log and more than one round of requests.
#[test]
fn a_bundle_of_many_messages_has_them_all() {
    let mut bench = Bench::new();
    for number in 0..400 {
        let (id, sent) = bench.send(number);
        let receipt = bench.receipt(&id, "senami.pem", (&id, sent));
        bench.accept(id, sent, receipt, "2026-06-02T00:00:00Z");
    }
    bench.answer("", 800);
    let made = bench.bundle("e.zip", "");
    assert_eq!(made.code, 0, "{made:?}");
    let counts = &made.json()["counts"];
    assert_eq!(
        (&counts["items"], &counts["messages"], &counts["receipts"]),
        (&json!(800), &json!(400), &json!(400))
    );
    assert_eq!(bench.verify("e.zip", "").code, 0);
}
