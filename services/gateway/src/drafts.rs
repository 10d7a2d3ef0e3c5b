//! Drafts: what an agency is writing, of whatever family, and how it becomes a message.
//!
//! A draft is what its author has typed, perhaps incomplete, and a state ([`state`]). Submitting and releasing need a draft
//! without faults. A function that changes one takes a [`rovuma_policy::Permit`] for exactly that act and runs in one
//! transaction with its audit event; what is wrong with a request is a [`Fault`], which the HTTP API puts into an answer.

mod change;
pub(crate) mod content;
mod create;
pub(crate) mod draft;
mod fault;
pub(crate) mod list;
pub(crate) mod overdue;
pub(crate) mod release;
mod right_to_send;
pub(crate) mod state;
mod steps;

use std::sync::Arc;

use rovuma_schemas::CodeLists;

use crate::{directory::Directory, exchange::Exchange};
use draft::NewDrafts;
use overdue::AuditOverdue;

pub(crate) use fault::Fault;
pub(crate) use steps::Seen;

/// What writing and releasing needs.
pub(crate) struct Drafts {
    /// Where a released draft goes.
    pub(crate) exchange: Arc<Exchange>,
    /// The agencies that can be addressed.
    pub(crate) directory: Directory,
    /// The code lists that drafts are checked against.
    pub(crate) codes: CodeLists,
    /// Drafts created in the transaction that is under way.
    pub(crate) new: NewDrafts,
    /// Whether the audit service is too far behind for a release.
    pub(crate) overdue: AuditOverdue,
}
