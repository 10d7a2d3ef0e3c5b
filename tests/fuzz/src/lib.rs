//! What the fuzz targets do with their bytes, one module a target: `run` panics when a property is broken.
//!
//! The targets in `fuzz_targets/` hand libFuzzer's bytes to these functions; a test hands them the seeds, without
//! libFuzzer. Everything is reproducible: keys, times and the countries' lists are always the same.

pub mod audit_ack;
pub mod audit_batch;
pub mod bundle;
pub mod draft;
pub mod evidence;
mod fixture;
mod http;
pub mod http_audit;
pub mod http_gateway;
pub mod http_identity;
pub mod inbox;
pub mod jwks;
pub mod jws;
pub mod keys;
pub mod message;
pub mod mutate;
mod place;
pub mod sealed;
#[cfg(test)]
mod seeds;
pub mod token;
pub mod trust_list;
mod world;

pub use fixture::{START, agency, now};
pub use trust_list::signed as signed_trust_list;

/// A target: its name, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 15] = [
    ("sealed", sealed::run),
    ("bundle", bundle::run),
    ("jws", jws::run),
    ("message", message::run),
    ("trust_list", trust_list::run),
    ("token", token::run),
    ("jwks", jwks::run),
    ("draft", draft::run),
    ("audit_batch", audit_batch::run),
    ("audit_ack", audit_ack::run),
    ("evidence", evidence::run),
    ("inbox", inbox::run),
    ("http_gateway", http_gateway::run),
    ("http_identity", http_identity::run),
    ("http_audit", http_audit::run),
];
