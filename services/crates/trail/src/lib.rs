//! Audit events at their source: each is written in the transaction that does what it records, chained to the event before
//! by digest, and kept until the audit service has acknowledged it with its signature.
//!
//! * [`Trail::record`] gives an event its position (source, epoch, sequence) and the digest of the event before it. The
//!   event's exact bytes are chained, kept and shipped.
//! * [`Shipper`] sends batches, signed and sealed, and sends them again until they are acknowledged: a broker's confirm
//!   does not mean that the audit service has them.
//! * [`Trail::oldest_unacknowledged`] says since when the audit service has been missing an event. Beyond a limit, a
//!   service refuses to do what it could not account for.
//!
//! Architecture invariant: an event is rolled back if and only if the act that it records is. Deliberately absent: any way
//! to change or remove an event other than a signed acknowledgement.

mod acknowledge;
mod backlog;
mod chain_end;
mod keys;
mod pending;
mod record;
mod ship;
#[cfg(test)]
mod tests;
mod trail;

pub use acknowledge::AckOutcome;
pub use keys::{KeysError, ShipperKeys};
pub use record::AuditRecord;
pub use ship::{AUDIT_BATCH_CONTENT_TYPE, BadAck, Shipper, ShipperSettings, verify_ack};
pub use trail::{MIGRATIONS, Trail};
