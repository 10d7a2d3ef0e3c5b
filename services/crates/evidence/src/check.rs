//! Checks whether a bundle proves its contents.

mod erasure;
mod messages;
mod query;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::digest;
use rovuma_schemas::{
    Timestamp,
    audit::{AuditEvent, AuditLeaf},
};
use rovuma_tlog::{Checkpoint, Hash, LogPolicy, ProofFile, Pruned, leaf_hash};

use crate::{
    Disclosed, EntryRole, ErasedEntry, ErasureProof, EvidenceContents, EvidenceCounts, EvidenceEntry, FORMAT,
    Manifest, PinnedHead, StatedDigests,
};
use erasure::{check_log_order, check_missing_event};
pub use messages::ReceiptFault;
use messages::check_messages;
use query::matches_query;

/// The contents of a bundle, all of which hold.
#[derive(Debug)]
pub struct CheckedEvidence {
    /// The heads against which entries are proved, by log.
    pub heads: BTreeMap<String, Checkpoint>,
    /// The notes of logs about entries that were taken out of them.
    pub pruned: Vec<Pruned>,
    /// The checked entries, by index.
    pub entries: BTreeMap<u64, CheckedEntry>,
    /// The index of each log's first entry.
    begins: BTreeMap<String, u64>,
    /// The digests that proven entries state.
    stated: StatedDigests,
    /// The indexes of the orders by which entries were erased.
    orders: BTreeSet<u64>,
}

/// How far the clock of the bundle's maker may be behind the clocks of services and witnesses: what gateways allow too.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// A checked entry.
#[derive(Debug)]
pub struct CheckedEntry {
    /// Why it is in the bundle.
    pub role: EntryRole,
    /// The log that it is in.
    pub origin: String,
    /// Its leaf. Proven to be in the log when `is_proven`.
    pub leaf: AuditLeaf,
    /// The event that the leaf commits to, if the bundle discloses it.
    pub event: Option<AuditEvent>,
    /// Index of the leaf in its log, from 0, if its inclusion proof was checked. The index by which the bundle files the entry
    /// is its maker's word; this one is proven.
    pub leaf_index: Option<u64>,
    /// Index of the order by which its event was erased.
    pub erased_by: Option<u64>,
    /// The proof that the order named this entry.
    erasure: Option<ErasureProof>,
    /// The hash of its leaf.
    leaf_hash: Hash,
}

impl CheckedEntry {
    /// Whether an inclusion proof of the leaf was checked.
    pub fn is_proven(&self) -> bool {
        self.leaf_index.is_some()
    }
}

