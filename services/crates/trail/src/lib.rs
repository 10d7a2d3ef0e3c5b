//! Audit events at their source: written in the transaction that does the thing, chained by digest, and
//! kept until the audit service has acknowledged them with its signature.
//!
//! * [`Trail::record`] gives an event its place, (source, epoch, sequence), and the digest of the event
//!   before it; its exact bytes are what is chained, kept and shipped.
//! * [`Shipper`] sends batches, signed and sealed, and sends them again until they are acknowledged: a
//!   broker's confirm is not durability.
//! * [`Trail::oldest_unacknowledged`] says how long the audit service has been missing something: beyond
//!   a limit a service stops doing what must not go unseen.
//!
//! Architecture invariant: an event is taken back if and only if what it tells of is. What is deliberately
//! absent: any way to change or remove an event but by a signed acknowledgement.

mod acknowledge;
mod act;
mod backlog;
mod head;
mod keys;
mod pending;
mod ship;
#[cfg(test)]
mod tests;
mod trail;

pub use acknowledge::AckOutcome;
pub use act::AuditRecord;
pub use keys::{KeysError, ShipperKeys};
pub use ship::{AUDIT_BATCH_CONTENT_TYPE, BadAck, Shipper, ShipperSettings, verify_ack};
pub use trail::{MIGRATIONS, Trail};
