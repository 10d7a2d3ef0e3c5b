//! A bundle that holds, and every way in which one must not.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::{Jws, Signer as _, SigningKey, Typ, digest};
use rovuma_schemas::{
    Epoch, Locale, MessageId, StoreId, Timestamp,
    audit::{AUDIT_VERSION, AuditAction, AuditEvent, AuditLeaf, AuditObject, AuditOutcome, FIRST_PREVIOUS},
};
use rovuma_tlog::{
    Edge, Head, NoteKey, Policy, ProofFile, Pruned, Tile, Tiles, UnverifiedCheckpoint, Verdict,
    add_cosignature, cosign, leaf_hash, needed_for_inclusion, sign,
};
use rstest::rstest;
use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    Bundle, Checked, Contents, Counts, Disclosed, Entry, FORMAT, Fault, Manifest, MessageFiles, PackFault,
    Requester, Role, check, render,
};

const ORIGIN: &str = "mz.audit/2026";
/// Where the log of 2026 begins among the country's entries.
const BEGINS: u64 = 1000;
const MESSAGE: &str = "0199c5a1-7b3e-7001-8a10-000000000001";

fn at() -> Timestamp {
    "2026-11-27T10:00:00Z".parse().expect("RFC 3339")
}

/// A log and its two witnesses.
struct Log {
    log: SigningKey,
    witnesses: [(&'static str, SigningKey); 2],
    leaves: Vec<Vec<u8>>,
}

impl Log {
    fn new() -> Self {
        let key = || SigningKey::generate().expect("a key");
        Self { log: key(), witnesses: [("mz", key()), ("tz", key())], leaves: Vec::new() }
    }

    fn policy_text(&self) -> String {
        let mut text = format!("log {}\n", NoteKey::of_log(ORIGIN, self.log.public_key()).expect("a key"));
        for (country, key) in &self.witnesses {
            let name = format!("{country}.audit");
            let key = NoteKey::of_cosigner(&name, key.public_key()).expect("a key");
            text += &format!("witness {country} {key}\n");
        }
        text + "group countries all mz tz\nquorum countries\n"
    }

    fn policy(&self) -> Policy {
        self.policy_text().parse().expect("a policy")
    }

    fn head(&self) -> Head {
        let mut edge = Edge::default();
        for leaf in &self.leaves {
            edge.append(leaf_hash(leaf));
        }
        Head { origin: ORIGIN.to_owned(), size: edge.size(), root: edge.root() }
    }

    /// The head, cosigned by so many of the witnesses at this second.
    fn checkpoint(&self, witnesses: usize, unix_s: u64) -> UnverifiedCheckpoint {
        let note = sign(&self.head(), &self.log).expect("signed");
        let mut note = UnverifiedCheckpoint::read(&note).expect("reads");
        for (country, key) in &self.witnesses[..witnesses] {
            let (Verdict::Good(checkpoint) | Verdict::Unwitnessed { checkpoint, .. }) =
                self.policy().judge(note.clone())
            else {
                panic!("the log signed it");
            };
            let name = format!("{country}.audit");
            let line = cosign(&checkpoint, &name, key, unix_s).expect("cosigned");
            let key = NoteKey::of_cosigner(&name, key.public_key()).expect("a key");
            note = add_cosignature(&note, &line, &key).expect("added");
        }
        note
    }

    fn proof(&self, index: u64, checkpoint: &UnverifiedCheckpoint) -> String {
        let size = self.leaves.len() as u64;
        let mut tiles = Tiles::of(size);
        for tile in needed_for_inclusion(size, index).expect("inside") {
            let tile: Tile = tile;
            let hashes = self.leaves.iter().take(tile.width as usize).flat_map(|leaf| leaf_hash(leaf).0);
            tiles.add(tile, hashes.collect());
        }
        let hashes = tiles.inclusion(index).expect("proved");
        let leaf = self.leaves[usize::try_from(index).expect("small")].clone();
        ProofFile { unverified_extra: leaf, index, hashes, checkpoint: checkpoint.clone() }.to_string()
    }
}

fn event(sequence: u64, action: AuditAction, details: &[(&str, String)]) -> AuditEvent {
    AuditEvent {
        version: AUDIT_VERSION,
        id: MessageId::draw(at()),
        source: "mz.gateway.police".to_owned(),
        epoch: Epoch::from_slice(&[7; 16]).expect("16 bytes"),
        sequence,
        previous: FIRST_PREVIOUS,
        time: at(),
        actor: "officer-1".to_owned(),
        session: None,
        agency: Some("mz.prm".parse().expect("an agency")),
        action,
        object: Some(AuditObject::new("message", MESSAGE)),
        purpose: None,
        outcome: AuditOutcome::Success,
        reason: None,
        blind: Some(StoreId::draw()),
        details: details.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    }
}

/// Contents with a message that was sent, its events, and one event that was erased by an order.
struct Case {
    log: Log,
    contents: Contents,
}

impl Case {
    fn new() -> Self {
        let jws =
            Jws::sign(Typ::MESSAGE, b"{}".to_vec(), &SigningKey::generate().expect("a key")).expect("signed");
        Self::of(jws.to_compact())
    }

    /// Adds an event to the log, and an entry of it; every entry is proved anew.
    fn log_with(&mut self, event: &AuditEvent) {
        let (exact, salt) = (serde_json::to_string(event).expect("serialises"), [99; 32]);
        let leaf = AuditLeaf::of(event, digest(&[salt.as_slice(), exact.as_bytes()].concat())).to_bytes();
        let index = BEGINS + self.log.leaves.len() as u64;
        self.log.leaves.push(leaf.clone());
        let entry = Entry {
            index,
            role: Role::Item,
            origin: ORIGIN.to_owned(),
            leaf: String::from_utf8(leaf).expect("JSON"),
            event: Some(Disclosed { salt: URL_SAFE_NO_PAD.encode(salt), exact }),
            erased_by: None,
            proof: None,
        };
        self.contents.entries.insert(index, entry);
        let checkpoint = self.log.checkpoint(2, 1_795_000_000);
        for (index, entry) in &mut self.contents.entries {
            entry.proof = Some(self.log.proof(index - BEGINS, &checkpoint));
        }
    }

    /// About this message.
    fn of(jws: String) -> Self {
        let events = [
            event(1, AuditAction::DraftRead, &[("view", "content".to_owned())]),
            event(2, AuditAction::MessageSend, &[("digest", digest(jws.as_bytes()).to_string())]),
            event(3, AuditAction::MessageRead, &[("view", "content".to_owned())]),
            event(4, AuditAction::Erase, &[("legal_basis", "Lei n.º 3/2017, <art. 63>".to_owned())]),
        ];
        let mut log = Log::new();
        let mut disclosed = Vec::new();
        for (place, event) in (0u8..).zip(&events) {
            let (exact, salt) = (serde_json::to_string(event).expect("serialises"), [place; 32]);
            let commit = digest(&[salt.as_slice(), exact.as_bytes()].concat());
            log.leaves.push(AuditLeaf::of(event, commit).to_bytes());
            disclosed.push(Disclosed { salt: URL_SAFE_NO_PAD.encode(salt), exact });
        }
        let checkpoint = log.checkpoint(2, 1_795_000_000);
        let entry = |place: u64, event: &Disclosed| Entry {
            index: BEGINS + place,
            role: if place == 3 { Role::Order } else { Role::Item },
            origin: ORIGIN.to_owned(),
            leaf: String::from_utf8(log.leaves[usize::try_from(place).expect("small")].clone())
                .expect("JSON"),
            event: (place != 2).then(|| event.clone()),
            erased_by: (place == 2).then_some(BEGINS + 3),
            proof: Some(log.proof(place, &checkpoint)),
        };
        let entries =
            (0..).zip(&disclosed).map(|(place, event)| (BEGINS + place, entry(place, event))).collect();
        let id: MessageId = MESSAGE.parse().expect("an id");
        let files =
            MessageFiles { signed: [("tz".parse().expect("a country"), jws)].into(), receipts: [].into() };
        let mut contents = Contents {
            manifest: Manifest {
                format: FORMAT.to_owned(),
                made_at: at(),
                made_with: "a test".to_owned(),
                language: Locale::Pt,
                requester: Requester { subject: "auditor-1".to_owned(), agency: None },
                reason: Some("AUD-7".to_owned()),
                query: [("message".to_owned(), MESSAGE.to_owned())].into(),
                log_length: 1010,
                end: 1004,
                counts: Counts::default(),
                heads: Vec::new(),
                erased: Vec::new(),
                left_out: Vec::new(),
                files: [].into(),
            },
            policy: log.policy_text(),
            entries,
            messages: [(id, files)].into(),
            pruned: [].into(),
            trust: [].into(),
        };
        Checked::complete(&mut contents, &log.policy()).expect("it holds");
        Self { log, contents }
    }

    fn fault(&self) -> String {
        check(&self.contents, &self.log.policy()).expect_err("it does not hold").to_string()
    }

    fn entry(&mut self, place: u64) -> &mut Entry {
        self.contents.entries.get_mut(&(BEGINS + place)).expect("an entry")
    }

    fn bundle(&self) -> Bundle {
        let checked = check(&self.contents, &self.log.policy()).expect("it holds");
        let report = render(&self.contents, &checked).expect("renders");
        Bundle { contents: self.contents.clone(), report }
    }
}

#[test]
fn what_holds_is_packed_and_unpacked_and_still_holds() {
    let case = Case::new();
    let counts = case.contents.manifest.counts;
    assert_eq!((counts.items, counts.orders, counts.disclosed, counts.erased), (3, 1, 3, 1));
    let mut bundle = case.bundle();
    let bytes = bundle.pack().expect("packed");
    assert!(Bundle::is_one(&bytes));
    assert_eq!(bundle.pack().expect("packed"), bytes, "the same contents give the same bytes");
    let again = Bundle::unpack(&bytes).expect("unpacked");
    assert_eq!(again, bundle);
    check(&again.contents, &case.log.policy()).expect("it holds");
}

#[rstest]
#[case(Locale::En, "What is not proven", "Message read", "was erased")]
#[case(Locale::Pt, "O que não está provado", "Mensagem lida", "apagado")]
#[case(Locale::Sw, "Kisichothibitishwa", "Ujumbe ulisomwa", "yalifutwa")]
fn the_report_says_in_each_language_what_is_proven_and_what_was_erased(
    #[case] language: Locale,
    #[case] heading: &str,
    #[case] action: &str,
    #[case] erased: &str,
) {
    let mut case = Case::new();
    case.contents.manifest.language = language;
    let report = case.bundle().report;
    for word in
        [heading, action, "draft.read: content", erased, "mz.audit", "2026-11-27T10:00:00Z", "AUD-7", MESSAGE]
    {
        assert!(report.contains(word), "{word}: {report}");
    }
    assert!(report.contains("Lei n.º 3/2017, &#60;art. 63&#62;") && !report.contains("<art"), "{report}");
    assert!(
        !report.contains("src=") && !report.contains("http://") && !report.contains("https://"),
        "it loads nothing"
    );
}

#[test]
fn what_a_log_has_taken_out_is_told_and_only_the_log_says_so() {
    let mut case = Case::new();
    let said = |origin: &str| Pruned {
        origin: origin.to_owned(),
        minimum_index: 1000,
        unix_s: 1_795_000_000,
        policy: "Diploma Ministerial n.º 12/2027".to_owned(),
    };
    let note = |signer: &SigningKey, origin: &str| {
        String::from_utf8(said(origin).sign(signer).expect("signed")).expect("UTF-8")
    };
    case.contents.pruned = [(ORIGIN.to_owned(), note(&case.log.log, ORIGIN))].into();
    let mut bundle = case.bundle();
    assert!(
        bundle.report.contains("Diploma Ministerial n.º 12/2027") && bundle.report.contains("Norma escrita")
    );
    let bytes = bundle.pack().expect("packed");
    assert_eq!(Bundle::unpack(&bytes).expect("unpacked"), bundle);
    let witness = &case.log.witnesses[0].1;
    for (origin, note) in [(ORIGIN, note(witness, ORIGIN)), ("mz.audit/2025", note(&case.log.log, ORIGIN))] {
        let mut case = Case { log: Log::new(), contents: case.contents.clone() };
        case.contents.pruned = [(origin.to_owned(), note)].into();
        let fault =
            check(&case.contents, &bundle.contents.policy.parse().expect("a policy")).expect_err("refused");
        assert!(fault.to_string().contains("pruned/"), "{fault}");
    }
}

#[test]
fn what_is_changed_about_an_entry_is_found() {
    type Bend = fn(&mut Case);
    let bends: [(&str, Bend, &str); 13] = [
        ("the leaf", |case| case.entry(0).leaf = case.entry(1).leaf.clone(), "another leaf"),
        ("another's proof", |case| case.entry(0).proof = case.entry(1).proof.clone(), "another leaf"),
        (
            "the event",
            |case| {
                let event = case.entry(0).event.as_mut().expect("an event");
                event.exact = event.exact.replace("officer-1", "officer-2");
            },
            "another event",
        ),
        (
            "the salt",
            |case| {
                case.entry(0).event.as_mut().expect("an event").salt = URL_SAFE_NO_PAD.encode([9; 32]);
            },
            "another event",
        ),
        (
            "the place in the log",
            |case| {
                let proof = case.entry(0).proof.as_mut().expect("a proof");
                *proof = proof.replace("index 0", "index 1");
            },
            "not in the log",
        ),
        (
            "the place among all entries",
            |case| {
                let mut entry = case.contents.entries.remove(&(BEGINS + 1)).expect("an entry");
                entry.index = BEGINS + 9;
                case.contents.entries.insert(BEGINS + 9, entry);
            },
            "stands elsewhere",
        ),
        (
            "the log's name",
            |case| case.entry(0).origin = "mz.audit/2025".to_owned(),
            "and not in mz.audit/2025",
        ),
        (
            "the order",
            |case| {
                case.contents.entries.remove(&(BEGINS + 3));
            },
            "no proven order 1003",
        ),
        ("what is no order", |case| case.entry(2).erased_by = Some(BEGINS), "no proven order 1000"),
        ("why it is not there", |case| case.entry(2).erased_by = None, "no order says why"),
        ("an event is held back", |case| case.entry(0).event = None, "no order says why"),
        ("what is erased is there", |case| case.entry(1).erased_by = Some(BEGINS + 3), "and is there"),
        ("an order of nothing", |case| case.entry(0).role = Role::Order, "nothing was erased by it"),
    ];
    for (what, bend, word) in bends {
        let mut case = Case::new();
        bend(&mut case);
        let fault = case.fault();
        assert!(fault.contains(word), "{what}: {fault}");
        // Whoever makes the manifest anew has gained nothing.
        assert!(Checked::complete(&mut case.contents, &case.log.policy()).is_err(), "{what}");
    }
}

#[test]
fn what_is_changed_about_heads_messages_and_numbers_is_found() {
    let mut case = Case::new();
    let alone = case.log.checkpoint(1, 1_795_000_000);
    case.entry(0).proof = Some(case.log.proof(0, &alone));
    assert!(case.fault().contains("not cosigned by tz"), "{}", case.fault());

    let mut case = Case::new();
    let other = case.log.checkpoint(2, 1_795_000_001);
    case.entry(2).proof = Some(case.log.proof(2, &other));
    assert!(case.fault().contains("different heads"), "{}", case.fault());

    let (case, strangers) = (Case::new(), Log::new());
    let fault = check(&case.contents, &strangers.policy()).expect_err("strangers' keys").to_string();
    assert!(fault.contains("not signed by a log that the policy names"), "{fault}");

    let mut case = Case::new();
    case.contents.manifest.counts.items = 4;
    assert!(case.fault().contains("counts"), "{}", case.fault());
    let mut case = Case::new();
    case.contents.manifest.heads[0].size = 5;
    assert!(case.fault().contains("heads"), "{}", case.fault());
    let mut case = Case::new();
    case.contents.manifest.erased.clear();
    assert!(case.fault().contains("erased"), "{}", case.fault());
    let mut case = Case::new();
    case.contents.manifest.format = "rovuma-evidence/2".to_owned();
    assert!(case.fault().contains("rovuma-evidence/2"), "{}", case.fault());

    let mut case = Case::new();
    for files in case.contents.messages.values_mut() {
        files.signed.values_mut().for_each(|jws| *jws = jws.replacen('e', "f", 1));
    }
    assert!(case.fault().contains("no entry of the bundle names"), "{}", case.fault());
    // What is in the log has its proof.
    let mut case = Case::new();
    case.entry(1).proof = None;
    case.contents.manifest.counts.unproven = 1;
    assert!(case.fault().contains("entry 1001: it has no proof"), "{}", case.fault());
}

/// What somebody would do who wants one event out of sight, and makes the manifest anew.
#[test]
fn an_event_is_not_hidden_behind_an_order_that_is_none() {
    type Bend = fn(&mut Case);
    let invent: Bend = |case| {
        let mut order = case.contents.entries[&(BEGINS + 3)].clone();
        (order.index, order.proof) = (BEGINS + 900, None);
        case.contents.entries.insert(order.index, order);
        (case.entry(0).event, case.entry(0).erased_by) = (None, Some(BEGINS + 900));
    };
    let of_another_year: Bend = |case| {
        let mut order = case.contents.entries[&(BEGINS + 3)].clone();
        (order.index, order.proof, order.origin) = (BEGINS + 900, None, "mz.audit/2027".to_owned());
        case.contents.entries.insert(order.index, order);
        (case.entry(0).event, case.entry(0).erased_by) = (None, Some(BEGINS + 900));
    };
    let of_something_else: Bend = |case| {
        let event = event(5, AuditAction::Erase, &[]);
        let event = AuditEvent { object: Some(AuditObject::new("message", "another")), ..event };
        case.log_with(&event);
        (case.entry(0).event, case.entry(0).erased_by) = (None, Some(BEGINS + 4));
    };
    let refused: Bend = |case| {
        let event = AuditEvent { outcome: AuditOutcome::Refused, ..event(5, AuditAction::Erase, &[]) };
        case.log_with(&event);
        (case.entry(0).event, case.entry(0).erased_by) = (None, Some(BEGINS + 4));
    };
    let bends = [
        ("an invented one", invent),
        ("one of a log without a head", of_another_year),
        ("one about something else", of_something_else),
        ("one that was refused", refused),
    ];
    for (what, bend) in bends {
        let mut case = Case::new();
        bend(&mut case);
        let fault = Checked::complete(&mut case.contents, &case.log.policy()).expect_err(what).to_string();
        assert!(fault.contains("no proven order"), "{what}: {fault}");
    }
    // One before what it would have erased.
    let mut case = Case::new();
    case.log_with(&event(5, AuditAction::MessageRead, &[]));
    let later = case.entry(4);
    (later.event, later.erased_by, later.role) = (None, Some(BEGINS + 3), Role::Item);
    let fault =
        Checked::complete(&mut case.contents, &case.log.policy()).expect_err("an older order").to_string();
    assert!(fault.contains("entry 1004") && fault.contains("no proven order"), "{fault}");
}

#[test]
fn what_has_no_proof_at_all_proves_nothing() {
    let mut case = Case::new();
    case.contents.messages.clear();
    for entry in case.contents.entries.values_mut() {
        entry.proof = None;
    }
    let fault =
        Checked::complete(&mut case.contents, &case.log.policy()).expect_err("nothing is proven").to_string();
    assert!(fault.contains("proof") || fault.contains("proven"), "{fault}");
    case.contents.entries.retain(|index, _| *index == BEGINS);
    let fault = Checked::complete(&mut case.contents, &case.log.policy()).expect_err("nothing is proven");
    assert_eq!(fault, Fault::Nothing);
}

/// After a restore a log ends with entries that no head vouches for: they are told, and no reason to refuse the rest.
#[test]
fn what_no_head_of_its_log_reaches_is_told() {
    let mut case = Case::new();
    let leaf = case.contents.entries[&BEGINS].clone();
    let beyond = Entry { index: BEGINS + 4, proof: None, ..leaf };
    case.contents.entries.insert(beyond.index, beyond);
    Checked::complete(&mut case.contents, &case.log.policy()).expect("it holds as far as it is proven");
    assert_eq!(case.contents.manifest.counts.unproven, 1);
    let mut case = Case::new();
    case.entry(0).proof = None;
    let fault = Checked::complete(&mut case.contents, &case.log.policy()).expect_err("it is within");
    assert!(fault.to_string().contains("the head of its log reaches it"), "{fault}");
}

#[test]
fn a_receipt_is_one_for_the_message_that_it_stands_under() {
    let compact = |payload: &serde_json::Value| {
        let key = SigningKey::generate().expect("a key");
        let jws = Jws::sign(Typ::MESSAGE, serde_json::to_vec(payload).expect("JSON"), &key).expect("signed");
        jws.to_compact()
    };
    let header = |id: &str, kind: &str, sender: &str, recipient: &str| {
        json!({
            "id": id, "type": kind, "version": "1.0", "status": "actual", "sender": { "agency": sender },
            "recipients": [{ "agency": recipient, "lane": "urgent" }], "created": "2026-11-27T10:00:00Z",
        })
    };
    const RECEIPT: &str = "0199c5a1-7b3e-7001-8a10-000000000009";
    let message =
        compact(&json!({ "header": header(MESSAGE, "alert.issue", "mz.prm", "tz.tpf"), "body": {} }));
    let digest = digest(message.as_bytes()).to_string();
    let receipt = |id: &str, kind: &str, sender: &str, about: &str, digest: &str| {
        let entries = json!([{ "id": about, "digest": digest, "read_at": "2026-11-27T10:00:00Z" }]);
        compact(&json!({ "header": header(id, kind, sender, "mz.prm"), "body": { "entries": entries } }))
    };
    let other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let cases = [
        ("a receipt", receipt(RECEIPT, "receipt.read", "tz.tpf", MESSAGE, &digest), None),
        (
            "of another message",
            receipt(RECEIPT, "receipt.read", "tz.tpf", RECEIPT, &digest),
            Some("another message"),
        ),
        (
            "of other bytes",
            receipt(RECEIPT, "receipt.read", "tz.tpf", MESSAGE, other),
            Some("another message"),
        ),
        (
            "of somebody else",
            receipt(RECEIPT, "receipt.read", "tz.dci", MESSAGE, &digest),
            Some("no recipient"),
        ),
        ("under another name", receipt(MESSAGE, "receipt.read", "tz.tpf", MESSAGE, &digest), Some("it is")),
        ("no receipt", receipt(RECEIPT, "alert.issue", "tz.tpf", MESSAGE, &digest), Some("no receipt")),
        ("nothing", "a.b.c".to_owned(), Some("cannot be read")),
    ];
    for (what, receipt, word) in cases {
        let mut case = Case::of(message.clone());
        let files = case.contents.messages.values_mut().next().expect("a message");
        files.receipts.insert(RECEIPT.parse().expect("an id"), receipt);
        let checked = Checked::complete(&mut case.contents, &case.log.policy());
        match word {
            None => drop(checked.expect(what)),
            Some(word) => {
                let fault = checked.expect_err(what).to_string();
                assert!(fault.contains("receipts/") && fault.contains(word), "{what}: {fault}");
            }
        }
    }
}

/// Every text that counts, as long as it is: nothing of it may be changed.
#[test]
fn every_byte_of_what_is_proven_counts() {
    let texts: [fn(&mut Case) -> &mut String; 5] = [
        |case| &mut case.entry(1).leaf,
        |case| &mut case.entry(1).event.as_mut().expect("an event").exact,
        |case| &mut case.entry(1).event.as_mut().expect("an event").salt,
        |case| case.entry(1).proof.as_mut().expect("a proof"),
        |case| {
            case.contents
                .messages
                .values_mut()
                .next()
                .and_then(|files| files.signed.values_mut().next())
                .expect("a message")
        },
    ];
    let mut case = Case::new();
    for (number, text) in texts.into_iter().enumerate() {
        let whole = text(&mut case).clone();
        for place in (0..whole.len())
            .filter(|place| whole.is_char_boundary(*place) && whole.is_char_boundary(place + 1))
        {
            let mut bent = whole.clone().into_bytes();
            bent[place] ^= 1;
            *text(&mut case) = String::from_utf8(bent).expect("ASCII");
            assert!(check(&case.contents, &case.log.policy()).is_err(), "text {number}, byte {place}");
        }
        *text(&mut case) = whole;
    }
    check(&case.contents, &case.log.policy()).expect("as it was, it holds");
}

/// A ZIP file of these files.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in files {
        zip.start_file(*path, SimpleFileOptions::default()).expect("begun");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

#[test]
fn files_that_are_not_the_manifests_are_found() {
    let mut bundle = Case::new().bundle();
    let bytes = bundle.pack().expect("packed");
    let fault = |bytes: &[u8]| Bundle::unpack(bytes).expect_err("refused").to_string();
    let mut more = bytes.clone();
    more.extend_from_slice(b"and more");
    for (what, bytes) in
        [("nothing", &[][..]), ("cut", &bytes[..bytes.len() / 2]), ("no ZIP", b"PK\x03\x04nothing")]
    {
        assert!(matches!(Bundle::unpack(bytes), Err(PackFault::Zip(_))), "{what}");
    }
    assert!(fault(&zipped(&[("report.html", b"x")])).contains("manifest.json is missing"));

    // Some tools read the names that stand before the files, and not those at the end.
    let mut renamed = bytes.clone();
    let policy = renamed.windows(6).position(|window| window == b"policy").expect("a name");
    renamed[policy..policy + 6].copy_from_slice(b"pilocy");
    assert!(Bundle::unpack(&renamed).is_err(), "{policy}");

    // What stands before the files is shown by some tools and passed over by others.
    let before = [b"PK\x03\x04 hidden".as_slice(), &bytes].concat();
    assert!(Bundle::unpack(&before).is_err());
    assert!(fault(&more).contains("more than its files"));

    let manifest = serde_json::to_vec(&bundle.contents.manifest).expect("serialises");
    assert!(fault(&zipped(&[("manifest.json", &manifest)])).contains("missing"));
    let mut changed = bundle.clone();
    changed.report.push(' ');
    let repacked = changed.pack().expect("packed");
    // The manifest of the one with the files of the other.
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&repacked)).expect("a ZIP");
    for place in 0..zip.len() {
        let mut file = zip.by_index(place).expect("a file");
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut content).expect("reads");
        files.push((file.name().expect("a name").into_owned(), content));
    }
    files[0].1 = manifest;
    let borrowed: Vec<(&str, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    assert!(fault(&zipped(&borrowed)).contains("report.html is not as the manifest has it"));
    let with_more = [borrowed.as_slice(), &[("entries/more.json", b"{}".as_slice())]].concat();
    assert!(fault(&zipped(&with_more)).contains("entries/more.json is not one of the manifest's files"));
    let outside = [borrowed.as_slice(), &[("../outside", b"x".as_slice())]].concat();
    assert!(fault(&zipped(&outside)).contains("../outside"));
}
