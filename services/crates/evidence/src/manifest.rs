//! What a bundle says of itself.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, Digest, Locale, MessageId, Timestamp};
use rovuma_tlog::Checkpoint;
use serde::{Deserialize, Serialize};

use crate::{EntryRole, EvidenceContents, EvidenceEntry};

/// The format that this build writes and reads.
pub const FORMAT: &str = "rovuma-evidence/1";

/// What a bundle says of itself. Nobody has signed it: what it pins is proven by the files, or it is the word of whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The version of the tool that made it.
    pub made_with: String,
    /// The language of the report.
    pub language: Locale,
    /// Who asked.
    pub requester: Requester,
    /// Why messages were opened, as the requester stated it; without a reason none were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was asked for: filters of the audit log by name.
    pub query: BTreeMap<String, String>,
    /// How many entries the log had.
    pub log_length: u64,
    /// Only entries below this one were looked at: later ones no head vouched for yet.
    pub end: u64,
    /// How many entries there are.
    pub counts: EvidenceCounts,
    /// The head of each log that entries are proved against.
    pub heads: Vec<PinnedHead>,
    /// Entries whose event was erased.
    pub erased: Vec<ErasedEntry>,
    /// Messages that are not in the bundle.
    pub left_out: Vec<LeftOut>,
    /// The SHA-256 of every other file.
    pub files: BTreeMap<String, Digest>,
}

/// Who asked for a bundle, by their access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// The subject.
    pub subject: String,
    /// The agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyCode>,
}

/// How many entries a bundle has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceCounts {
    /// Entries that were found.
    pub items: u64,
    /// Orders by which some of them were erased, where not found themselves.
    pub orders: u64,
    /// Entries whose event is there.
    pub disclosed: u64,
    /// Found entries whose event was erased.
    pub erased: u64,
    /// Entries without a proof: their log ended before a head with them in it was good.
    pub unproven: u64,
    /// Messages.
    pub messages: u64,
    /// Receipts.
    pub receipts: u64,
}

/// A head that entries are proved against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedHead {
    /// The log.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// Its root hash, base64.
    pub root: String,
}

/// An entry whose event was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedEntry {
    /// Its place.
    pub index: u64,
    /// The place of the order.
    pub order: u64,
}

/// A message that is not in the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Which.
    pub id: MessageId,
    /// Why: a code of the gateway; `no_reason` where the requester stated none; `not_named` where no entry of the bundle has its
    /// SHA-256, for what named it was erased or is not proven yet.
    pub why: String,
}

impl EvidenceCounts {
    /// What contents hold.
    pub(crate) fn of(contents: &EvidenceContents) -> Self {
        let count =
            |which: &dyn Fn(&&EvidenceEntry) -> bool| contents.entries.values().filter(which).count() as u64;
        let is_item = |entry: &&EvidenceEntry| entry.role == EntryRole::Item;
        Self {
            items: count(&is_item),
            orders: count(&|entry| !is_item(entry)),
            disclosed: count(&|entry| entry.event.is_some()),
            erased: count(&|entry| is_item(entry) && entry.erased_by.is_some()),
            unproven: count(&|entry| entry.proof.is_none()),
            messages: contents.messages.len() as u64,
            receipts: contents.messages.values().map(|files| files.receipts.len() as u64).sum(),
        }
    }
}

impl PinnedHead {
    pub(crate) fn all_of(heads: &BTreeMap<String, Checkpoint>) -> Vec<Self> {
        let pinned = |checkpoint: &Checkpoint| {
            let head = checkpoint.head();
            Self { origin: head.origin.clone(), size: head.size, root: head.root.to_string() }
        };
        heads.values().map(pinned).collect()
    }
}

impl ErasedEntry {
    pub(crate) fn all_of(contents: &EvidenceContents) -> Vec<Self> {
        let erased = |entry: &EvidenceEntry| Some(Self { index: entry.index, order: entry.erased_by? });
        contents.entries.values().filter_map(erased).collect()
    }
}
