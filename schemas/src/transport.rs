//! Messages of gateways and nodes, without an officer: receipts, streams, link faults, heads of audit logs.

pub(crate) mod audit;
pub(crate) mod link;
pub(crate) mod receipt;
pub(crate) mod stream;

use crate::{fault::Finding, view::View};

/// The body of a transport message.
pub(crate) trait CheckReceived {
    /// Adds the faults that the schema of a received message cannot express.
    fn check_received(_body: &View<'_>, _found: &mut Vec<Finding>) {}
}

impl<E> CheckReceived for receipt::Receipts<E> {}
impl CheckReceived for link::LinkFault {}
impl CheckReceived for audit::AuditCheckpoint {}
impl CheckReceived for audit::AuditCosignature {}
