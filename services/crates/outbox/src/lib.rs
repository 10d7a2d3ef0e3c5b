//! The transactional outbox: what is to leave is written in the transaction that decides it, and a
//! relay brings it to the broker afterwards, as often as it takes.
//!
//! A *copy* is one message for one recipient. Its states:
//!
//! ```text
//!   waiting ──confirmed by the broker──▶ queued ──signed receipt──▶ delivered (then read) │ rejected
//!      └──expires before it ever left──▶ void      ▲────────┘ asked for again by a recipient that lost it
//! ```
//!
//! A copy that no bundle holds or whose stored bytes are damaged becomes void whether or not it has left, and so
//! does one that its owner takes back because the key that signed it was compromised.
//!
//! Copies of numbered messages have a place in a stream (sender, stream id, recipient, lane) and are
//! kept, bytes included, after they are settled. Receipts, stream and link messages have no number, are
//! never answered and are gone once the broker has them.
//!
//! Architecture invariant: signed bytes are stored once and leave as they are, however often; they wait
//! unsealed, so that a new sealing key strands nothing. What is deliberately absent: any knowledge of what
//! a message says, and any belief in the broker beyond its confirm: only receipts settle.

mod enqueue;
mod heads;
mod model;
mod numbers;
mod outbox;
mod partner;
mod relay;
mod resend;
mod settings;
mod settle;
mod stats;
mod take_back;
#[cfg(test)]
mod tests;
mod trace;
mod wake;

pub use heads::VOIDED_NUMBERS_MAX;
pub use model::{CopyState, OutgoingCopy, OutgoingMessage, StreamPosition};
pub use outbox::{MIGRATIONS, Outbox};
pub use relay::{BUNDLE_CONTENT_TYPE, MovedCopy, Relay, RelayHost};
pub use resend::{RESEND_MAX, Resent};
pub use settings::OutboxSettings;
pub use settle::{DeliveryReceipt, ReceiptEntry, SettleOutcome, Settlement};
pub use stats::LaneStats;
pub use take_back::Unreceipted;
pub use trace::CopyTrace;
