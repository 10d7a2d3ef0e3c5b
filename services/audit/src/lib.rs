//! The audit log of one country.
//!
//! Each service writes an audit event in the transaction of the act itself, and keeps it until this service's signed
//! acknowledgement. `intake/` takes a sealed batch top to bottom: it opens the batch, verifies its signature by the
//! configured sources' keys, checks that it continues the stored chain (`chain.rs`, pure), stores it in one transaction with
//! the search columns, the hashes of a Merkle tree and its signed head, and only then acknowledges it. `publish/` publishes
//! checkpoints and tiles, and `witness/` has them cosigned across the border. Auditors search through `http/`, and every
//! search is recorded in the same log.
//!
//! Architecture invariant: entries are only appended (a trigger of the database refuses anything else), in
//! one order, numbered from 0 without gaps. An event that does not continue its source's chain is never stored as an
//! entry: it raises an alarm, and its batch waits at the source or is kept as evidence.

mod alarm;
mod audit;
mod auditor;
mod checkpoint_tasks;
mod config;
#[cfg(test)]
mod crashes;
mod error;
mod failure;
mod http;
mod intake;
mod log;
mod own;
mod publish;
mod standalone;
#[cfg(test)]
mod testing;
mod witness;

pub use audit::Audit;
pub use config::{AuditConfig, KeysConfig, ProducerConfig, PublishConfig, WitnessConfig};
pub use http::openapi;
pub use standalone::Standalone;
