//! Logs of several years, signed and cosigned.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use rovuma_envelope::{Signer as _, SigningKey, digest};
use rovuma_schemas::{
    Epoch, MessageId, StoreId, Timestamp,
    audit::{AUDIT_VERSION, AuditAction, AuditEvent, AuditLeaf, AuditObject, AuditOutcome, FIRST_PREVIOUS},
};
use rovuma_tlog::{
    Checkpoint, Edge, HashList, Head, LogPolicy, NoteKey, PolicyVerdict, ProofFile, Tile, TileKind,
    UnverifiedCheckpoint, add_cosignature, cosign, leaf_hash, sign, write_entry,
};

/// The files that a server serves, by path.
pub(crate) type ServedFiles = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// The keys of a country's logs and of its two witnesses.
pub(crate) struct LogKeys {
    pub(crate) log: SigningKey,
    witnesses: [SigningKey; 2],
}

/// A year that is not over on any machine that runs this test.
pub(crate) const NEVER_OVER: i16 = 9000;

const WITNESSES: [&str; 2] = ["mz.audit", "tz.audit"];

pub(crate) fn origin(year: i16) -> String {
    format!("mz.audit/{year}")
}

impl LogKeys {
    pub(crate) fn new() -> Self {
        let key = || SigningKey::generate().expect("a key");
        Self { log: key(), witnesses: [key(), key()] }
    }

    pub(crate) fn policy(&self) -> String {
        let mut text = String::new();
        for year in (2024..=2029).chain([NEVER_OVER]) {
            text +=
                &format!("log {}\n", NoteKey::of_log(&origin(year), self.log.public_key()).expect("a key"));
        }
        for (name, key) in WITNESSES.iter().zip(&self.witnesses) {
            let key = NoteKey::of_cosigner(name, key.public_key()).expect("a key");
            text += &format!("witness {} {key}\n", &name[..2]);
        }
        text + "group countries all mz tz\nquorum countries\n"
    }

    fn sign(&self, head: &Head) -> Checkpoint {
        let policy: LogPolicy = self.policy().parse().expect("a policy");
        let mut note = UnverifiedCheckpoint::read(&sign(head, &self.log).expect("signed")).expect("reads");
        let now = u64::try_from(Timestamp::system_now().as_micros() / 1_000_000).expect("after 1970");
        for (name, key) in WITNESSES.iter().zip(&self.witnesses) {
            let (PolicyVerdict::Good(checkpoint) | PolicyVerdict::Unwitnessed { checkpoint, .. }) =
                policy.judge(note.clone())
            else {
                panic!("the log signed it");
            };
            let line = cosign(&checkpoint, name, key, now).expect("cosigned");
            let key = NoteKey::of_cosigner(name, key.public_key()).expect("a key");
            note = add_cosignature(&note, &line, &key).expect("added");
        }
        policy.judge(note).good().expect("good")
    }
}

fn leaf(sequence: u64, action: AuditAction, before: Option<&Checkpoint>) -> Vec<u8> {
    let at = "2026-11-27T10:00:00Z".parse().expect("RFC 3339");
    let mut event = AuditEvent {
        version: AUDIT_VERSION,
        id: MessageId::draw(at),
        source: "mz.audit".to_owned(),
        epoch: Epoch::from_slice(&[7; 16]).expect("16 bytes"),
        sequence,
        previous: FIRST_PREVIOUS,
        time: at,
        actor: "mz.audit".to_owned(),
        session: None,
        agency: None,
        action,
        object: Some(AuditObject::new("log", "mz.audit")),
        purpose: None,
        outcome: AuditOutcome::Success,
        reason: None,
        blind: Some(StoreId::draw()),
        details: BTreeMap::new(),
    };
    if let Some(before) = before {
        event.details.insert("digest".to_owned(), digest(before.signed_text()).to_string());
    }
    AuditLeaf::of(&event, digest(&[0])).to_bytes()
}

/// A log of a year with its signed head.
pub(crate) struct YearLog {
    pub(crate) year: i16,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) checkpoint: Checkpoint,
}

impl YearLog {
    /// A log of `count` leaves that follows `before`.
    pub(crate) fn new(keys: &LogKeys, year: i16, before: Option<&Checkpoint>, count: u64) -> Self {
        let mut leaves = vec![leaf(1, AuditAction::LogBegin, before)];
        leaves.extend((2..=count).map(|sequence| leaf(sequence, AuditAction::AuditRead, None)));
        Self::of(keys, year, leaves)
    }

    /// A log of these leaves.
    pub(crate) fn of(keys: &LogKeys, year: i16, leaves: Vec<Vec<u8>>) -> Self {
        let mut edge = Edge::default();
        for leaf in &leaves {
            edge.append(leaf_hash(leaf));
        }
        let head = Head { origin: origin(year), size: edge.size(), root: edge.root() };
        Self { year, leaves, checkpoint: keys.sign(&head) }
    }

    /// The proof of each leaf.
    pub(crate) fn proofs(&self) -> Vec<String> {
        let hashes: Vec<_> = self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let list = HashList::of(&hashes);
        let checkpoint = UnverifiedCheckpoint::read(self.checkpoint.as_bytes()).expect("reads");
        let proof = |(index, leaf): (u64, &Vec<u8>)| {
            let hashes = list.inclusion(index).expect("proved");
            let checkpoint = checkpoint.clone();
            ProofFile { unverified_extra: leaf.clone(), index, hashes, checkpoint }.to_string()
        };
        (0..).zip(&self.leaves).map(proof).collect()
    }

    /// The same log with more leaves.
    pub(crate) fn grown(self, keys: &LogKeys, more: u64) -> Self {
        let from = self.leaves.len() as u64;
        let more = (from + 1..=from + more).map(|sequence| leaf(sequence, AuditAction::AuditRead, None));
        Self::of(keys, self.year, self.leaves.into_iter().chain(more).collect())
    }

    pub(crate) fn put(&self, files: &ServedFiles) {
        let base = format!("/v1/logs/{}", origin(self.year));
        let mut files = files.lock().expect("not poisoned");
        files.extend(self.files().into_iter().map(|(path, bytes)| (format!("{base}/{path}"), bytes)));
    }

    /// Its files, by their paths below its folder.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let size = self.leaves.len() as u64;
        let mut files = BTreeMap::new();
        files.insert("checkpoint".to_owned(), self.checkpoint.as_bytes().to_vec());
        // The logs have fewer leaves than a tile holds.
        for tile in Tile::all_of(size) {
            let bytes = match tile.kind {
                TileKind::Hashes { .. } => self.leaves.iter().flat_map(|leaf| leaf_hash(leaf).0).collect(),
                TileKind::Entries => {
                    let mut bundle = Vec::new();
                    self.leaves.iter().for_each(|leaf| write_entry(&mut bundle, leaf).expect("short"));
                    bundle
                }
            };
            files.insert(tile.to_string(), bytes);
        }
        files
    }
}
