//! What is in a bundle, as values.

use std::collections::BTreeMap;

use rovuma_schemas::{CountryCode, MessageId};
use serde::{Deserialize, Serialize};

use crate::Manifest;

/// Everything in a bundle but the report. Nothing of it is verified.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceContents {
    /// What it says of itself. `counts`, `heads`, `erased` and `files` are filled in when it is made.
    pub manifest: Manifest,
    /// The policy of whoever made it.
    pub policy: String,
    /// The entries by their place in the log.
    pub entries: BTreeMap<u64, EvidenceEntry>,
    /// The messages.
    pub messages: BTreeMap<MessageId, MessageFiles>,
    /// What logs say of entries that were taken out of them, by the log: signed notes ([`rovuma_tlog::Pruned`]).
    pub pruned: BTreeMap<String, String>,
    /// Signed trust lists.
    pub trust: BTreeMap<CountryCode, String>,
}

/// Why an entry is in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryRole {
    /// It was found.
    Item,
    /// It is the order by which one that was found was erased.
    Order,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceEntry {
    /// Its place among all entries of its country's log, from 0.
    pub index: u64,
    /// Why it is here.
    pub role: EntryRole,
    /// The log of its year, by the name in its checkpoints.
    pub origin: String,
    /// The leaf's exact text.
    pub leaf: String,
    /// What the leaf commits to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Disclosed>,
    /// The place of the order by which it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_by: Option<u64>,
    /// The proof that the leaf is in its log, in a file of its own.
    #[serde(skip)]
    pub proof: Option<String>,
}

/// An event, opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// The salt of the leaf's commitment, base64url.
    pub salt: String,
    /// The event's exact text.
    pub exact: String,
}

/// A message's signed bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFiles {
    /// By the country that it was signed for: a compact JWS.
    pub signed: BTreeMap<CountryCode, String>,
    /// By the receipt's id: a compact JWS.
    pub receipts: BTreeMap<MessageId, String>,
}
