//! Evidence bundles: what the audit log has about something, with everything that it takes to prove it without any server.
//!
//! A bundle is a ZIP file:
//!
//! | file | what it is |
//! |---|---|
//! | `manifest.json` | the [`Manifest`]: who asked for what and when, which heads, how many, the SHA-256 of every other file |
//! | `report.html` | the same for people, in Portuguese, Swahili or English |
//! | `policy` | which logs there are and whose cosignatures they need, as whoever made the bundle has it |
//! | `entries/000000000123.json` | an [`EvidenceEntry`]: its leaf, and its event with the salt of the leaf's commitment unless it was erased |
//! | `entries/000000000123.tlog-proof` | the proof that the leaf is in its log, with the cosigned head (C2SP tlog-proof) |
//! | `pruned/<log>` | what a log says of entries that were taken out of it by the written policy: a signed note |
//! | `messages/<id>/<country>.jws` | a message as it was signed for a country (RFC 7515, compact) |
//! | `messages/<id>/receipts/<receipt>.jws` | a receipt that a recipient signed for it |
//! | `trust/<country>.json` | the trust list in force, as its authority signed it |
//!
//! Whoever makes one collects [`EvidenceContents`], [`check`]s them, and packs them with the report. Whoever verifies one unpacks it
//! and checks it against a policy that came another way: nothing in a bundle vouches for itself.

mod check;
mod contents;
mod manifest;
mod pack;
mod report;
#[cfg(test)]
mod tests;

pub use check::{CheckedEntry, CheckedEvidence, EvidenceFault, check};
pub use contents::{Disclosed, EntryRole, EvidenceContents, EvidenceEntry, MessageFiles};
pub use manifest::{ErasedEntry, EvidenceCounts, FORMAT, LeftOut, Manifest, PinnedHead, Requester};
pub use pack::{BUNDLE_MAX_BYTES, ENTRIES_MAX, EvidenceBundle, EvidencePackFault};
pub use report::render;