/// The first fault found in a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceFault {
    /// The bundle has another format.
    #[error("a bundle of the format {got:?}: this build reads {FORMAT}")]
    Format {
        /// Its format.
        got: String,
    },
    /// An entry does not hold.
    #[error("entry {index}: {what}")]
    Entry {
        /// Index of the entry.
        index: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A note about entries that were taken out does not hold.
    #[error("pruned/{origin}: {what}")]
    Pruned {
        /// The log.
        origin: String,
        /// What is wrong.
        what: String,
    },
    /// No proven entry says that the message was sent or received, or that the receipt was accepted; or the receipt is not for it.
    #[error("messages/{id}/{file}: {what}")]
    Message {
        /// Id of the message.
        id: String,
        /// Which of the message's files.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// No entry is proven, or there is none.
    #[error("it has no entry with a proof: it proves nothing")]
    Nothing,
    /// The manifest and the files disagree.
    #[error("the manifest disagrees with the files: {what}")]
    Manifest {
        /// The part of the manifest that disagrees.
        what: &'static str,
    },
}

/// Checks everything that can be checked with the keys of `policy` alone: proofs, commitments, counts, and that each
/// message is one that an entry names. Signatures on messages are checked with trust lists, by the caller.
///
/// # Errors
/// The first [`EvidenceFault`].
pub fn check(contents: &EvidenceContents, policy: &LogPolicy) -> Result<CheckedEvidence, EvidenceFault> {
    let checked = check_entries(contents, policy)?;
    let disagrees = |what| EvidenceFault::Manifest { what };
    let manifest = &contents.manifest;
    if manifest.counts != EvidenceCounts::of(contents) {
        return Err(disagrees("counts"));
    }
    if manifest.heads != PinnedHead::all_of(&checked.heads) {
        return Err(disagrees("heads"));
    }
    if manifest.erased != ErasedEntry::all_of(contents) {
        return Err(disagrees("erased"));
    }
    check_claims(manifest, &checked)?;
    check_messages(contents, &checked)?;
    Ok(checked)
}

impl CheckedEvidence {
    /// Checks the entries of contents whose manifest is not complete yet, and completes the manifest.
    ///
    /// # Errors
    /// The first [`EvidenceFault`].
    pub fn complete(contents: &mut EvidenceContents, policy: &LogPolicy) -> Result<Self, EvidenceFault> {
        let checked = check_entries(contents, policy)?;
        contents.manifest.counts = EvidenceCounts::of(contents);
        contents.manifest.heads = PinnedHead::all_of(&checked.heads);
        contents.manifest.erased = ErasedEntry::all_of(contents);
        check_claims(&contents.manifest, &checked)?;
        check_messages(contents, &checked)?;
        Ok(checked)
    }
}

/// Checks the claims of the maker as far as the proven entries and their heads show them. Nobody signs a manifest: whatever
/// this does not contradict is still the maker's word.
fn check_claims(manifest: &Manifest, checked: &CheckedEvidence) -> Result<(), EvidenceFault> {
    let disagrees = |what| EvidenceFault::Manifest { what };
    let ends = checked.heads.iter().map(|(origin, head)| {
        checked.begins.get(origin).map_or(0, |begin| begin.saturating_add(head.head().size))
    });
    if ends.max().is_some_and(|end| end > manifest.end) || manifest.end > manifest.log_length {
        return Err(disagrees("end, log_length: a head here covers more entries"));
    }
    let proven = checked.entries.values().filter(|entry| entry.is_proven());
    let cosigned = checked.heads.values().flat_map(|head| head.cosigned());
    let times = cosigned.filter_map(|word| Timestamp::from_unix_s(word.unix_s));
    let newest = times.chain(proven.map(|entry| entry.leaf.time)).max();
    if newest.is_some_and(|newest| newest > manifest.made_at.plus(CLOCK_TOLERANCE)) {
        return Err(disagrees("made_at: an entry or a cosignature here is newer"));
    }
    for (index, entry) in checked.entries.iter().filter(|(_, entry)| entry.role == EntryRole::Item) {
        matches_query(&manifest.query, entry).map_err(|what| EvidenceFault::Entry { index: *index, what })?;
    }
    Ok(())
}

fn check_entries(contents: &EvidenceContents, policy: &LogPolicy) -> Result<CheckedEvidence, EvidenceFault> {
    if contents.manifest.format != FORMAT {
        return Err(EvidenceFault::Format { got: contents.manifest.format.clone() });
    }
    let mut checked = CheckedEvidence {
        heads: BTreeMap::new(),
        pruned: verify_pruned(contents, policy)?,
        entries: BTreeMap::new(),
        begins: BTreeMap::new(),
        stated: StatedDigests::default(),
        orders: contents.entries.values().filter_map(|entry| entry.erased_by).collect(),
    };
    for (index, entry) in &contents.entries {
        let fault = |what: String| EvidenceFault::Entry { index: *index, what };
        let proof = entry.proof.as_ref();
        let leaf_index = proof.map(|proof| check_proof(entry, proof, policy, &mut checked.heads));
        let leaf_index = leaf_index.transpose().map_err(fault)?;
        if let Some(leaf_index) = leaf_index {
            let begin = index
                .checked_sub(leaf_index)
                .ok_or_else(|| fault("its index is before its log".to_owned()))?;
            if *checked.begins.entry(entry.origin.clone()).or_insert(begin) != begin {
                return Err(fault("its index does not match its place in its log".to_owned()));
            }
        }
        let leaf =
            AuditLeaf::from_bytes(entry.leaf.as_bytes()).map_err(|unread| fault(unread.to_string()))?;
        let event = entry.event.as_ref().map(|event| event.event_of(&leaf)).transpose().map_err(fault)?;
        if leaf_index.is_some() {
            checked.stated.add(&leaf, event.as_ref());
        }
        let EvidenceEntry { role, erased_by, erasure, origin, .. } = entry.clone();
        let leaf_hash = leaf_hash(entry.leaf.as_bytes());
        let entry = CheckedEntry { role, origin, leaf, event, leaf_index, erased_by, erasure, leaf_hash };
        checked.entries.insert(*index, entry);
    }
    check_log_order(&checked)?;
    for (index, entry) in &checked.entries {
        check_missing_event(*index, entry, &checked)
            .map_err(|what| EvidenceFault::Entry { index: *index, what })?;
    }
    if checked.heads.is_empty() { Err(EvidenceFault::Nothing) } else { Ok(checked) }
}

/// Verifies the notes of logs about entries that were taken out of them.
fn verify_pruned(contents: &EvidenceContents, policy: &LogPolicy) -> Result<Vec<Pruned>, EvidenceFault> {
    let notes = contents.pruned.iter().map(|(origin, text)| {
        let fault = |what: String| EvidenceFault::Pruned { origin: origin.clone(), what };
        let note = Pruned::verify(text.as_bytes(), policy).map_err(|unread| fault(unread.to_string()))?;
        if note.origin == *origin { Ok(note) } else { Err(fault(format!("it is about {}", note.origin))) }
    });
    notes.collect()
}

/// Checks an entry's proof, keeps the head that it leads to, and returns the leaf's index in its log.
fn check_proof(
    entry: &EvidenceEntry,
    proof: &str,
    policy: &LogPolicy,
    heads: &mut BTreeMap<String, Checkpoint>,
) -> Result<u64, String> {
    let proof = ProofFile::read(proof).map_err(|unread| unread.to_string())?;
    if proof.unverified_extra != entry.leaf.as_bytes() {
        return Err("its proof is of another leaf".to_owned());
    }
    let known = heads.get(&entry.origin).is_some_and(|head| head.as_bytes() == proof.checkpoint.as_bytes());
    if !known {
        let head = policy.judge(proof.checkpoint).good().map_err(|fault| fault.to_string())?;
        if head.head().origin != entry.origin {
            return Err(format!("its proof is in {}, and not in {}", head.head().origin, entry.origin));
        }
        // Each log has one head: entries proved against two heads could be of two histories.
        if heads.insert(entry.origin.clone(), head).is_some() {
            return Err(format!("entries of {} are proved against different heads", entry.origin));
        }
    }
    let head = heads.get(&entry.origin).ok_or("no head")?.head();
    let included = head.includes(proof.index, leaf_hash(entry.leaf.as_bytes()), &proof.hashes);
    included.map_err(|unproved| format!("it is not in the log: {unproved}"))?;
    Ok(proof.index)
}

impl Disclosed {
    /// The event, if the leaf commits to it and agrees with it.
    ///
    /// # Errors
    /// A sentence that says what does not match.
    pub fn event_of(&self, leaf: &AuditLeaf) -> Result<AuditEvent, String> {
        let salt = URL_SAFE_NO_PAD.decode(&self.salt).map_err(|fault| format!("its salt: {fault}"))?;
        if leaf.commit != digest(&[salt.as_slice(), self.exact.as_bytes()].concat()) {
            return Err("the leaf commits to another event than this one".to_owned());
        }
        let event: AuditEvent = serde_json::from_str(&self.exact).map_err(|fault| fault.to_string())?;
        if leaf.agrees_with(&event) {
            Ok(event)
        } else {
            Err("the leaf disagrees with the event that it commits to".to_owned())
        }
    }
}
