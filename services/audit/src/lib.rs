//! The audit log of one country.
//!
//! Services write audit events in the transaction that does the thing and keep them until this service's
//! signed acknowledgement. Here a sealed batch is followed top to bottom through `intake/`: opened, its
//! signature checked against the configured sources, its chain checked against what is stored (`chain.rs`,
//! pure), stored in one transaction with the search index, the hashes of a Merkle tree and its signed head, and only
//! then acknowledged. Heads are made known and published with their tiles through `publish/`, cosigned across the
//! border through `witness/`. Auditors ask through `http/`, and what they ask is written to the same log.
//!
//! Architecture invariant: entries are only appended (a trigger of the database refuses anything else), in
//! one order, numbered from 0 without gaps. What does not continue a source's chain is never stored in its
//! place: it raises an alarm and waits, or is kept as evidence.

mod alarm;
mod audit;
mod auditor;
mod config;
#[cfg(test)]
mod crashes;
mod error;
mod failure;
mod heads;
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
pub use config::{
    AuditConfig, KeysConfig, PolicyConfig, ProducerConfig, PublishConfig, TokensConfig, WitnessConfig,
};
pub use http::openapi;
pub use standalone::Standalone;
