//! The contents of a bundle, as values.

use std::collections::BTreeMap;

use rovuma_schemas::{CountryCode, Digest, MessageId};
use serde::{Deserialize, Serialize};

use crate::Manifest;

/// Everything in a bundle but the report. Nothing in it is verified.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceContents {
    /// The manifest. `counts`, `heads`, `erased` and `files` are filled in when the bundle is made.
    pub manifest: Manifest,
    /// The policy that the bundle's maker used.
    pub policy: String,
    /// The entries, by index.
    pub entries: BTreeMap<u64, EvidenceEntry>,
    /// The messages, by id.
    pub messages: BTreeMap<MessageId, MessageFiles>,
    /// Signed notes about entries that were taken out of logs, by the log's name ([`rovuma_tlog::Pruned`]).
    pub pruned: BTreeMap<String, String>,
    /// Signed trust lists, by country.
    pub trust: BTreeMap<CountryCode, String>,
}

/// Why an entry is in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryRole {
    /// The search found it.
    Item,
    /// It is the order that erased the event of an entry that the search found.
    Order,
}

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceEntry {
    /// Its index among all entries of its country's logs, from 0.
    pub index: u64,
    /// Why it is in the bundle.
    pub role: EntryRole,
    /// The name of its year's log, as in the log's checkpoints.
    pub origin: String,
    /// The leaf's exact text.
    pub leaf: String,
    /// The event that the leaf commits to, with its salt. Absent when it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Disclosed>,
    /// Index of the order that erased the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_by: Option<u64>,
    /// The proof that the order named this entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<ErasureProof>,
    /// The proof that the leaf is in its log. It has a file of its own.
    #[serde(skip)]
    pub proof: Option<String>,
}

/// The proof that an order of erasure named an entry: the order's leaf commits to the list of the leaves whose events it
/// erased ([`rovuma_tlog::HashList`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasureProof {
    /// The entry's index in that list, from 0.
    pub index: u64,
    /// Number of entries in that list.
    pub size: u64,
    /// The hashes from the leaf's sibling upwards.
    pub hashes: Vec<Digest>,
}

/// An event, and the salt of the commitment to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// The salt of the leaf's commitment, base64url.
    pub salt: String,
    /// The event's exact text.
    pub exact: String,
}

/// A message's signed bytes and receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFiles {
    /// The message as signed for each country: a compact JWS.
    pub signed: BTreeMap<CountryCode, String>,
    /// The receipts, by the SHA-256 of each: compact JWSs.
    pub receipts: BTreeMap<Digest, String>,
}
