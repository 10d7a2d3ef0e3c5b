//! The gateway: the service through which agencies exchange messages.
//!
//! The modules in layers, from the ground up. Each may import those above it in this list. `tests/rules/layers.rs` enforces that
//! none but `http` names HTTP, and that `exchange`, `messages`, `drafts`, `cases` and `retention` name no family:
//!
//! - `base`, `events`, `alarm`, `audit`, `cases`: the store, and the records that every part writes to it. `cases::fold` computes
//!   the state of a case by the rules that a family gives it; it is pure.
//! - `families`: the rules that differ by family, such as the states of an alert.
//! - `exchange`: sends and receives messages; verifies, numbers and receipts them. It knows classes of messages, and no family.
//! - `messages`: sent and received messages as an agency sees them.
//! - `drafts`: the drafts of every family, and their release.
//! - `retention`: erases the content of cases at the end of their retention.
//! - `screening`: the alerts in force as a watchlist compares them.
//! - `http`: the API, one file a resource. Only this layer makes HTTP answers from faults.
//!
//! Architecture invariant: the agency on which a request acts comes from its token and the store, never from the request. A
//! function that changes something takes the policy's [`rovuma_policy::Permit`] for exactly that act, and writes its audit event
//! in the same transaction.

mod alarm;
mod audit;
mod base;
mod cases;
mod config;
mod directory;
mod drafts;
mod error;
mod events;
mod exchange;
mod families;
mod figures;
mod gateway;
mod http;
mod messages;
mod reminders;
mod retention;
mod row_key;
mod screening;
mod service;
mod standalone;
#[cfg(test)]
mod tests;

pub use config::{
    AgencyConfig, AuditConfig, GatewayConfig, RetentionConfig, Timings, TrustConfig, TrustListConfig,
    ValidationConfig,
};
pub use exchange::agencies::AgenciesFault;
pub use http::openapi;
pub use service::GatewayService;
pub use standalone::Standalone;
