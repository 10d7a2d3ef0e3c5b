//! The gateway: the agencies' door to the exchange.
//!
//! - `alerts`: drafts, their states and their release.
//! - `messages`: what has been sent and received, as an agency sees it.
//! - `exchange`: what leaves and what arrives, verified, numbered, receipted.
//! - `http`: the API, one file a route.
//!
//! Architecture invariant: what a request may touch comes from its token and the store, never from the
//! request; what changes something takes the policy's [`rovuma_policy::Permit`] for exactly that act, and
//! writes its audit event in the same transaction.

mod agencies;
mod alerts;
mod audit;
mod config;
mod error;
mod exchange;
mod gateway;
mod http;
mod messages;
mod overdue;
mod relay;
mod restored;
mod service;
mod standalone;
#[cfg(test)]
mod tests;
mod trust;

pub use agencies::AgenciesFault;
pub use config::{
    AgencyConfig, AuditConfig, GatewayConfig, PolicyConfig, Timings, TokensConfig, TrustConfig,
    TrustListConfig, ValidationConfig,
};
pub use http::openapi;
pub use service::GatewayService;
pub use standalone::Standalone;
