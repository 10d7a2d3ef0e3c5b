//! Evidence bundles: audit log entries about one subject, with everything needed to prove them without a server.
//!
//! A bundle is a ZIP file:
//!
//! | file | what it is |
//! |---|---|
//! | `manifest.json` | the [`Manifest`]: requester, query, time, heads, counts, and the SHA-256 of every other file |
//! | `report.html` | the bundle for people, in Portuguese, Swahili or English |
//! | `policy` | the logs and the cosignatures that they need, as the bundle's maker has it |
//! | `entries/000000000123.json` | an [`EvidenceEntry`]: its leaf, and its event with the salt of the leaf's commitment unless it was erased |
//! | `entries/000000000123.tlog-proof` | the proof that the leaf is in its log, with the cosigned head (C2SP tlog-proof) |
//! | `pruned/<log>` | a log's signed note about entries that it took out by a written policy |
//! | `messages/<id>/<country>.jws` | a message as signed for a country (RFC 7515, compact) |
//! | `messages/<id>/receipts/<SHA-256>.jws` | a receipt that a recipient signed for it |
//! | `trust/<country>.json` | the trust list in force, as its authority signed it |
//!
//! The maker of a bundle collects [`EvidenceContents`], completes and checks them with [`CheckedEvidence::complete`],
//! and packs them with the report. A verifier unpacks the bundle and checks it with [`check()`] against a policy that it
//! got another way: nothing in a bundle vouches for itself.

mod check;
mod contents;
mod manifest;
mod pack;
mod report;
mod stated;
#[cfg(test)]
mod tests;

pub use check::{CheckedEntry, CheckedEvidence, EvidenceFault, ReceiptFault, check};
pub use contents::{Disclosed, EntryRole, ErasureProof, EvidenceContents, EvidenceEntry, MessageFiles};
pub use manifest::{
    ErasedEntry, EvidenceCounts, FORMAT, LeftOut, Manifest, PinnedHead, ReceiptName, Requester,
    UncoveredEntries, Withheld,
};
pub use pack::{BUNDLE_MAX_BYTES, ENTRIES_MAX, EvidenceBundle, EvidencePackFault};
pub use report::render;
pub use stated::StatedDigests;
