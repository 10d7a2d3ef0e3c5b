//! A log with its witnesses, and contents of a bundle that hold.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::{Jws, Signer as _, SigningKey, Typ, digest};
use rovuma_schemas::{
    Digest, Epoch, Locale, MessageId, StoreId, Timestamp,
    audit::{AUDIT_VERSION, AuditAction, AuditEvent, AuditLeaf, AuditObject, AuditOutcome, FIRST_PREVIOUS},
};
use rovuma_tlog::{
    Edge, Head, LoadedTiles, LogPolicy, NoteKey, PolicyVerdict, ProofFile, Tile, UnverifiedCheckpoint,
    add_cosignature, cosign, leaf_hash, needed_for_inclusion, sign,
};

use crate::{
    CheckedEvidence, Disclosed, EntryRole, ErasureProof, EvidenceBundle, EvidenceContents, EvidenceCounts,
    EvidenceEntry, FORMAT, Manifest, MessageFiles, Requester, check, render,
};

pub(super) const ORIGIN: &str = "mz.audit/2026";
/// Index of the log's first entry among all entries of the country's logs.
pub(super) const BEGINS: u64 = 1000;
pub(super) const MESSAGE: &str = "0199c5a1-7b3e-7001-8a10-000000000001";

pub(super) fn at() -> Timestamp {
    "2026-11-27T10:00:00Z".parse().expect("RFC 3339")
}

