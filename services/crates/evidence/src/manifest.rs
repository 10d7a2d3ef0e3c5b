//! The manifest of a bundle.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, Digest, HandlingCode, Locale, MessageId, Timestamp};
use rovuma_tlog::Checkpoint;
use serde::{Deserialize, Serialize};

use crate::{EntryRole, EvidenceContents, EvidenceEntry};

/// The format that this build writes and reads.
pub const FORMAT: &str = "rovuma-evidence/1";

/// The description of a bundle. Nobody signs it: the files prove its heads, digests and counts. A check refuses what they
/// contradict (a search that an entry does not match, a time of making before an entry's); the rest is its maker's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format: [`FORMAT`].
    pub format: String,
    /// When the bundle was made.
    pub made_at: Timestamp,
    /// The version of the tool that made it.
    pub made_with: String,
    /// The language of the report.
    pub language: Locale,
    /// Who asked for the bundle.
    pub requester: Requester,
    /// The requester's reason for opening messages. Without a reason none was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The query: filters of the audit log by name.
    pub query: BTreeMap<String, String>,
    /// Number of entries in the log at that time.
    pub log_length: u64,
    /// The search covered entries below this index: no good head covered later ones yet.
    pub end: u64,
    /// The entries that match the search and that no good head covered yet, when there are any: they are not in the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncovered: Option<UncoveredEntries>,
    /// Number of entries, messages and receipts in the bundle.
    pub counts: EvidenceCounts,
    /// The head of each log, against which its entries are proved.
    pub heads: Vec<PinnedHead>,
    /// The entries whose event was erased.
    pub erased: Vec<ErasedEntry>,
    /// The messages and receipts that are not in the bundle.
    pub left_out: Vec<LeftOut>,
    /// The SHA-256 of every other file.
    pub files: BTreeMap<String, Digest>,
}

/// Entries that match the search, but that no good head covered when the bundle was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UncoveredEntries {
    /// Their number.
    pub count: u64,
    /// When the first of them was stored in the log.
    pub since: Timestamp,
}

/// The requester of a bundle, by the access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requester {
    /// Subject of the token.
    pub subject: String,
    /// Agency of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyCode>,
}

/// The numbers of things in a bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceCounts {
    /// Entries that the search found.
    pub items: u64,
    /// Orders that erased events of these entries and were not found themselves.
    pub orders: u64,
    /// Entries with a proof whose event is disclosed.
    pub disclosed: u64,
    /// Found entries whose event was erased.
    pub erased: u64,
    /// Entries without a proof: their log ended before a good head covered them.
    pub unproven: u64,
    /// Messages.
    pub messages: u64,
    /// Receipts.
    pub receipts: u64,
}

/// A head against which entries are proved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedHead {
    /// The log's name.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Its root hash, base64.
    pub root: String,
}

/// An entry whose event was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedEntry {
    /// Index of the entry.
    pub index: u64,
    /// Index of the order that erased it.
    pub order: u64,
}

/// A message, or one receipt for a message, that is not in the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Id of the message.
    pub id: MessageId,
    /// The receipt, when the message itself is in the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptName>,
    /// Why it is missing. Of a message: a code of the gateway; `no_reason` when the requester stated none; `not_named` when
    /// no entry of the bundle has its SHA-256, because that entry was erased or is not proven yet. Of a receipt: a code of
    /// [`ReceiptFault`](crate::ReceiptFault).
    pub why: String,
    /// What is known of a message whose content the gateway does not hand on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
}

impl LeftOut {
    /// A message that is not in the bundle for this reason.
    pub fn message(id: MessageId, why: impl Into<String>) -> Self {
        Self { id, receipt: None, why: why.into(), withheld: None }
    }

    /// A receipt for this message that is not in the bundle for this reason.
    pub fn receipt(id: MessageId, receipt: ReceiptName, why: impl Into<String>) -> Self {
        Self { id, receipt: Some(receipt), why: why.into(), withheld: None }
    }
}

/// A message whose sender's handling code keeps its content from being handed on. An entry of the bundle names its SHA-256; the sender
/// and the code are the bundle's maker's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// The agency that sent it, whose leave is needed.
    pub sender: AgencyCode,
    /// The handling code.
    pub handling: HandlingCode,
    /// The SHA-256 of the compact JWS.
    pub digest: Digest,
}

/// A receipt, as the gateway that holds it names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptName {
    /// Its message id.
    pub id: MessageId,
    /// The agency that signed it.
    pub signer: AgencyCode,
    /// The SHA-256 of the compact JWS.
    pub digest: Digest,
}

impl EvidenceCounts {
    /// Counts what the contents hold.
    pub(crate) fn of(contents: &EvidenceContents) -> Self {
        let count =
            |which: &dyn Fn(&&EvidenceEntry) -> bool| contents.entries.values().filter(which).count() as u64;
        let is_item = |entry: &&EvidenceEntry| entry.role == EntryRole::Item;
        Self {
            items: count(&is_item),
            orders: count(&|entry| !is_item(entry)),
            disclosed: count(&|entry| entry.event.is_some() && entry.proof.is_some()),
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
