//! The part of the HTTP APIs that is the same in every service, so that a route holds only what is its own.
//!
//! * [`Caller`] is the extractor that checks the bearer token; [`Access`] asks the access policy and has each
//!   refusal audited before it is answered.
//! * [`ApiError`] is a refusal or a failure on its way to a problem (RFC 9457).
//! * [`page`], [`cursors`], [`idempotency`] and [`entity_tag`] implement lists, `Idempotency-Key` and `If-Match`.
//! * [`watch_store`] keeps a service's readiness as its store is.
//! * [`request`] reads a request's path, query and body, and refuses them in our own words; [`words`] refuses filters that
//!   name what nobody knows.
//! * [`documented`] completes and serves the OpenAPI document of the routes, and keeps the routes to it; [`openapi`] holds
//!   what the services' OpenAPI documents have in common.
//! * [`answers`] holds what the routes answer, as types that the services build and clients read.
//!
//! A service implements [`ApiState`] for its state and hands its routes an `Arc` of it.
//!
//! Without the feature `server` only the answers are built, for a program that reads them; the modules of the
//! feature are the only ones that know axum. [`page::Window`] belongs to neither: a service's domain may take it.
//!
//! Architecture invariant: outside [`answers`] nothing here knows a message, an account or an audit log. What is
//! deliberately absent: routes, but for that of the document.

#[cfg(feature = "server")]
mod access;
pub mod answers;
#[cfg(feature = "server")]
mod caller;
#[cfg(feature = "server")]
pub mod cursors;
#[cfg(feature = "server")]
pub mod documented;
#[cfg(feature = "server")]
pub mod entity_tag;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "server")]
pub mod idempotency;

#[cfg(feature = "server")]
pub mod openapi;
pub mod page;
#[cfg(feature = "server")]
mod refusal;
#[cfg(feature = "server")]
pub mod request;
#[cfg(feature = "server")]
mod state;
#[cfg(feature = "server")]
mod store_watch;
#[cfg(feature = "server")]
pub mod words;

#[cfg(feature = "server")]
pub use {
    access::Access,
    caller::Caller,
    error::{ApiError, StoreProblems},
    refusal::act_by,
    state::ApiState,
    store_watch::watch_store,
};
