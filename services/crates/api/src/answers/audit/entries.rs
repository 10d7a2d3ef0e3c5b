//! Entries of the log, alone and with their proofs; counts, saved searches, erasures, reconciliation.

use rovuma_schemas::{AgencyCode, Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// One entry of the log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// The entry's index in the log, from 0.
    pub index: u64,
    /// SHA-256 of the event's exact bytes, base64url.
    pub digest: String,
    /// The time when it was stored.
    #[schema(value_type = String, format = DateTime)]
    pub stored_at: Timestamp,
    /// The event's leaf in the log's Merkle tree, exactly as the tree hashes it: identifiers and codes, and `commit`, the SHA-256
    /// of the event's salt and its exact bytes.
    #[schema(value_type = Object)]
    pub leaf: Box<RawValue>,
    /// The event as its source wrote it: `source`, `epoch`, `sequence`, `previous`, `time`, `actor`, `agency`,
    /// `action`, `object`, `outcome`, `reason`, `details`. Absent once it was erased: the leaf stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub event: Option<Box<RawValue>>,
    /// The salt of the leaf's commitment, base64url; absent once the event was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// The index of the entry that records the order to erase the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased_by: Option<u64>,
    /// That order; only in the pages of a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure: Option<ErasureFacts>,
}

/// An order of erasure, as far as the caller may know it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErasureFacts {
    /// When it was given.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The agency whose protection officer gave it: `<cc>.node` for the whole country.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub agency: Option<AgencyCode>,
    /// The legal basis; absent when another agency gave the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
}

/// The number of entries of one group in a span of time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EntryCount {
    /// The beginning of the span.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The group's value; absent for entries without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The number of entries.
    pub count: u64,
}

/// A page of the log.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Page)]
pub struct EntryPage {
    /// The entries, in the order asked for.
    pub items: Vec<LogEntry>,
    /// The number of entries that the log had when the search began; later ones are not in its pages.
    pub end: u64,
    /// The `cursor` of the next request; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event with its exact bytes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ExactEntry {
    /// The entry.
    pub entry: LogEntry,
    /// The event's exact JSON text, as its source wrote it: its SHA-256 is `entry.digest`, and what the next event
    /// of its source names as `previous`. Absent once the event was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
}

/// The number of entries in each span.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// One for each span and value that has entries, the oldest span first.
    pub items: Vec<EntryCount>,
    /// The number of entries that the log had then; later ones are not counted.
    pub end: u64,
}

/// A line of the answer: one of its members is there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Line)]
pub enum EvidenceLine {
    /// The first line: what follows.
    Begin {
        /// The number of items that follow.
        count: u64,
        /// Only entries below this one: those that a head which both countries signed vouches for.
        end: u64,
        /// The number of entries that the log had.
        length: u64,
        /// The entries that match and that no such head vouches for yet; absent when there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uncovered: Option<UncoveredEntries>,
        /// The signed notes of logs about entries that were erased by the written policy.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pruned: Vec<String>,
    },
    /// An item found.
    Item(ProvenEntry),
    /// An order by which an item was erased, unless it is itself an item.
    Order(ProvenEntry),
    /// The last line: everything was handed out.
    Done {
        /// The number of items.
        items: u64,
        /// The number of orders.
        orders: u64,
    },
}

/// Entries that match a search, and that no head which both countries signed vouches for yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UncoveredEntries {
    /// Their number.
    pub count: u64,
    /// When the first of them was stored.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// The proof that an order of erasure named an entry: the member `erased` of the order's leaf is the root (RFC 6962) of the list
/// of the leaves whose events it erased.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErasureProof {
    /// The entry's index in that list, from 0.
    pub index: u64,
    /// The number of entries in that list.
    pub size: u64,
    /// The hashes from the leaf's sibling upwards, base64url.
    #[schema(value_type = Vec<String>)]
    pub hashes: Vec<Digest>,
}

/// An entry with its proof.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Proven)]
pub struct ProvenEntry {
    /// The entry. An order of somebody else's has no `event`: only what its leaf says.
    pub entry: LogEntry,
    /// The log that it is in, by the name in its checkpoints.
    pub origin: String,
    /// Of an erased entry: the proof that its order named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure: Option<ErasureProof>,
    /// The proof with the head that it leads to (C2SP tlog-proof). Absent where that log ended before a head with the entry
    /// in it was good by the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// The caller's own searches.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Queries)]
pub struct SavedSearches {
    /// By name.
    pub items: Vec<SavedSearch>,
}

/// A search under a name.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = QueryView)]
pub struct SavedSearch {
    /// Its name.
    pub name: String,
    /// The filters and the order, as `/v1/events` takes them.
    #[schema(value_type = Object)]
    pub filter: serde_json::Map<String, serde_json::Value>,
    /// The instant at which it was saved.
    #[schema(value_type = String, format = DateTime)]
    pub saved_at: Timestamp,
}

/// The result of an erasure.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Done)]
pub struct ErasureResult {
    /// Entries of which only the leaf is left now.
    pub entries: u64,
    /// Entries about the same that stay: for the protection officer of `<cc>.node` alone, for they are other agencies'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
}

/// The result of comparing the messages sent in a range of time with their receipts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reconciliation {
    /// Copies sent, one for each recipient.
    pub sent: u64,
    /// Copies whose recipient signed that it stored them, and named the entry in its own audit log.
    pub delivered: u64,
    /// Copies whose recipient signed that it rejected them, and named the entry in its own audit log.
    pub rejected: u64,
    /// Copies that were voided here and never left.
    pub voided: u64,
    /// Copies without a receipt that were sent less than a day ago.
    pub waiting: u64,
    /// Events that were erased, so that they could not be compared.
    pub erased: u64,
    /// The differences.
    pub differences: Vec<Difference>,
}

/// A difference between the messages sent and the receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// `unanswered`: sent a day ago or more, without a receipt. `not_sent`: a receipt for a message that was not sent to that
    /// recipient. `other_digest`: a receipt for other bytes than were sent. `place_twice`: the receipts of two copies name the
    /// same entry of the recipient's audit log.
    pub kind: String,
    /// The message.
    pub message: String,
    /// The recipient.
    pub recipient: String,
    /// The time when the copy was sent, or when the receipt came.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// The entry or the digest that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