/// A log and its two witnesses.
pub(super) struct TestLog {
    pub(super) log: SigningKey,
    pub(super) witnesses: [(&'static str, SigningKey); 2],
    pub(super) leaves: Vec<Vec<u8>>,
}

impl TestLog {
    pub(super) fn new() -> Self {
        let key = || SigningKey::generate().expect("a key");
        Self { log: key(), witnesses: [("mz", key()), ("tz", key())], leaves: Vec::new() }
    }

    pub(super) fn policy_text(&self) -> String {
        let mut text = format!("log {}\n", NoteKey::of_log(ORIGIN, self.log.public_key()).expect("a key"));
        for (country, key) in &self.witnesses {
            let name = format!("{country}.audit");
            let key = NoteKey::of_cosigner(&name, key.public_key()).expect("a key");
            text += &format!("witness {country} {key}\n");
        }
        text + "group countries all mz tz\nquorum countries\n"
    }

    pub(super) fn policy(&self) -> LogPolicy {
        self.policy_text().parse().expect("a policy")
    }

    fn head(&self) -> Head {
        let mut edge = Edge::default();
        for leaf in &self.leaves {
            edge.append(leaf_hash(leaf));
        }
        Head { origin: ORIGIN.to_owned(), size: edge.size(), root: edge.root() }
    }

    /// The head, cosigned by the first `witnesses` witnesses at this time.
    pub(super) fn checkpoint(&self, witnesses: usize, unix_s: u64) -> UnverifiedCheckpoint {
        let note = sign(&self.head(), &self.log).expect("signed");
        let mut note = UnverifiedCheckpoint::read(&note).expect("reads");
        for (country, key) in &self.witnesses[..witnesses] {
            let (PolicyVerdict::Good(checkpoint) | PolicyVerdict::Unwitnessed { checkpoint, .. }) =
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

    pub(super) fn proof(&self, index: u64, checkpoint: &UnverifiedCheckpoint) -> String {
        let size = self.leaves.len() as u64;
        let mut tiles = LoadedTiles::of(size);
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

pub(super) fn event(sequence: u64, action: AuditAction, details: &[(&str, String)]) -> AuditEvent {
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

/// The salt of events that [`Case::log_with`] adds.
const SALT: [u8; 32] = [99; 32];

/// The leaf of an event that [`Case::log_with`] adds.
pub(super) fn leaf_of(event: &AuditEvent) -> Vec<u8> {
    let exact = serde_json::to_string(event).expect("serialises");
    AuditLeaf::of(event, digest(&[SALT.as_slice(), exact.as_bytes()].concat())).to_bytes()
}

/// Contents with a message that was sent, its events, and one event that was erased by an order.
pub(super) struct Case {
    pub(super) log: TestLog,
    pub(super) contents: EvidenceContents,
}

impl Case {
    pub(super) fn new() -> Self {
        let jws =
            Jws::sign(Typ::MESSAGE, b"{}".to_vec(), &SigningKey::generate().expect("a key")).expect("signed");
        Self::of(jws.to_compact())
    }

    /// Adds an event to the log and its entry to the contents, and proves every entry again.
    pub(super) fn log_with(&mut self, event: &AuditEvent) {
        let (exact, leaf) = (serde_json::to_string(event).expect("serialises"), leaf_of(event));
        let index = BEGINS + self.log.leaves.len() as u64;
        self.log.leaves.push(leaf.clone());
        let entry = EvidenceEntry {
            index,
            role: EntryRole::Item,
            origin: ORIGIN.to_owned(),
            leaf: String::from_utf8(leaf).expect("JSON"),
            event: Some(Disclosed { salt: URL_SAFE_NO_PAD.encode(SALT), exact }),
            erased_by: None,
            erasure: None,
            proof: None,
        };
        self.contents.entries.insert(index, entry);
        let checkpoint = self.log.checkpoint(2, 1_795_000_000);
        for (index, entry) in &mut self.contents.entries {
            entry.proof = Some(self.log.proof(index - BEGINS, &checkpoint));
        }
        let manifest = &mut self.contents.manifest;
        manifest.end = BEGINS + self.log.leaves.len() as u64;
        manifest.log_length = manifest.log_length.max(manifest.end);
    }

    /// The contents about this message.
    pub(super) fn of(jws: String) -> Self {
        let events = [
            event(1, AuditAction::DraftRead, &[("view", "content".to_owned())]),
            event(2, AuditAction::MessageSend, &[("digest", digest(jws.as_bytes()).to_string())]),
            event(3, AuditAction::MessageRead, &[("view", "content".to_owned())]),
        ];
        let mut log = TestLog::new();
        let mut disclosed = Vec::new();
        let mut add = |log: &mut TestLog, place: u8, event: &AuditEvent| {
            let (exact, salt) = (serde_json::to_string(event).expect("serialises"), [place; 32]);
            let commit = digest(&[salt.as_slice(), exact.as_bytes()].concat());
            log.leaves.push(AuditLeaf::of(event, commit).to_bytes());
            disclosed.push(Disclosed { salt: URL_SAFE_NO_PAD.encode(salt), exact });
        };
        for (place, event) in (0u8..).zip(&events) {
            add(&mut log, place, event);
        }
        // The order names one entry: the list of one leaf has that leaf's hash as its root.
        let erased = Digest::from_bytes(leaf_hash(&log.leaves[2]).0).to_string();
        let basis = "Lei n.º 3/2017, <art. 63>".to_owned();
        let order = event(4, AuditAction::Erase, &[("legal_basis", basis), ("erased", erased)]);
        add(&mut log, 3, &order);
        let checkpoint = log.checkpoint(2, 1_795_000_000);
        let entry = |place: u64, event: &Disclosed| EvidenceEntry {
            index: BEGINS + place,
            role: if place == 3 { EntryRole::Order } else { EntryRole::Item },
            origin: ORIGIN.to_owned(),
            leaf: String::from_utf8(log.leaves[usize::try_from(place).expect("small")].clone())
                .expect("JSON"),
            event: (place != 2).then(|| event.clone()),
            erased_by: (place == 2).then_some(BEGINS + 3),
            erasure: (place == 2).then(|| ErasureProof { index: 0, size: 1, hashes: Vec::new() }),
            proof: Some(log.proof(place, &checkpoint)),
        };
        let entries =
            (0..).zip(&disclosed).map(|(place, event)| (BEGINS + place, entry(place, event))).collect();
        let id: MessageId = MESSAGE.parse().expect("an id");
        let files =
            MessageFiles { signed: [("tz".parse().expect("a country"), jws)].into(), receipts: [].into() };
        let mut contents = EvidenceContents {
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
                uncovered: None,
                counts: EvidenceCounts::default(),
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
        CheckedEvidence::complete(&mut contents, &log.policy()).expect("it holds");
        Self { log, contents }
    }

    pub(super) fn fault(&self) -> String {
        check(&self.contents, &self.log.policy()).expect_err("it does not hold").to_string()
    }

    /// The fault that is found though whoever bent the contents completed the manifest again.
    pub(super) fn fault_completed(&self) -> String {
        let mut contents = self.contents.clone();
        CheckedEvidence::complete(&mut contents, &self.log.policy())
            .expect_err("it does not hold")
            .to_string()
    }

    pub(super) fn entry(&mut self, place: u64) -> &mut EvidenceEntry {
        self.contents.entries.get_mut(&(BEGINS + place)).expect("an entry")
    }

    pub(super) fn bundle(&self) -> EvidenceBundle {
        let checked = check(&self.contents, &self.log.policy()).expect("it holds");
        let report = render(&self.contents, &checked).expect("renders");
        EvidenceBundle { contents: self.contents.clone(), report }
    }
}
