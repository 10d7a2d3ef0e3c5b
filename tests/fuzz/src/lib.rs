//! The fuzz targets, one module each: `run` panics when a property is violated.
//!
//! The programs in `fuzz_targets/` pass libFuzzer's bytes to these functions; a test passes them the seeds, without
//! libFuzzer. Every run is reproducible: keys, times and the countries' lists are always the same.

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
pub mod list;
pub mod message;
pub mod mutate;
mod place;
pub mod screen;
pub mod sealed;
#[cfg(test)]
mod seeds;
mod services;
pub mod token;
pub mod trust_list;

pub use fixture::{START, agency, now};
pub use trust_list::signed as signed_trust_list;

/// A target: its name, and the function that checks an input.
pub type FuzzTarget = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [FuzzTarget; 17] = [
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
    ("list", list::run),
    ("screen", screen::run),
    ("inbox", inbox::run),
    ("http_gateway", http_gateway::run),
    ("http_identity", http_identity::run),
    ("http_audit", http_audit::run),
];
