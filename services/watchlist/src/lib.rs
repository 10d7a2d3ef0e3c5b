//! The watchlist of one country: what is scanned or typed at a border post is compared with what is listed.
//!
//! `alerts.rs` keeps the alerts of the installation's agencies current, from the gateway's events and its API. `screening/` is pure: it
//! reads a text, finds the entries that may have its numbers, compares, and applies the rules. `screen.rs` does so for one request, keeps
//! what was found in one transaction with its audit events, and says what the caller may see. `forward.rs` has the gateway tell the owner of
//! an alert what is certain. `imports.rs` puts published lists beside the alerts; what is found in them stays here.
//!
//! Architecture invariant: a verdict names every list with its age, and is no "no hit" unless all of them were there and current. What
//! is not certain never leaves this service by itself.

mod alerts;
mod at_rest;
mod config;
mod coverage;
mod crossed;
mod entries;
mod error;
mod expected;
mod flow;
mod forward;
mod hits;
mod http;
mod imports;
mod innocents;
pub mod lists;
mod look_ups;
mod notice;
mod peer;
mod reason;
mod retention;
mod rules;
mod screen;
mod screener;
pub mod screening;
mod service;
mod standings;
#[cfg(test)]
mod tests;
mod watchlist;

pub use config::{
    AgencyConfig, AtRestConfig, AuditConfig, ContactConfig, PeerConfig, ScreeningConfig, WatchlistConfig,
};
pub use http::openapi;
pub use screener::{Screener, ScreenerError};
pub use service::WatchlistService;
