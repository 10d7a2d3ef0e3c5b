//! Drafts: what an agency is writing, and the way of its release.
//!
//! A draft is content that was valid when it was written, an author, and a state ([`state`]). What
//! changes one takes a [`rovuma_policy::Permit`] for exactly that act and runs in one transaction
//! with its audit event.

pub(crate) mod change;
pub(crate) mod content;
pub(crate) mod create;
pub(crate) mod directory;
pub(crate) mod draft;
pub(crate) mod fitness;
pub(crate) mod list;
pub(crate) mod release;
pub(crate) mod review;
pub(crate) mod state;
