//! The gateway: the agencies' door to the exchange.
//!
//! From the ground up; each may import those above it in this list, and none imports `http`:
//!
//! - `base`, `events`, `alarm`, `audit`, `cases`: the store, and what every part records in it.
//! - `families`: what is particular to one family of messages, such as the states of an alert.
//! - `exchange`: sending and receiving; verified, numbered, receipted. It knows classes of messages, and no family.
//! - `messages`: what has been sent and received, as an agency sees it.
//! - `drafts`: what an agency writes, of whatever family, and its release.
//! - `http`: the API, one file a resource. Alone it turns faults into answers.
//!
//! Architecture invariant: what a request may touch comes from its token and the store, never from the
//! request; what changes something takes the policy's [`rovuma_policy::Permit`] for exactly that act, and
//! writes its audit event in the same transaction.

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
mod gateway;
mod http;
mod messages;
mod service;
mod standalone;
#[cfg(test)]
mod tests;

pub use config::{
    AgencyConfig, AuditConfig, GatewayConfig, PolicyConfig, Timings, TokensConfig, TrustConfig,
    TrustListConfig, ValidationConfig,
};
pub use exchange::agencies::AgenciesFault;
pub use http::openapi;
pub use service::GatewayService;
pub use standalone::Standalone;
