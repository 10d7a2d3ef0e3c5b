//! The transactional outbox: a message is written into it in the transaction that decides to send it, and a relay
//! publishes it to the broker afterwards, again and again until it is answered.
//!
//! A *copy* is one message on its way to one recipient. Its states:
//!
//! ```text
//!   waiting ──confirmed by the broker──▶ queued ──signed receipt──▶ delivered (then read) │ rejected
//!      └──expires before it ever left──▶ void
//! ```
//!
//! The first of *delivered* and *rejected* stands. A recipient that lost a settled copy may request it: the copy leaves again
//! and keeps its state. A receipt that contradicts the one that stands changes nothing.
//!
//! A copy that is too large for any bundle, or whose stored bytes are damaged, becomes void whether or not it has left.
//! So does a copy that the gateway takes back because the key that signed it was compromised.
//!
//! Copies of numbered messages have a position in a stream (sender, stream id, recipient, lane). They are kept, bytes
//! included, after they are settled. Receipts, stream and link messages have no number: nothing answers them, and they
//! are deleted once the broker has them.
//!
//! Architecture invariant: signed bytes are stored once, and leave unchanged however often they leave. They wait
//! unsealed, so that no message is lost to a new sealing key. Deliberately absent: any knowledge of what a message
//! says, and any belief in the broker beyond its confirm. Only receipts settle a copy.

mod enqueue;
mod marks;
mod model;
mod numbers;
mod outbox;
mod partner;
mod relay;
mod resend;
mod settings;
mod settle;
mod stats;
mod stream_ends;
mod take_back;
#[cfg(test)]
mod tests;
mod trace;

pub use model::{CopyState, OutgoingCopy, OutgoingMessage, StreamPosition};
pub use outbox::{MIGRATIONS, Outbox};
pub use relay::{BUNDLE_CONTENT_TYPE, MovedCopy, Publisher, Relay, RelayHost};
pub use resend::{RESEND_SETTLED_MAX, ResendOutcome};
pub use settings::OutboxSettings;
pub use settle::{DeliveryReceipt, ReceiptEntry, SettleOutcome, Settlement};
pub use stats::LaneStats;
pub use take_back::Unreceipted;
pub use trace::CopyTrace;
