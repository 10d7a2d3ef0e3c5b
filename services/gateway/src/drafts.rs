//! Drafts of every family, and their release, which makes them messages.
//!
//! A draft has content as its author typed it, perhaps incomplete, and a state ([`state`]). Submitting and releasing need
//! content without faults. A function that changes a draft takes a [`rovuma_policy::Permit`] for exactly that act and runs in
//! one transaction with its audit event; it reports a bad request as a [`Refusal`], from which the HTTP API makes the answer.

pub(crate) mod by_itself;
mod change;
pub(crate) mod content;
mod create;
pub(crate) mod draft;
pub(crate) mod duplicates;
pub(crate) mod list;
pub(crate) mod overdue;
mod reads;
mod refusal;
pub(crate) mod release;
pub(crate) mod restricted;
mod right_to_send;
pub(crate) mod state;
mod steps;

use std::sync::Arc;

use rovuma_schemas::CodeLists;

use crate::{directory::Directory, exchange::Exchange};
use draft::NewDrafts;
use overdue::AuditOverdue;

pub(crate) use refusal::Refusal;
pub(crate) use steps::SeenVersion;

/// The parts that writing and releasing drafts need.
pub(crate) struct Drafts {
    /// Sends released drafts.
    pub(crate) exchange: Arc<Exchange>,
    /// The agencies that can be addressed.
    pub(crate) directory: Directory,
    /// The code lists that drafts are checked against.
    pub(crate) codes: CodeLists,
    /// Inserts the drafts that a transaction creates.
    pub(crate) new: NewDrafts,
    /// Refuses releases while the audit service is too far behind.
    pub(crate) overdue: AuditOverdue,
}
