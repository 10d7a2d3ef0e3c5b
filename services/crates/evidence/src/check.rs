//! Whether a bundle proves what it says.

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
use erasure::{follow_each_other, is_accounted_for};
use messages::messages;

/// What was found out about a bundle: everything in it holds.
#[derive(Debug)]
pub struct CheckedEvidence {
    /// The heads that entries are proved against, by their log.
    pub heads: BTreeMap<String, Checkpoint>,
    /// What logs say of entries that were taken out of them.
    pub pruned: Vec<Pruned>,
    /// What each entry says, by its place; the event where it is disclosed.
    pub entries: BTreeMap<u64, CheckedEntry>,
    /// The place of each log's first entry.
    begins: BTreeMap<String, u64>,
    /// The places of the entries about each object.
    by_object: BTreeMap<String, Vec<u64>>,
}

/// What an entry says.
#[derive(Debug)]
pub struct CheckedEntry {
    /// Why it is in the bundle.
    pub role: EntryRole,
    /// The log that it is in.
    pub origin: String,
    /// Its leaf. In the log where there is a proof.
    pub leaf: AuditLeaf,
    /// The event that the leaf commits to.
    pub event: Option<AuditEvent>,
    /// Whether its place in a log was proven.
    pub is_proven: bool,
    /// The order by which it was erased.
    pub erased_by: Option<u64>,
}

/// The first thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceFault {
    /// A bundle of another format.
    #[error("a bundle of the format {got:?}: this build reads {FORMAT}")]
    Format {
        /// Its format.
        got: String,
    },
    /// Something about an entry.
    #[error("entry {index}: {what}")]
    Entry {
        /// Which.
        index: u64,
        /// What.
        what: String,
    },
    /// A note about entries that were taken out.
    #[error("pruned/{origin}: {what}")]
    Pruned {
        /// The log.
        origin: String,
        /// What is wrong.
        what: String,
    },
    /// A message that no proven entry names, or a receipt that is not one for it.
    #[error("messages/{id}/{file}: {what}")]
    Message {
        /// Which.
        id: String,
        /// Which of its files.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// Nothing in it is proven.
    #[error("none of its entries has a proof: it proves nothing")]
    Nothing,
    /// The manifest says something else than the files.
    #[error("the manifest says something else than the files: {what}")]
    Manifest {
        /// About what.
        what: &'static str,
    },
}

/// Checks everything that can be checked with the keys of `policy` alone: proofs, commitments, counts, and that messages are
/// those of which entries speak. Whose signatures messages carry is checked with trust lists.
///
/// # Errors
/// The first [`EvidenceFault`].
pub fn check(contents: &EvidenceContents, policy: &LogPolicy) -> Result<CheckedEvidence, EvidenceFault> {
    let checked = entries(contents, policy)?;
    let says = |what| EvidenceFault::Manifest { what };
    let manifest = &contents.manifest;
    if manifest.counts != EvidenceCounts::of(contents) {
        return Err(says("counts"));
    }
    if manifest.heads != PinnedHead::all_of(&checked.heads) {
        return Err(says("heads"));
    }
    if manifest.erased != ErasedEntry::all_of(contents) {
        return Err(says("what was erased"));
    }
    messages(contents, &checked)?;
    Ok(checked)
}

impl CheckedEvidence {
    /// Checks the entries of contents of which the manifest is not complete yet, and completes it.
    ///
    /// # Errors
    /// The first [`EvidenceFault`].
    pub fn complete(contents: &mut EvidenceContents, policy: &LogPolicy) -> Result<Self, EvidenceFault> {
        let checked = entries(contents, policy)?;
        contents.manifest.counts = EvidenceCounts::of(contents);
        contents.manifest.heads = PinnedHead::all_of(&checked.heads);
        contents.manifest.erased = ErasedEntry::all_of(contents);
        messages(contents, &checked)?;
        Ok(checked)
    }
}

fn entries(contents: &EvidenceContents, policy: &LogPolicy) -> Result<CheckedEvidence, EvidenceFault> {
    if contents.manifest.format != FORMAT {
        return Err(EvidenceFault::Format { got: contents.manifest.format.clone() });
    }
    let mut checked = CheckedEvidence {
        heads: BTreeMap::new(),
        pruned: pruned(contents, policy)?,
        entries: BTreeMap::new(),
        begins: BTreeMap::new(),
        by_object: BTreeMap::new(),
    };
    for (index, entry) in &contents.entries {
        let fault = |what: String| EvidenceFault::Entry { index: *index, what };
        if let Some(proof) = &entry.proof {
            let leaf_index = proven(entry, proof, policy, &mut checked.heads).map_err(fault)?;
            let begin =
                index.checked_sub(leaf_index).ok_or_else(|| fault("it stands before its log".to_owned()))?;
            if *checked.begins.entry(entry.origin.clone()).or_insert(begin) != begin {
                return Err(fault("it stands elsewhere in its log".to_owned()));
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
    follow_each_other(&checked)?;
    for (index, entry) in &checked.entries {
        is_accounted_for(*index, entry, &checked)
            .map_err(|what| EvidenceFault::Entry { index: *index, what })?;
    }
    if !contents.entries.is_empty() && checked.heads.is_empty() {
        Err(EvidenceFault::Nothing)
    } else {
        Ok(checked)
    }
}

/// What logs say of entries that were taken out of them.
fn pruned(contents: &EvidenceContents, policy: &LogPolicy) -> Result<Vec<Pruned>, EvidenceFault> {
    let said = contents.pruned.iter().map(|(origin, note)| {
        let fault = |what: String| EvidenceFault::Pruned { origin: origin.clone(), what };
        let said = Pruned::verify(note.as_bytes(), policy).map_err(|unread| fault(unread.to_string()))?;
        if said.origin == *origin { Ok(said) } else { Err(fault(format!("it is about {}", said.origin))) }
    });
    said.collect()
}

/// Checks a proof; the leaf's place in its log.
fn proven(
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
        // One head for each log: what is proved against two could be of two histories.
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
    /// The event, if the leaf commits to it and says what it says.
    ///
    /// # Errors
    /// In words, when it does not.
    pub fn event_of(&self, leaf: &AuditLeaf) -> Result<AuditEvent, String> {
        let salt = URL_SAFE_NO_PAD.decode(&self.salt).map_err(|fault| format!("its salt: {fault}"))?;
        if leaf.commit != digest(&[salt.as_slice(), self.exact.as_bytes()].concat()) {
            return Err("the leaf commits to another event than this one".to_owned());
        }
        let event: AuditEvent = serde_json::from_str(&self.exact).map_err(|fault| fault.to_string())?;
        if leaf.says(&event) {
            Ok(event)
        } else {
            Err("the leaf says something else than the event that it commits to".to_owned())
        }
    }
}
