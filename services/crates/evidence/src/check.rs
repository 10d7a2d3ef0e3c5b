//! Checks whether a bundle proves its contents.

mod erasure;
mod messages;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_envelope::digest;
use rovuma_schemas::audit::{AuditEvent, AuditLeaf};
use rovuma_tlog::{Checkpoint, LogPolicy, ProofFile, Pruned, leaf_hash};

use crate::{
    Disclosed, EntryRole, ErasedEntry, EvidenceContents, EvidenceCounts, EvidenceEntry, FORMAT, PinnedHead,
};
use erasure::{check_log_order, check_missing_event};
use messages::check_messages;

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
    /// The indexes of the entries about each object, by the object's id.
    by_object: BTreeMap<String, Vec<u64>>,
}

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
    /// Whether an inclusion proof of the leaf was checked.
    pub is_proven: bool,
    /// Index of the order by which its event was erased.
    pub erased_by: Option<u64>,
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
    /// No proven entry names the message, or the receipt is not for it.
    #[error("messages/{id}/{file}: {what}")]
    Message {
        /// Id of the message.
        id: String,
        /// Which of the message's files.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// No entry is proven.
    #[error("none of its entries has a proof: it proves nothing")]
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
        check_messages(contents, &checked)?;
        Ok(checked)
    }
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
        by_object: BTreeMap::new(),
    };
    for (index, entry) in &contents.entries {
        let fault = |what: String| EvidenceFault::Entry { index: *index, what };
        if let Some(proof) = &entry.proof {
            let leaf_index = check_proof(entry, proof, policy, &mut checked.heads).map_err(fault)?;
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
        let is_proven = entry.proof.is_some();
        if let Some(object) = &leaf.object {
            checked.by_object.entry(object.id.clone()).or_default().push(*index);
        }
        let EvidenceEntry { role, erased_by, origin, .. } = entry.clone();
        checked.entries.insert(*index, CheckedEntry { role, origin, leaf, event, is_proven, erased_by });
    }
    check_log_order(&checked)?;
    for (index, entry) in &checked.entries {
        check_missing_event(*index, entry, &checked)
            .map_err(|what| EvidenceFault::Entry { index: *index, what })?;
    }
    if !contents.entries.is_empty() && checked.heads.is_empty() {
        Err(EvidenceFault::Nothing)
    } else {
        Ok(checked)
    }
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
